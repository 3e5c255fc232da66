"""Observe, decide, perform: the one loop that moves a DiskSnapshot on."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from disksnapshot import logs, scaling
from disksnapshot.cbs.calls import shown
from disksnapshot.cbs.clock import own_time
from disksnapshot.discarding import Discarder
from disksnapshot.errors import CloudUnavailable, Conflict, Forbidden, Gone, Problem, Unavailable
from disksnapshot.hindrances import Hindrances
from disksnapshot.keeping import Keeper
from disksnapshot.kube.api import Invalid
from disksnapshot.memory import Memory
from disksnapshot.observation import Observer
from disksnapshot.pacing import AGAIN, LONGEST_RETRY, SHORTEST_RETRY, SOON, Pacing
from disksnapshot.reasons import Reason
from disksnapshot.recording import Recorder
from disksnapshot.sight import Key, Sight
from disksnapshot.snapshot import absence, outcome, plan, spec, status, steps
from disksnapshot.writing import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from disksnapshot.announcements import Announcements
    from disksnapshot.cbs.client import Cloud
    from disksnapshot.cbs.poller import Poller
    from disksnapshot.kube.objects import Objects
    from disksnapshot.snapshot.capture import Captures


CAPTURES = 48  # at once, so that some threads are always left for everything else

logger = logging.getLogger(__name__)


class _VanishedError(Gone):
    """The object itself is gone, and not only what a write of it was about."""


class Loop:
    """Does one step of one object at a time; says when to look again, None for not by itself."""

    def __init__(
        self, objects: Objects, announcements: Announcements, cloud: Cloud, poller: Poller[Key],
        captures: Captures, cluster_id: str, clock: Callable[[], datetime] = own_time,
    ) -> None:  # fmt: skip
        self._clock = clock
        self._objects = objects
        self._announcements = announcements
        self._metrics = announcements.metrics
        self._poller = poller
        self._captures = captures
        self._memory = Memory()
        self._pacing = Pacing(self._memory)
        self._discarder = Discarder(cloud, self._memory, self._pacing)
        self._observer = Observer(cloud, poller, self._memory, cluster_id, clock)
        self._writer = Writer(objects, announcements)
        self._keeper = Keeper(objects, cloud, self._writer)
        self._recorder = Recorder(objects, self._writer, self._memory, poller)
        self._scaler = scaling.Scaler(captures, objects, self._writer)
        self._hindrances = Hindrances(objects, self._writer, self._scaler, self._pacing, clock)
        self._slots = threading.BoundedSemaphore(CAPTURES)

    def look(self, key: Key) -> timedelta | None:
        """Read the object, decide, perform."""
        with logs.about(namespace=key.namespace, name=key.name):
            try:
                return self._look(key)
            except Exception:
                self._metrics.erred()
                raise

    def _look(self, key: Key) -> timedelta | None:
        try:
            return self._step(key)
        except Gone:
            self._poller.forget_follower(key)
            self._metrics.census.gone(key)
            return None
        except Conflict as conflict:
            logger.info("%s/%s: %s; looking again", key.namespace, key.name, conflict)
            return SOON
        except Unavailable as error:
            logger.warning("%s/%s: %s", key.namespace, key.name, error)
            # Bounded before it is a time: what a server asks for may be more than one can hold.
            asked = timedelta(seconds=min(error.after, LONGEST_RETRY.total_seconds()))
            return max(SHORTEST_RETRY, asked)
        except (Forbidden, Invalid) as error:
            # Not even the status can be read or written: the log is all that is left.
            logger.error("%s/%s: %s", key.namespace, key.name, error)  # noqa: TRY400 - no bug
            return LONGEST_RETRY

    def lose(self, uid: str, snapshot_ids: Iterable[str]) -> None:
        """Take note that the cloud has lost snapshots of an object; look at it then."""
        self._memory.lose(uid, snapshot_ids)

    def _step(self, key: Key) -> timedelta | None:
        sight, fault = self._sight(self._read(key))
        self._metrics.census.note(key, sight.standing())
        try:
            return self._go_on(key, sight, fault)
        except _VanishedError:
            raise
        except Gone as error:
            # It was there to be read. If it went since, the next look finds nothing; else it is
            # its status alone that isn't there, as while somebody changes the definition.
            logger.warning("%s: %s", sight.ask.label, error)
            return self._pacing.seldom(sight, "a write that found nothing", SHORTEST_RETRY)

    def _sight(self, body: Mapping[str, Any]) -> tuple[Sight, Problem | None]:
        """Return an object as it is now, and what there is to refuse about its spec."""
        now, done = self._clock(), status.parse(body.get("status", {}))
        try:
            return Sight(body=body, ask=spec.parse(body), done=done, now=now), None
        except Problem as fault:
            sight = Sight(body=body, ask=spec.unreadable(body), done=done, now=now)
            # Who is down comes back by what is written, whatever the spec says.
            return sight, None if sight.ask.deleting or done.is_down else fault

    def _go_on(self, key: Key, sight: Sight, fault: Problem | None) -> timedelta | None:
        if fault:
            self._recorder.refuse(sight, fault)
            return None
        result = self._memory.result(sight.ask.uid)
        if result and self._recorder.record(sight, result):
            return AGAIN
        if result:
            return self._hindrances.unwritten(sight, result)
        try:
            return self._perform(*self._decide(key, sight))
        except (Problem, CloudUnavailable) as error:
            # As long as it isn't sure, it isn't lost: nobody shall read less than what is so.
            quietly = self._is_missed(sight) and not sight.ask.deleting
            return self._hindrances.on_the_way(sight, shown(error), quietly=quietly)

    def _read(self, key: Key) -> Mapping[str, Any]:
        try:
            body = self._objects.read(key.namespace, key.name)
        except Gone as error:
            self._leave(self._memory.meet(key))
            raise _VanishedError(str(error)) from error
        self._leave(self._memory.meet(key, body["metadata"]["uid"]))
        return body

    def _decide(self, key: Key, sight: Sight) -> tuple[Sight, steps.Step]:
        ask, done, now = sight.ask, sight.done, sight.now
        seen = self._observer.follow(key, ask, done)
        if self._is_missed(sight):
            seen = steps.Seen(absent_since=now)
        step = plan.next_step(ask, done, seen, now)
        if isinstance(step, steps.LookAtWorkload):
            seen = replace(seen, workload=self._scaler.look(sight))
            step = plan.next_step(ask, done, seen, now)
        if isinstance(step, steps.LookUp) and done.intent:
            looked = self._observer.look_up(ask, done.intent, self._clock)
            # Its answers have told the cloud's time: by what was taken for it, hours off, the
            # snapshot may have seemed to be over that has a day to go.
            sight = replace(sight, now=self._clock())
            step = plan.next_step(ask, done, seen, sight.now)
            if isinstance(step, steps.LookUp):
                seen, step = looked, plan.next_step(ask, done, looked, sight.now)
        if absence.is_concluded(ask, done, seen, step):
            some = isinstance(step, steps.Fail)
            self._observer.require_gone(ask, done, seen.listed, some=some)
        return sight, step

    def _perform(self, sight: Sight, step: steps.Step) -> timedelta | None:  # noqa: C901, PLR0911 - one case a step
        match step:
            case steps.LookUp():
                return None
            case steps.Rest(until):
                self._forget(sight)
                return until - sight.now if until else None
            case steps.Wait(until, reason, message):
                if (reason, message) != (sight.done.reason, sight.done.message):
                    self._writer.write(sight, sight.draft.waiting(reason, message, until))
                return until - sight.now
            case steps.Capture(attempt):
                return self._capture(sight, attempt)
            case steps.Adopt(snapshots):
                self._recorder.adopt(sight, snapshots)
                return AGAIN
            case steps.Settle(reason, message):
                retry = sight.now + outcome.RETRY_PAUSE
                self._writer.write(sight, sight.draft.settle().waiting(reason, message, retry))
                return outcome.RETRY_PAUSE
            case steps.Discard(snapshot_id, _):
                return self._discarder.discard(sight, snapshot_id)
            case steps.Follow(states, trouble):
                self._recorder.report(sight, states, trouble)
                return None  # the poller says when something changes
            case steps.Finish(states):
                self._recorder.finish(sight, states)
                return None
            case steps.Fail(reason, message):
                self._writer.write(sight, sight.draft.failed(reason, message))
                return None
            case _:
                return self._keep(sight, step)

    def _scale(self, sight: Sight, step: steps.Scaling) -> timedelta | None:
        try:
            return self._scaler.perform(sight, step)
        except Problem as problem:
            return self._hindrances.at_the_start(sight, problem)
        except Forbidden as error:
            return self._hindrances.at_the_start(sight, Problem(Reason.FORBIDDEN, str(error)))

    def _keep(self, sight: Sight, step: steps.Keeping | steps.Scaling) -> timedelta | None:
        if isinstance(step, steps.Scaling):
            return self._scale(sight, step)
        pause = self._keeper.keep(sight, step)
        if isinstance(step, steps.DropFinalizer | steps.GiveUp):
            self._forget(sight)
        return pause

    def _capture(self, sight: Sight, attempt: int) -> timedelta | None:
        body = sight.body
        if not self._slots.acquire(blocking=False):
            if not sight.done.seen:
                self._writer.write(
                    sight, sight.draft.waiting(Reason.PREPARING, "others come first")
                )
            return SOON
        try:
            result = self._captures.run(body, attempt)
        except (Problem, CloudUnavailable) as error:
            return self._hindrances.at_the_start(sight, shown(error))
        except Forbidden as error:
            return self._hindrances.at_the_start(sight, Problem(Reason.FORBIDDEN, str(error)))
        finally:
            self._slots.release()
        self._memory.keep(sight.ask.uid, result)
        # At once, in this turn: the operator may be stopping, and no other turn may come.
        return self._step(Key(sight.ask.namespace, sight.ask.name))

    def _is_missed(self, sight: Sight) -> bool:
        """Tell whether a sweep misses what a Ready object names; others look by themselves."""
        missed = self._memory.is_lost(sight.ask.uid, sight.done.snapshots.values())
        return missed and sight.done.ready == "True"

    def _forget(self, sight: Sight) -> None:
        self._poller.forget(sight.done.snapshots.values())
        self._leave(sight.ask.uid)

    def _leave(self, uid: str) -> None:
        self._memory.forget(uid)
        self._announcements.forget(uid)
