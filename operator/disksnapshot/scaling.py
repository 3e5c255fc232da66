"""Take a workload to zero for a snapshot and back, each step recorded as it is seen to be so."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

from disksnapshot.pacing import AGAIN
from disksnapshot.reasons import Reason
from disksnapshot.snapshot import steps

if TYPE_CHECKING:
    from datetime import timedelta

    from disksnapshot.kube.objects import Objects
    from disksnapshot.sight import Sight
    from disksnapshot.snapshot.capture import Captures
    from disksnapshot.snapshot.down import Down, Workload
    from disksnapshot.snapshot.spec import Offline
    from disksnapshot.writing import Writer

logger = logging.getLogger(__name__)


class Scaler:
    """Performs the steps that concern the workload."""

    def __init__(self, captures: Captures, objects: Objects, writer: Writer) -> None:
        self._captures = captures
        self._objects = objects
        self._writer = writer

    def look(self, sight: Sight) -> Workload | None:
        """Return the workload as it is, where one is written down."""
        down = sight.done.offline
        return self._captures.workloads.look(sight.ask, down, sight.now) if down else None

    def perform(self, sight: Sight, step: steps.Scaling) -> timedelta | None:
        """Perform one step; return when to look again."""
        match step:
            case steps.LookAtWorkload():
                return None
            case steps.TakeDown():
                if sight.ask.offline:
                    self._take_down(sight, sight.ask.offline)
            case steps.Scale(replicas, version):
                self._scale(sight, replicas, version)
            case steps.Note(down):
                self._note(sight, down)
            case _:
                assert_never(step)
        return AGAIN

    def _take_down(self, sight: Sight, asked: Offline) -> None:
        """Write its replicas down. It is scaled in a later turn, by what is written alone."""
        self._captures.require_room()
        down = self._captures.workloads.judge(sight.ask, asked, sight.now)
        # The finalizer first: a deletion must wait for the way back.
        body = self._objects.add_finalizer(sight.body)
        sight = replace(sight, body=body)
        message = (
            f"{down.label} goes from {down.replicas} replicas to zero; by hand it comes back by: "
            f"{down.undo(sight.ask.namespace)}"
        )
        self._writer.write(sight, sight.draft.offline(down).waiting(Reason.OFFLINE, message))
        # On the claims as well: who wonders where their pods are looks there.
        self._writer.announcements.post(sight.ask, "Normal", Reason.OFFLINE, message)

    def _note(self, sight: Sight, down: Down) -> None:
        self._writer.put(sight, sight.draft.offline(down), self._objects.write_status)
        if down.over:
            self._writer.announcements.post(sight.ask, "Normal", Reason.RESUMED, down.farewell)

    def _scale(self, sight: Sight, replicas: int, version: str) -> None:
        """Scale it, if neither the object nor the workload is any other than was seen.

        The object is looked at once more after the workload: who was stopped between the two
        would take to zero, for nobody, what another operator has taken down and brought back.
        """
        down = sight.done.offline
        self._objects.require_unchanged(sight.body)
        if down:
            self._captures.workloads.set(sight.ask, down, replicas, version)
            logger.info("%s: %s is to have %d replicas", sight.ask.label, down.label, replicas)


def ended(down: Down, reason: str, message: str) -> steps.Note:
    """Return the note that nothing can be cut while it is down, so that it may come back."""
    return steps.Note(replace(down, reason=reason, message=message))
