"""Everything together: whoever is due acts, and time passes to whoever is due next."""

from __future__ import annotations

import logging
import random
from typing import TYPE_CHECKING, Any

from campaign import situation
from campaign.apiserver import ApiServer
from campaign.clock import Clock
from campaign.cloud import Cloud, disk
from campaign.operators import AT_ONCE, Operator
from campaign.points import ENDLESS, Killed, Points
from campaign.situation import NEIGHBOUR, SUBJECT
from campaign.workload import Workload
from campaign.writers import Writers
from disksnapshot.snapshot import status

if TYPE_CHECKING:
    from collections.abc import Callable

    from disksnapshot.sight import Key
    from disksnapshot.sweep import Pace

HOUR = 3600.0
RESTART_SECONDS = 1.0
FAILED_PAUSE_SECONDS = 30.0  # as the queue of keys has it
IDLE_SECONDS = 600.0
HOT_TURNS = 300  # at one moment; the busiest life has some dozens


class Heard(logging.Handler):
    """All that the operator logs."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


class World:
    """A cluster, a cloud, and the operators at work."""

    def __init__(self, seed: str, operators: int = 1, **spec: Any) -> None:
        random.seed(seed)  # the pauses are spread a little
        self.clock, self.points = Clock(), Points()
        self.server, self.writers = ApiServer(), Writers(self.clock)
        self.cloud = self._cloud()
        self.clock.passing += [self.writers.pass_time, self.cloud.pass_time]
        asked = {"quiesce": situation.QUIESCE, **spec}
        self.spec = {name: value for name, value in asked.items() if value is not None}
        situation.furnish(self.server, self.spec)
        self.disks = situation.disks(self.spec)
        self.uids = [situation.UIDS[SUBJECT]]  # that the object under test has had
        self.workload = Workload(self) if "offline" in spec else None
        self.heard = Heard()
        self.unexpected: list[str] = []
        self.keys = [SUBJECT, NEIGHBOUR]
        self.counted = {SUBJECT}  # whose effects are numbered, so that faults may befall them
        self.others: list[str] = []  # uids of more objects that may be deleted
        self.looks = 0
        self.taken_back = False  # the end that an object had come to
        self.hot = False  # it acted and acted, and no time passed
        self.silent_until = 0.0  # the watch
        self._policy = str(spec.get("deletionPolicy", "Retain"))
        self._expires_after: int | None = spec.get("expireAfterSeconds")
        self.stopped = 0.0  # seconds in which no operator did anything
        self.deaths = 0  # of operators; each was followed by a start
        self.said = 0  # events that were written before the last of these
        self.pace = AT_ONCE  # of the sweeps for what is lost and left over
        self.operators = [Operator(self) for _ in range(operators)]

    def _cloud(self) -> Cloud:
        cloud = Cloud(self.clock, is_held=self._is_held)
        attached = {*situation.DISKS.values(), situation.OTHER_DISKS[situation.LOGS]}
        cloud.disks = {item: disk(item) for item in attached}
        archive = situation.OTHER_DISKS[situation.ARCHIVE]
        cloud.disks[archive] = disk(archive, DiskState="UNATTACHED", InstanceId="")
        return cloud

    def _is_held(self, disk_id: str) -> bool:
        """Tell whether nobody could write: by holds, or as nobody is there to write."""
        detached = self.cloud.disks[disk_id]["DiskState"] == "UNATTACHED"
        if self.workload is not None and disk_id == situation.DISKS[SUBJECT]:
            detached = self.workload.is_down
        return self.writers.is_held(disk_id) or detached

    @property
    def policy(self) -> str:
        """What was last asked to become of the snapshot."""
        body = self.body()
        if body:
            self._policy = str(body["spec"]["deletionPolicy"])
        return self._policy

    @property
    def expires_after(self) -> int | None:
        """For how long the snapshot was last asked to be kept; None: for ever."""
        body = self.body()
        if body:
            self._expires_after = body["spec"].get("expireAfterSeconds")
        return self._expires_after

    def sweep_by(self, pace: Pace) -> None:
        """Let every operator sweep by itself for what is lost and left over."""
        self.pace = pace
        self.operators = [Operator(self) for _ in self.operators]

    def stop(self, seconds: float) -> None:
        """Let time pass in which no operator does anything."""
        self.stopped += seconds
        self.clock.advance(seconds)

    def body(self, key: Key = SUBJECT) -> dict[str, Any] | None:
        return self.server.objects.get(situation.path(key))

    def done(self, key: Key = SUBJECT) -> status.Done:
        body = self.body(key)
        assert body, "the object is gone"
        return status.parse(body.get("status", {}))

    def run(self, until: Callable[[], bool], seconds: float = 2 * HOUR) -> bool:
        """Let everybody act until something is so; tell whether it came to that."""
        end, at, turns = self.clock.seconds + seconds, self.clock.seconds, 0
        while not until() and self.clock.seconds < end:
            if not self._act():
                self.clock.advance(self._pause(end))
            at, turns = self.clock.seconds, turns + 1 if at == self.clock.seconds else 0
            if turns > HOT_TURNS:
                self.hot = True
                self.clock.advance(HOUR)  # such a loop would never come to its end
                return until()
        return until()

    def _act(self) -> bool:
        """Let each operator do what it is due to; tell whether any did something."""
        busy = False
        for who in range(len(self.operators)):
            try:
                busy = self._turn(self.operators[who]) or busy
            except Killed:
                self.deaths, self.said = self.deaths + 1, len(self.server.events)
                self.stop(RESTART_SECONDS)
                self.operators[who] = Operator(self)
                busy = True
        return busy

    def _turn(self, operator: Operator) -> bool:
        busy = False
        self.tell_gone()
        for key in tuple(self.keys):
            version = self.server.version(situation.path(key))
            watching = self.silent_until <= self.clock.seconds
            told = watching and operator.seen.get(key) != version
            if told or operator.due.get(key, self.clock.seconds + 1) <= self.clock.seconds:
                operator.seen[key] = version
                self.look(operator, key)
                busy = True
                self._let_end(operator)
            if operator.sweeps_at < self.clock.seconds:
                self._sweep(operator)  # a thread of its own does: it waits for no queue
        if busy and operator.idle:
            operator.sweeps_at = self.clock.seconds  # there may be something to follow now
        if operator.sweeps_at <= self.clock.seconds:
            self._sweep(operator)
        if operator.looks_over_at <= self.clock.seconds:
            self._look_over(operator)
        return busy

    def tell_gone(self) -> None:
        """Let the watch tell how objects were as they went; what it misses it never tells."""
        watching = self.silent_until <= self.clock.seconds
        for operator in self.operators:
            went = self.server.gone[operator.told_gone :] if watching else []
            operator.told_gone = len(self.server.gone)
            for body in went:
                operator.sweep.went(body)

    def _look_over(self, operator: Operator) -> None:
        """Let it look for what was lost and what is left over, as a thread of its own does."""
        operator.tap.part = "sweep "
        try:
            pause = operator.sweep.turn()
        finally:
            operator.tap.part = ""
        operator.looks_over_at = self.clock.seconds + pause

    def _let_end(self, operator: Operator) -> None:
        """Who was told to end does, when what it had in hand is done."""
        if operator.tap.ends_at < ENDLESS:
            operator.tap.dead = True
            raise Killed

    def _sweep(self, operator: Operator) -> None:
        pause = operator.poller.sweep()
        self._let_end(operator)
        operator.idle = pause is None
        operator.sweeps_at = self.clock.seconds + (pause or IDLE_SECONDS)

    def look(self, operator: Operator, key: Key) -> None:
        """Let one operator look at one object, as a thread of its queue does."""
        operator.due.pop(key, None)
        operator.tap.counted = key in self.counted
        self.looks += key == SUBJECT
        try:
            pause = operator.loop.look(key)
            after = None if pause is None else pause.total_seconds()
        except Exception as error:  # noqa: BLE001 - the queue does the same; here it is a finding
            self.unexpected.append(f"{type(error).__name__}: {error}")
            after = FAILED_PAUSE_SECONDS
        finally:
            operator.tap.counted = True
        if after is not None:
            due = self.clock.seconds + max(0.0, after)
            operator.due[key] = min(due, operator.due.get(key, due))

    def tell_again(self, key: Key) -> None:
        """Let the watch tell of an object that has not changed."""
        for operator in self.operators:
            operator.seen.pop(key, None)

    def _pause(self, end: float) -> float:
        times = [end]
        if self.silent_until > self.clock.seconds:
            times.append(self.silent_until)
        for operator in self.operators:
            times += [*operator.due.values(), operator.sweeps_at, operator.looks_over_at]
        return max(0.001, min(times) - self.clock.seconds)
