"""Take holds from the top down and let them go from the bottom up, on every way out."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from disksnapshot.window.command import CommandHold
from disksnapshot.window.freeze import FreezeHold
from disksnapshot.window.fsfreeze import FsfreezeHold
from disksnapshot.window.hold import (
    AnyOrder,
    CommandOrder,
    FreezeOrder,
    HoldError,
    MysqlOrder,
    SyncOrder,
)
from disksnapshot.window.mysql.lock import MysqlHold
from disksnapshot.window.sync import SyncHold

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from disksnapshot.window.clock import HoldClock
    from disksnapshot.window.hold import Hold, LineSession, StepFacts


def build(steps: Iterable[AnyOrder]) -> Stack:
    """Return the holds for the steps of an order."""
    return Stack([_hold(step) for step in steps])


def _hold(step: AnyOrder) -> Hold:
    match step:
        case MysqlOrder():
            return MysqlHold(step)
        case SyncOrder():
            return SyncHold(step)
        case FreezeOrder():
            return FreezeHold(step)
        case CommandOrder(kind="freeze"):
            return FsfreezeHold(step)
        case CommandOrder():
            return CommandHold(step)


class Stack:
    """The holds of one window, in the order of the steps."""

    def __init__(self, holds: list[Hold]) -> None:
        self._holds = holds

    def __bool__(self) -> bool:
        return bool(self._holds)

    @property
    def facts(self) -> list[StepFacts]:
        """Return what each hold did."""
        return [hold.facts for hold in self._holds]

    @property
    def sockets(self) -> list[LineSession]:
        """Return the conversations whose end means that a hold is lost."""
        return [session for hold in self._holds for session in hold.sockets()]

    def ready(self, deadline: float) -> None:
        """Open and check all; raise HoldError with nothing held."""
        for hold in self._holds:
            hold.ready(deadline)

    @contextlib.contextmanager
    def held(self, clock: HoldClock) -> Iterator[None]:
        """Hold for the body. Whatever happens in here or in taking them, all are let go."""
        with contextlib.ExitStack() as releases:
            for hold in self._holds:
                # Bottom up: the database may need its own disk to end a session. Whatever one
                # release raises, the others still run.
                releases.callback(hold.release, clock)
            for hold in self._holds:
                hold.warm()
            for hold in self._holds:
                hold.acquire(clock)
            yield

    def close(self) -> None:
        """End all sessions; what is still held lets go by that."""
        for hold in reversed(self._holds):
            with contextlib.suppress(HoldError, OSError):
                hold.close()
