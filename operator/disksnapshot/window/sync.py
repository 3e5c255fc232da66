"""Have the freezers write the dirty pages of file systems out, once, under the locks before it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from disksnapshot.kube.exec import ExecError
from disksnapshot.window.freeze import answers_of, ready_answers_of
from disksnapshot.window.hold import HoldError, StepFacts

if TYPE_CHECKING:
    from disksnapshot.window.clock import HoldClock
    from disksnapshot.window.hold import LineSession, SyncOrder


class SyncHold:
    """It holds nothing: what it does is over when it is done, and can't be lost."""

    def __init__(self, order: SyncOrder) -> None:
        self._order = order
        self._sessions: list[LineSession] = []
        self.facts = StepFacts(name=order.name, kind="sync")

    def ready(self, deadline: float) -> None:
        """Open the freezers' sessions; each has synced once before it says so."""
        for target in self._order.targets:
            try:
                self._sessions.append(target.program.open(list(target.argv), deadline))
            except ExecError as error:
                raise HoldError("NoFreezerOnNode", str(error)) from error
        ready_answers_of(self._sessions, deadline)

    def warm(self) -> None:
        """The sync that was done to get ready has left little to write."""

    def acquire(self, clock: HoldClock) -> None:
        """Write out what came since; writers that nothing holds may go on meanwhile."""
        clock.sent()
        start = time.monotonic_ns()
        for session in self._sessions:
            try:
                session.send_line("sync")
            except ExecError as error:
                raise HoldError("HoldLost", f"the freezer's session is lost: {error}") from error
        try:
            answers_of(self._sessions, "synced", time.monotonic() + max(0.0, clock.left()))
        except HoldError as error:
            if clock.left() > 0:
                raise
            message = "writing dirty pages out took all the time of the hold"
            raise HoldError("FlushTooSlow", message) from error
        self.facts.acquire_milliseconds = (time.monotonic_ns() - start) / 1e6
        self.facts.proven = True
        clock.timeline.mark("synced")

    def release(self, clock: HoldClock) -> None:
        """Nothing is held."""

    def sockets(self) -> list[LineSession]:
        """Return none: nothing can be lost."""
        return []

    def close(self) -> None:
        """End the sessions."""
        for session in self._sessions:
            session.close()
