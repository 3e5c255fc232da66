"""Freeze file systems through the freezers on their nodes."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from disksnapshot.kube.exec import ExecError
from disksnapshot.window.hold import (
    SHORTEST_FREEZE_SECONDS,
    FreezeOrder,
    HoldError,
    LineSession,
    StepFacts,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from disksnapshot.window.clock import HoldClock

ANSWER_SECONDS = 2.0
SHORTEST_ANSWER_SECONDS = 0.2
WARM_SECONDS = 3.0


class FreezeHold:
    """One freeze of many file systems: each node's freezer is told at once, then each answers."""

    def __init__(self, order: FreezeOrder) -> None:
        self._order = order
        self._sessions: list[LineSession] = []
        self._frozen: list[Mapping[str, object]] = []
        self._devices: list[Mapping[str, object]] = []
        self.facts = StepFacts(name=order.name, kind="freeze")

    def ready(self, deadline: float) -> None:
        """Open the freezers' sessions; each has synced and rehearsed before it says so."""
        for target in self._order.targets:
            try:
                self._sessions.append(target.program.open(list(target.argv), deadline))
            except ExecError as error:
                raise HoldError("NoFreezerOnNode", str(error)) from error
        self._devices = ready_answers_of(self._sessions, deadline)

    def warm(self) -> None:
        """Keep the kernel's freeze quick: freeze and thaw until the freeze line comes."""
        self._send("warm")
        self._answers("warm", time.monotonic() + WARM_SECONDS)

    def acquire(self, clock: HoldClock) -> None:
        """Freeze for at most the time that is left; the freezers thaw by themselves after it."""
        clock.sent()
        seconds = clock.left()
        if seconds < SHORTEST_FREEZE_SECONDS:
            raise HoldError(
                "LockTimeout", f"only {seconds:.1f} s of the hold were left to freeze in"
            )
        start = time.monotonic_ns()
        self.facts.held = True
        self._send(f"freeze {int(seconds * 1000)}")
        self._frozen = self._answers("frozen", time.monotonic() + seconds)
        self.facts.acquire_milliseconds = (time.monotonic_ns() - start) / 1e6
        clock.timeline.mark("frozen")

    def release(self, clock: HoldClock) -> None:
        """Thaw; the freezers' answers to it are the evidence."""
        if not self.facts.held:
            return
        start = time.monotonic_ns()
        self.facts.held = False
        try:
            self._send("thaw")
            seconds = min(ANSWER_SECONDS, max(clock.left(), SHORTEST_ANSWER_SECONDS))
            thawed = self._answers("thawed", time.monotonic() + seconds)
        except HoldError as error:
            self.facts.reason = str(error)
        else:
            clock.timeline.mark("thawed")
            self._judge(thawed)
        self.facts.release_milliseconds = (time.monotonic_ns() - start) / 1e6

    def sockets(self) -> list[LineSession]:
        """Return the freezers' sessions: a word or an end during the cut means that one let go."""
        return self._sessions

    def close(self) -> None:
        """End the sessions: a freezer whose input ends thaws."""
        for session in self._sessions:
            session.close()

    def _judge(self, thawed: list[Mapping[str, object]]) -> None:
        self.facts.detail = {
            "ready": self._devices,
            "frozen": self._frozen,
            "thawed": thawed,
        }
        if len(self._frozen) != len(self._sessions):
            self.facts.reason = "not every file system was frozen"
        elif any(answer.get("expired", True) for answer in thawed):
            self.facts.reason = "the freezer thawed at its deadline"
        elif not all(_all_true(answer.get("thawed")) for answer in thawed):
            self.facts.reason = "somebody else had thawed the file system"
        elif not all(_all_true(answer.get("writesUnchanged")) for answer in thawed):
            self.facts.reason = "the device was written to while it was frozen"
        else:
            self.facts.proven = True

    def _send(self, line: str) -> None:
        """Tell every freezer, also those behind one that is gone: they have to thaw too."""
        lost: ExecError | None = None
        for session in self._sessions:
            try:
                session.send_line(line)
            except ExecError as error:
                lost = lost or error
        if lost:
            raise HoldError("FreezeRefused", str(lost)) from lost

    def _answers(self, event: str, deadline: float) -> list[Mapping[str, object]]:
        return answers_of(self._sessions, event, deadline)


def answers_of(
    sessions: Iterable[LineSession], event: str, deadline: float
) -> list[Mapping[str, object]]:
    """Read one answer from each freezer; all are read also when one refuses."""
    answers: list[Mapping[str, object]] = []
    refused: HoldError | None = None
    for session in sessions:
        try:
            answers.append(_answer(session, event, deadline))
        except HoldError as error:
            refused = refused or error
    if refused:
        raise refused
    return answers


def ready_answers_of(
    sessions: Iterable[LineSession], deadline: float
) -> list[Mapping[str, object]]:
    """Read that each freezer is ready; one that says nothing for so long still writes out.

    Neither a sync nor a freeze can be asked to stop, so it can't tell this by itself.
    """
    try:
        return answers_of(sessions, "ready", deadline)
    except HoldError as error:
        if time.monotonic() < deadline:
            raise
        message = "writing dirty pages out takes too long: the freezer didn't get ready in time"
        raise HoldError("FlushTooSlow", message) from error


def _answer(session: LineSession, event: str, deadline: float) -> Mapping[str, object]:
    try:
        line = session.read_line(deadline)
    except ExecError as error:
        words = session.last_words()[-300:]
        message = f"the freezer didn't say {event}: {error}" + (
            f"; it said: {words}" if words else ""
        )
        raise HoldError("FreezeRefused", message) from error
    try:
        answer = json.loads(line)
        said = answer["event"]
    except (ValueError, KeyError, TypeError) as error:
        raise HoldError("FreezeRefused", f"the freezer answered {line[:200]!r}") from error
    if said == "error":
        raise HoldError(str(answer["reason"]), str(answer["message"]))
    if said != event:
        raise HoldError("FreezeRefused", f"the freezer said {said} instead of {event}")
    return dict(answer)


def _all_true(values: object) -> bool:
    return isinstance(values, list) and bool(values) and all(value is True for value in values)
