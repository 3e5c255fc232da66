"""Capture: make ready, write the intent, hold, cut, let go; and tell what came of it."""

from __future__ import annotations

import contextlib
import logging
import secrets
import threading
from typing import TYPE_CHECKING, Any

from disksnapshot import naming
from disksnapshot.cbs.calls import CREATE
from disksnapshot.cbs.client import in_tens
from disksnapshot.cbs.clock import monotonic_zero
from disksnapshot.errors import Conflict, Problem, Unavailable
from disksnapshot.reasons import Reason
from disksnapshot.snapshot import spec, stillness, tokens
from disksnapshot.snapshot.intents import Intents
from disksnapshot.snapshot.outcome import Result
from disksnapshot.window.hold import Facts, Go, Order, Refusal, SignedLookUp, SignedRequest
from disksnapshot.window.launch import WindowProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from disksnapshot.cbs.client import Cloud
    from disksnapshot.kube.objects import Objects
    from disksnapshot.snapshot.prepare import Prepared, Preparer
    from disksnapshot.snapshot.spec import Ask
    from disksnapshot.snapshot.workloads import Workloads

# Refusals that come after the freezers have frozen and thawed once to see how it goes.
TOUCHED_WRITERS = frozenset({Reason.FLUSH_TOO_SLOW, Reason.FREEZE_REFUSED})
# The window's own waits, and something for its end.
BEYOND_READY_SECONDS = 10.0
BEYOND_HOLD_SECONDS = 15.0

logger = logging.getLogger(__name__)


