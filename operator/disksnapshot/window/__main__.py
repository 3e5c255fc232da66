"""The window: open all, say ready, hold, cut, let go, answer. The end of its input: let go."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

from disksnapshot.window import ending, stack
from disksnapshot.window.clock import HoldClock, Timeline
from disksnapshot.window.cut import Cut, NoWatch, Stop, Watch
from disksnapshot.window.hold import (
    BEGUN_WITHIN_SECONDS,
    Facts,
    Go,
    HoldError,
    Order,
    Ready,
    Refusal,
)

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

GO_SECONDS = 30.0  # so long may the intent's write take; then everything is closed again
REFRESH_SECONDS = 3.0
LATE_REPLY_SECONDS = 2.0  # after letting go, for a reply that may still be on its way


def main(conversation: Connection) -> None:
    """Serve one order; whatever happens, everything is let go and closed."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's ^C is for the parent to handle
    try:
        Window(conversation, conversation.recv()).run()
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return  # nobody wants the answer: the sessions are closed, the holds are gone


class Window:
    """One hold, from opening its sessions to its facts."""

    def __init__(self, conversation: Connection, order: Order) -> None:
        self._conversation = conversation
        self._order = order
        self._holds = stack.build(order.steps)
        self._steps = self._holds.facts  # kept when the holds are given up
        self._cut = Cut(order.cloud, order.disk_ids)
        self._timeline = Timeline()
        self._refusal: Refusal | None = None
        self._cut_while_held = False

    def run(self) -> None:
        """Say ready or refuse; on go, hold and cut; answer with facts."""
        try:
            deadline = time.monotonic() + self._order.ready_seconds
            with ending.with_input(self._conversation):
                self._cut.connect(deadline)
                self._open_holds(deadline)
            self._timeline.mark("ready")
            self._conversation.send(Ready())
            if self._conversation.poll(GO_SECONDS):
                go = self._conversation.recv()
                self._cut.refresh(time.monotonic() + REFRESH_SECONDS)
                if not self._conversation.poll(0):
                    self._capture(go)
                self._conversation.send(self._facts())
        except HoldError as error:
            self._conversation.send(Refusal(reason=error.reason, message=str(error)))
        finally:
            self._holds.close()
            self._cut.close()

    def _open_holds(self, deadline: float) -> None:
        try:
            self._holds.ready(deadline)
        except HoldError as error:
            if not self._order.cut_without_hold:
                raise
            self._give_up_holding(error)

    def _give_up_holding(self, error: HoldError) -> None:
        """Close what may still hold or warm, and remember why."""
        self._refusal = Refusal(reason=error.reason, message=str(error))
        self._holds.close()
        self._holds = stack.Stack([])

    def _capture(self, go: Go) -> None:
        if go.zero is not None:
            self._timeline.count_from(go.zero)
        if self._timeline.now - go.signed > BEGUN_WITHIN_SECONDS:
            message = f"the cut could not be begun within {BEGUN_WITHIN_SECONDS:.0f} s"
            self._refusal = Refusal(reason="HoldLost", message=message)
            return
        clock = HoldClock(self._order.max_hold_seconds, self._timeline)
        try:
            with self._holds.held(clock):
                self._cut_held(go, clock)
        except HoldError as error:
            self._give_up_holding(error)
            if self._order.cut_without_hold and not self._sent:
                self._cut_held(go, HoldClock(self._order.max_hold_seconds, self._timeline))
        if not self._cut.answered:
            self._cut.wait(time.monotonic() + LATE_REPLY_SECONDS, NoWatch())

    @property
    def _sent(self) -> bool:
        return any(facts.sent for facts in self._cut.facts)

    def _cut_held(self, go: Go, clock: HoldClock) -> None:
        """Between holding and letting go: no log, no allocation-heavy work, no Kubernetes call."""
        watch = Watch(Stop(self._conversation.fileno()), self._holds.sockets)
        if not watch.wait([], 0):
            return
        if time.monotonic() >= clock.cut_ends_at:
            # We were stopped for a while: the server has let go, or is about to.
            raise HoldError("HoldLost", "the hold had reached its bound before the cut")
        self._timeline.mark("cutSent")
        self._cut.send(go.cuts)
        # Half of the time is for the replies: the rest may be needed to look for a lost one.
        if self._cut.wait((time.monotonic() + clock.cut_ends_at) / 2, watch):
            self._timeline.mark("reply")
        if not watch.stopping and not watch.lost and self._wants_lookup:
            visible = self._order.release_when == "Visible"
            self._cut.look_up(go, clock.cut_ends_at, watch, visible=visible)
            if all(facts.visible for facts in self._cut.facts):
                self._timeline.mark("visible")
        self._cut_while_held = bool(self._holds) and self._cut.created and not watch.lost

    @property
    def _wants_lookup(self) -> bool:
        """Visible asks for it; so does an outcome that is unknown while we still hold."""
        if any(facts.code for facts in self._cut.facts):
            return False  # the attempt has failed: writers are not held for the rest of it
        unknown = any(not facts.snapshot_id and not facts.code for facts in self._cut.facts)
        return self._order.release_when == "Visible" or unknown

    def _facts(self) -> Facts:
        return Facts(
            times=self._timeline.times,
            steps=self._steps,
            disks=self._cut.facts,
            refusal=self._refusal,
            cut_while_held=self._cut_while_held,
            look_ups=self._cut.look_ups,
            look_up_code=self._cut.look_up_code,
        )
