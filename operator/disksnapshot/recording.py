"""Write down what came of an attempt, and how far the snapshots are that it made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from disksnapshot.reasons import Reason
from disksnapshot.snapshot import outcome, status
from disksnapshot.snapshot.proof import ADOPTED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from disksnapshot.cbs.poller import Poller
    from disksnapshot.errors import Problem
    from disksnapshot.kube.objects import Objects
    from disksnapshot.memory import Memory
    from disksnapshot.sight import Key, Sight
    from disksnapshot.snapshot.outcome import Result
    from disksnapshot.writing import Writer

    States = Mapping[str, tuple[str, int]]

PROGRESS_STEP = 25


class Recorder:
    """Performs the steps that only write; what they call a snapshot is decided elsewhere."""

    def __init__(
        self, objects: Objects, writer: Writer, memory: Memory, poller: Poller[Key]
    ) -> None:
        self._objects = objects
        self._writer = writer
        self._announcements = writer.announcements
        self._metrics = writer.announcements.metrics
        self._memory = memory
        self._poller = poller

    def record(self, sight: Sight, result: Result) -> bool:
        """Write down what an attempt came to; tell whether it was this object's last one."""
        intent = sight.done.intent
        if intent is None or intent.nonce != result.nonce or intent.state != status.OPEN:
            self._memory.recorded(sight.ask.uid)
            return False
        draft = outcome.judge(sight.draft, sight.ask, result, sight.now)
        self._writer.put(sight, draft, self._objects.record)
        self._memory.recorded(sight.ask.uid)
        self._metrics.attempted(result.facts, draft.body.get("quiesce"))
        self._announcements.tell(sight.ask, sight.done, draft)
        return True

    def adopt(self, sight: Sight, snapshots: Mapping[str, str]) -> None:
        """Name the snapshots that a look-up has found; nobody can tell what they hold."""
        draft = sight.draft.record(snapshots).call_it(ADOPTED)
        if sight.ask.quiesce is not None:
            draft.unseen("the operator did not see the hold end; it lets go by itself")
        message = "found in the cloud without a record of its hold; what it holds is unknown"
        self._writer.write(sight, draft.waiting(Reason.CREATING, message))

    def report(self, sight: Sight, states: States, trouble: tuple[str, str] | None) -> None:
        """Write how far the cloud is, in few steps, or why that can't be seen."""
        reason, message = trouble or (Reason.CREATING, "the cloud copies the data")
        # Only the reason counts: messages carry the number of a request.
        if reason != sight.done.reason:
            self._writer.write(sight, sight.draft.waiting(reason, message))
            return
        percent = min((percent for _, percent in states.values()), default=0)
        quarter = percent // PROGRESS_STEP > sight.done.percent // PROGRESS_STEP
        if quarter and self._memory.may_report(sight.ask.uid, sight.now):
            self._objects.write_status(sight.body, sight.draft.progress(states).body)

    def finish(self, sight: Sight, states: States) -> None:
        """Call the object Ready."""
        words = sight.body.get("status", {}).get("consistency", "")
        names = ", ".join(sight.done.snapshots.values())
        meaning = "what it holds is unknown" if words == "Unknown" else f"it is {words}"
        message = f"{names} is complete; {meaning}"
        draft = sight.draft.progress(states).ready(message)
        self._writer.write(sight, draft)
        self._poller.forget(sight.done.snapshots.values())
        self._metrics.finished(words, sight.age)
        self._announcements.post(sight.ask, "Normal", Reason.SNAPSHOT_READY, message)

    def refuse(self, sight: Sight, problem: Problem) -> None:
        """Say which field is wrong; a snapshot that is Ready stays so."""
        if not sight.done.finished:
            self._writer.write(sight, sight.draft.failed(problem.reason, str(problem)))
