"""The database and the freezer behind a window: each lets go by itself, whoever has died."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from disksnapshot.window.hold import (
    LOCK_BUDGET_SECONDS,
    AnyOrder,
    CommandOrder,
    FreezeOrder,
    MysqlOrder,
    SyncOrder,
)

if TYPE_CHECKING:
    from campaign.clock import Clock
    from disksnapshot.window.hold import Order


@dataclass(kw_only=True)
class Held:
    """One hold: what it is of, and when its own server ends it."""

    kind: str
    disk_ids: tuple[str, ...]
    began: float
    ends: float


class Writers:
    """Who holds which disk's writers; every hold is over at its end, asked or not."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.held: list[Held] = []
        self.longest = 0.0
        self.taken: list[float] = []  # when writers were first touched, one an attempt
        self.places: set[str] = set()  # addresses, mounts and containers that were touched
        self._whole: dict[str, set[str]] = {}  # the kinds of holds that were ordered, by disk

    def take(self, step: AnyOrder, order: Order, *, first: bool) -> Held:
        """Hold what a step names, for as long as its own server allows."""
        left = order.max_hold_seconds - LOCK_BUDGET_SECONDS
        kind, now = kind_of(step), self._clock.seconds
        ends = now + (left if kind == "mysql" else left - 1)  # the database lets go last
        kinds = {kind_of(one) for one in order.steps}
        self._whole |= dict.fromkeys(order.disk_ids, kinds)
        one = Held(kind=kind, disk_ids=order.disk_ids, began=now, ends=ends)
        self.places |= _places(step)
        if first:
            self.taken.append(now)
        self.held.append(one)
        self._clock.alarm(ends - now)
        return one

    def let_go(self, one: Held) -> bool:
        """End a hold; tell whether it was still in force."""
        in_force = one in self.held
        self._end(one, self._clock.seconds)
        return in_force

    def lose(self) -> None:
        """The server ends all of its sessions: a restart, a KILL, a failover."""
        for one in list(self.held):
            self._end(one, self._clock.seconds)

    def pass_time(self) -> None:
        for one in list(self.held):
            if self._clock.seconds >= one.ends:
                self._end(one, one.ends)

    def is_held(self, disk_id: str) -> bool:
        """Tell whether all that was ordered is in force over a disk."""
        kinds = {one.kind for one in self.held if disk_id in one.disk_ids}
        return bool(kinds) and kinds == self._whole[disk_id]

    def _end(self, one: Held, at: float) -> None:
        if one in self.held:
            self.held.remove(one)
            self.longest = max(self.longest, at - one.began)


def kind_of(step: AnyOrder) -> str:
    """Return what the status calls such a step."""
    match step:
        case MysqlOrder():
            return "mysql"
        case FreezeOrder():
            return "freeze"
        case SyncOrder():
            return "sync"
        case CommandOrder():
            return step.kind


def _places(step: AnyOrder) -> set[str]:
    match step:
        case MysqlOrder():
            return {step.host}
        case CommandOrder():
            return {target.where for target in step.targets}
        case FreezeOrder() | SyncOrder():
            return {
                f"{getattr(target.program, 'pod', '')}: {path}"
                for target in step.targets
                for path in target.argv[target.argv.index("--") + 1 :]
            }
