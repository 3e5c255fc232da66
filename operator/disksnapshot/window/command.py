"""Hold by commands in the user's own pods; a guard beside each lets go of it by itself."""

from __future__ import annotations

import time
from importlib import resources
from typing import TYPE_CHECKING

from disksnapshot.kube.exec import ExecError
from disksnapshot.window.hold import CommandOrder, CommandTarget, HoldError, LineSession, StepFacts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from disksnapshot.window.clock import HoldClock

# The guard's own steps after a command's time: TERM, a second later KILL, a second to be gone.
STOPPING_SECONDS = 2.5
EXIT_SECONDS = 0.5
# What a moment is called where that doesn't depend on the step; of many, the last to end counts.
TAKEN = {"freeze": "frozen", "sync": "synced"}
ENDED = {"freeze": "thawed", "sync": "synced"}
KILLED = frozenset({"137", "143"})
FORBIDDEN, BAD_REQUEST, NOT_FOUND = 403, 400, 404


def _program(name: str) -> str:
    """Return a shell text of ours for `sh -c`: in a URL, so without its comments."""
    text = resources.files("disksnapshot.inpod").joinpath(name).read_text(encoding="utf-8")
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("#"))


GUARD = _program("guard.sh")
FREEZABLE = _program("freezable.sh")


def guarded(target: CommandTarget, kind: str, seconds: int) -> list[str]:
    """Return the guard's command line: the user's words are arguments of it, never its text."""
    # A freeze that was refused may be somebody else's, so it isn't thawed.
    mode = "if-held" if kind == "freeze" else "always"
    acquire, release = target.acquire, target.release
    return ["sh", "-c", GUARD, "guard", mode, str(seconds), str(len(acquire)), *acquire, *release]


class CommandHold:
    """The same hold in one container or in many: all are told at once, then each answers."""

    def __init__(self, order: CommandOrder) -> None:
        self._order = order
        self._sessions: list[LineSession] = []
        self._answered = False
        self.facts = StepFacts(name=order.name, kind=order.kind)

    def ready(self, deadline: float) -> None:
        """Open the guards; none has run anything yet."""
        for target in self._order.targets:
            argv = guarded(target, self._order.kind, self._order.seconds)
            self._sessions.append(opened(target, argv, deadline))

    def warm(self) -> None:
        """A command isn't run for practice."""

    def acquire(self, clock: HoldClock) -> None:
        """Run the commands that hold; the guards count from here until they let go."""
        seconds = clock.guard_seconds(self._order.seconds)
        if seconds < 1:
            message = "no time was left to run the commands in; raise maxHoldSeconds"
            raise HoldError("LockTimeout", message)
        clock.sent()
        if self.facts.kind != "sync":  # which holds nothing that could end too early
            clock.guarded(seconds)
        if self.facts.kind == "exec":
            clock.timeline.mark(f"{self.facts.name} sent")
        start = time.monotonic_ns()
        self.facts.held = True
        self._send(str(seconds))
        self._await_acquired(time.monotonic() + self._order.seconds + STOPPING_SECONDS)
        self.facts.acquire_milliseconds = (time.monotonic_ns() - start) / 1e6
        clock.timeline.mark(TAKEN.get(self.facts.kind) or f"{self.facts.name} held")

    def release(self, clock: HoldClock) -> None:
        """Run the commands that let go; the guards' exit statuses are the evidence."""
        if not self.facts.held:
            return
        start = time.monotonic_ns()
        self.facts.held = False
        try:
            self._send("release")
        except HoldError as error:
            self.facts.reason = str(error)  # its guard knows by itself; the others were told
        deadline = time.monotonic() + self._order.seconds + EXIT_SECONDS
        answers = [_released(session, deadline) for session in self._sessions]
        if all(answers):
            clock.timeline.mark(ENDED.get(self.facts.kind) or f"{self.facts.name} released")
        self.facts.release_milliseconds = (time.monotonic_ns() - start) / 1e6
        self._judge(answers)

    def sockets(self) -> list[LineSession]:
        """Return the guards' sessions: a word or an end during the cut means that one let go."""
        return self._sessions

    def last_words(self, deadline: float) -> str:
        """Return what the commands wrote last, for those that are ours; it comes when they end."""
        for session in self._sessions:
            session.exit_code(deadline)
        return "; ".join(words for session in self._sessions if (words := session.last_words()))

    def close(self) -> None:
        """End the sessions: a guard whose input ends lets go."""
        for session in self._sessions:
            session.close()

    def _judge(self, answers: Sequence[tuple[str, str] | None]) -> None:
        deadline = time.monotonic() + EXIT_SECONDS
        for target, session, answer in zip(
            self._order.targets, self._sessions, answers, strict=True
        ):
            reason = _unproven(answer, session.exit_code(deadline) if answer else None)
            if reason:
                self.facts.reason = self.facts.reason or f"{reason} in {target.where}"
        self.facts.proven = self._answered and not self.facts.reason

    def _send(self, line: str) -> None:
        """Tell every guard, also those behind one that is gone."""
        lost = ""
        for target, session in zip(self._order.targets, self._sessions, strict=True):
            try:
                session.send_line(line)
            except ExecError:
                lost = lost or f"the session with {target.where} is lost"
        if lost:
            raise HoldError("HoldLost", lost)

    def _await_acquired(self, deadline: float) -> None:
        """Hear each guard, also those behind one whose command failed."""
        refusals = [
            refusal
            for target, session in zip(self._order.targets, self._sessions, strict=True)
            if (refusal := self._refusal(target, session, deadline))
        ]
        if refusals:
            raise refusals[0]
        self._answered = True

    def _refusal(
        self, target: CommandTarget, session: LineSession, deadline: float
    ) -> HoldError | None:
        try:
            word, _, status = session.read_line(deadline).partition(" ")
        except ExecError:
            return HoldError("HoldLost", f"the session with {target.where} is lost")
        if (word, status) == ("acquired", "0"):
            return None
        # What it printed may be a secret: that goes nowhere.
        late = f", or took longer than {self._order.seconds} s" if status in KILLED else ""
        message = f"{target.acquire[0]} ended with status {status}{late} in {target.where}"
        slow = self.facts.kind == "sync" and status in KILLED
        return HoldError("FlushTooSlow" if slow else "CommandFailed", message)


