"""Freeze file systems by the fsfreeze of the user's own containers, under a guard."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from disksnapshot.kube.exec import ExecError
from disksnapshot.window.clock import HoldClock, Timeline
from disksnapshot.window.command import FREEZABLE, CommandHold, refused_session, unanswered
from disksnapshot.window.hold import HoldError, StepFacts

if TYPE_CHECKING:
    from disksnapshot.window.hold import CommandOrder, CommandTarget, LineSession

REHEARSAL_SECONDS = 5
WORDS_SECONDS = 2.0
SHORT_SYNC_SECONDS = 0.25  # a freeze can't be aborted: don't start one that has much to write
SYNC_LIMIT_SECONDS = 20.0

REFUSALS = {
    "no-fsfreeze": ("NoFsfreeze", "fsfreeze is missing"),
    "no-mount": ("FreezeRefused", "the claim isn't mounted there"),
    "no-disk": ("FreezeRefused", "what is mounted there isn't on a disk"),
    "root": ("FreezeRefused", "it is the container's own root file system"),
}


class FsfreezeHold:
    """A freeze that is proven by its own end: fsfreeze thaws only what is still frozen."""

    def __init__(self, order: CommandOrder) -> None:
        self._order = order
        self._guards = CommandHold(order)
        self.facts: StepFacts = self._guards.facts

    def ready(self, deadline: float) -> None:
        """Check each mount, write it out, freeze and thaw it once; then open the guards."""
        for target in self._order.targets:
            _sync(target, deadline)
        self._rehearse(deadline)
        self._guards.ready(deadline)

    def warm(self) -> None:
        """A process for each freeze would be too slow to keep the kernel warm."""

    def acquire(self, clock: HoldClock) -> None:
        """Freeze; the guards thaw by themselves in time."""
        try:
            self._guards.acquire(clock)
        except HoldError as error:
            raise _refused(error, self._guards, time.monotonic()) from error

    def release(self, clock: HoldClock) -> None:
        """Thaw."""
        self._guards.release(clock)

    def sockets(self) -> list[LineSession]:
        """Return the guards' sessions."""
        return self._guards.sockets()

    def close(self) -> None:
        """End the sessions: a guard whose input ends thaws."""
        self._guards.close()

    def _rehearse(self, deadline: float) -> None:
        """A missing right, or a foreign freeze, shall show before anything is held."""
        guards = CommandHold(self._order)
        clock = HoldClock(REHEARSAL_SECONDS, Timeline())
        try:
            guards.ready(deadline)
            try:
                guards.acquire(clock)
            finally:
                guards.release(clock)
        except HoldError as error:
            # Nothing is held yet: there is time to hear the end.
            raise _refused(error, guards, time.monotonic() + WORDS_SECONDS) from error
        finally:
            guards.close()
        if not guards.facts.proven:
            raise HoldError("FreezeRefused", f"a freeze for practice: {guards.facts.reason}")


def _refused(error: HoldError, guards: CommandHold, deadline: float) -> HoldError:
    if error.reason != "CommandFailed":
        return error
    words = guards.last_words(deadline)[-300:]  # of fsfreeze, not of the user's own command
    return HoldError("FreezeRefused", f"{error}: {words}" if words else str(error))


def _sync(target: CommandTarget, deadline: float) -> None:
    """Write dirty pages out until little is left, as the freezer does."""
    path = target.acquire[-1]
    argv = ["sh", "-c", FREEZABLE, "freezable", _as_in_mountinfo(path)]
    where = f"{path} in {target.where}"
    try:
        session = target.program.open(argv, deadline)
    except ExecError as error:
        raise refused_session(target, error) from error
    try:
        _refuse_unfit(session.read_line(deadline), where)
        _sync_until_short(session, where, deadline)
    except ExecError as error:
        raise unanswered(target, error) from error
    finally:
        session.close()


def _refuse_unfit(answer: str, where: str) -> None:
    word = answer.partition(" ")[0]
    if word != "ok":
        reason, why = REFUSALS.get(word, ("FreezeRefused", "it can't be examined"))
        raise HoldError(reason, f"can't freeze {where}: {why}")


def _sync_until_short(session: LineSession, where: str, deadline: float) -> None:
    ends_at = min(deadline, time.monotonic() + SYNC_LIMIT_SECONDS)
    took = SYNC_LIMIT_SECONDS
    while took >= SHORT_SYNC_SECONDS:
        start = time.monotonic()
        try:
            session.send_line("sync")
            session.read_line(ends_at)
        except ExecError as error:
            if time.monotonic() < ends_at:
                raise
            message = f"writing dirty pages of {where} out takes too long"
            raise HoldError("FlushTooSlow", message) from error
        took = time.monotonic() - start


def _as_in_mountinfo(path: str) -> str:
    """Write a path as the kernel does there: blank, tab, newline and backslash in octal."""
    return "".join(f"\\{ord(sign):03o}" if sign in " \t\n\\" else sign for sign in path)