class Captures:
    """Runs captures while `admits` says so, and lets all of them go when told to."""

    def __init__(
        self, objects: Objects, cloud: Cloud, preparer: Preparer, cluster_id: str,
        admits: Callable[[], bool],
    ) -> None:  # fmt: skip
        self._intents = Intents(objects, cloud, self._require_running)
        self._cloud = cloud
        self._preparer = preparer
        self._cluster_id = cluster_id
        self._admits = admits
        self._lock = threading.Lock()
        self._windows: set[WindowProcess] = set()
        self._holding = 0

    @property
    def workloads(self) -> Workloads:
        """Where a workload is looked at that goes to zero."""
        return self._preparer.workloads

    def require_room(self) -> None:
        """Raise Problem while the cloud would take no snapshot of anybody."""
        self._cloud.require_room()

    def holding(self) -> int:
        """Return how many holds are in force, or about to be."""
        return self._holding

    def let_all_go(self) -> None:
        """End the input of every window: each lets go at once and still answers."""
        with self._lock:
            windows = list(self._windows)
        for window in windows:
            window.let_go()

    def run(self, body: Mapping[str, Any], attempt: int) -> Result:
        """Capture once; raise Problem or Conflict while nothing can have come of it."""
        ask = spec.parse(body)
        self.require_room()
        nonce = secrets.token_hex(8)
        prepared = self._preparer.prepare(ask, nonce)
        marks = naming.Marks(
            cluster=self._cluster_id,
            uid=ask.uid,
            namespace=ask.namespace,
            name=ask.name,
            attempt=attempt,
            nonce=nonce,
            policy=ask.deletion_policy,
        )
        self._intents.require_none_forgotten(body, prepared, marks)
        with tokens.reserved(self._cloud.limits, prepared.order) as spent:
            return self._attempt(body, ask, prepared, marks, spent)

    def _attempt(
        self,
        body: Mapping[str, Any],
        ask: Ask,
        prepared: Prepared,
        marks: naming.Marks,
        spent: tokens.Spent,
    ) -> Result:
        # Before the window opens: what can conflict shall do so before writers are touched.
        body = self._intents.announce(body)
        with self._window(prepared) as window:
            answer = window.ready(prepared.order.ready_seconds + BEYOND_READY_SECONDS)
            # Letting go ends a window that isn't ready yet: that is no problem of the object.
            self._require_running()
            # The cloud's time: it is the cloud that refuses what comes too late.
            signed = self._cloud.clock.now().replace(microsecond=0)
            if isinstance(answer, Refusal):
                _raise_unless_touched(answer)
                # An attempt like any other, so that it counts; nothing was sent for it.
                self._intents.write(body, prepared, marks, signed)
                return _unsent(marks.nonce, answer)
            looked = self._cloud.clock.now()
            prepared = self._preparer.looked_again(ask, prepared)
            # Signed before the intent is written: after that, nothing may fail but the sending.
            go = self._go(ask, prepared, marks, signed)
            try:
                self._intents.write(body, prepared, marks, signed)
            except Unavailable as error:
                return _unsent(marks.nonce, _unacknowledged(error))
            hold = prepared.order.max_hold_seconds
            facts = self._hold(window, go, hold + BEYOND_HOLD_SECONDS)
        if isinstance(facts, Refusal):
            return _unsent(marks.nonce, facts)
        spent.note(facts)
        return self._result(prepared, marks.nonce, looked, facts)

    def _result(
        self, prepared: Prepared, nonce: str, looked: datetime, facts: Facts | None
    ) -> Result:
        if facts:
            self._pass_on(facts)
        still = self._look_again(prepared, looked, facts)
        return Result(nonce=nonce, facts=facts, problem=prepared.problem, stillness=still)

    def _look_again(
        self, prepared: Prepared, looked: datetime, facts: Facts | None
    ) -> stillness.Stillness | None:
        """Look at the disks that nobody mounts once more, now that they are cut."""
        if not prepared.unmounted or not facts or not any(disk.sent for disk in facts.disks):
            return None
        try:
            after = self._cloud.disks([target.disk.id for target in prepared.unmounted])
        except Exception as error:  # noqa: BLE001 - the cut is made: no error may lose its ids
            logger.warning("nothing is proven of disks that nobody mounts: %s", error)
            after = {}
        everywhere = len(prepared.unmounted) == len(prepared.targets)
        apart = self._cloud.clock.now() - looked
        return stillness.judge(prepared.unmounted, after, everywhere=everywhere, apart=apart)

    def _pass_on(self, facts: Facts) -> None:
        """Let the limits and the log know what the cloud told the window."""
        # Refusals last: one disk that was cut is no sign of room for the next object.
        for disk in sorted(facts.disks, key=lambda disk: bool(disk.code)):
            if disk.code or disk.snapshot_id:
                said, request = disk.snapshot_id or disk.code, disk.request_id or "unknown"
                logger.info("%s of %s: %s (request %s)", CREATE, disk.disk_id, said, request)
                self._cloud.hear(CREATE, disk.code, disk.message)
        if facts.look_up_code:
            self._cloud.hear("DescribeSnapshots", facts.look_up_code)

    def _hold(self, window: WindowProcess, go: Go, seconds: float) -> Facts | Refusal | None:
        with self._lock:
            self._holding += 1
        try:
            return window.go(go, seconds)
        finally:
            with self._lock:
                self._holding -= 1

    def _require_running(self) -> None:
        if not self._admits():
            raise Conflict("the operator is stopping, or another one is at work")

    @contextlib.contextmanager
    def _window(self, prepared: Prepared) -> Iterator[WindowProcess]:
        with self._open(prepared.order) as window:
            with self._lock:
                self._require_running()
                self._windows.add(window)
            try:
                yield window
            finally:
                with self._lock:
                    self._windows.discard(window)

    def _open(self, order: Order) -> contextlib.AbstractContextManager[WindowProcess]:
        """Start the process that holds."""
        return WindowProcess(order)

    def _go(self, ask: Ask, prepared: Prepared, marks: naming.Marks, signed: datetime) -> Go:
        name, tags = naming.snapshot_name(marks), naming.tags(marks, ask.tags)
        disk_ids, deadline = prepared.order.disk_ids, ask.deadline(signed)

        def cut(disk_id: str) -> SignedRequest:
            payload = self._cloud.sign_create(disk_id, name, tags, signed, deadline)
            return SignedRequest(disk_id=disk_id, payload=payload)

        return Go(
            cuts=tuple(cut(disk_id) for disk_id in disk_ids),
            lookups=tuple(
                SignedLookUp(disk_ids=tuple(some), payload=self._cloud.sign_lookup(some, signed))
                for some in in_tens(disk_ids)
            ),
            names=tuple((disk_id, name) for disk_id in disk_ids),
            signed=signed.timestamp(),
            zero=monotonic_zero(self._cloud.clock.now()),
        )


def _raise_unless_touched(refusal: Refusal) -> None:
    """Raise what kept a hold from being made; a rehearsal that went wrong has cost the writers."""
    if refusal.reason not in TOUCHED_WRITERS:
        raise Problem(refusal.reason, refusal.message)


def _unacknowledged(error: Unavailable) -> Refusal:
    """The intent may have been written all the same; the object shows. Nothing was sent for it."""
    message = f"the attempt was not acknowledged by the API server, so nothing was cut: {error}"
    return Refusal(reason=Reason.HOLD_LOST, message=message)


def _unsent(nonce: str, refusal: Refusal) -> Result:
    return Result(nonce=nonce, facts=Facts(), refusal=refusal)