def opened(target: CommandTarget, argv: list[str], deadline: float) -> LineSession:
    """Open a session with a program of ours in the user's container."""
    try:
        session = target.program.open(argv, deadline)
    except ExecError as error:
        raise refused_session(target, error) from error
    try:
        first = session.read_line(deadline)
    except ExecError as error:
        session.close()
        raise unanswered(target, error) from error
    if first != "ready":
        session.close()
        raise HoldError("NoShell", f"{target.where} has no sleep, which the guard needs")
    return session


def refused_session(target: CommandTarget, error: ExecError) -> HoldError:
    """Say why the API server didn't open a session in the user's container."""
    if error.status == FORBIDDEN:
        message = f"the operator may not exec in {target.where}"
        return HoldError("ExecForbidden", message)
    reason = "PodNotFound" if error.status in {BAD_REQUEST, NOT_FOUND} else "HoldLost"
    return HoldError(reason, f"{target.where}: {error}")


def unanswered(target: CommandTarget, error: ExecError) -> HoldError:
    """Say why a program of ours said nothing: it was not started, or the way to it is lost."""
    if error.ended:
        return HoldError("NoShell", f"no shell (sh) runs in {target.where}: {error}")
    return HoldError("HoldLost", f"{target.where} doesn't answer: {error}")


def _released(session: LineSession, deadline: float) -> tuple[str, str] | None:
    """Return status and cause of a guard's release; None when it didn't tell."""
    try:
        while True:
            word, _, rest = session.read_line(deadline).partition(" ")
            if word == "released":
                status, _, why = rest.partition(" ")
                return status, why
    except ExecError:
        return None


def _unproven(answer: tuple[str, str] | None, exit_code: int | None) -> str:
    if answer is None:
        return "the guard didn't tell whether it let go"
    status, why = answer
    if status not in {"0", "none"}:
        return f"release ended with status {status}"
    if why != "asked":
        return f"the guard let go by itself ({why})"
    return "" if exit_code == 0 else "the guard didn't end in order"
