"""Have a window's calls of the cloud in hand before anything is held; return what it spares."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from disksnapshot.cbs.calls import CREATE
from disksnapshot.cbs.client import in_tens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from disksnapshot.cbs.limits import Limits
    from disksnapshot.window.hold import Facts, Order

LOOK_UP = "DescribeSnapshots"
LOOKUPS = 9  # of a window, for each ten disks


@dataclass(slots=True)
class Spent:
    """How many calls a window has made of those that were reserved for it."""

    requests: int = 0
    look_ups: int = 0
    unknown: bool = False

    def note(self, facts: Facts | None) -> None:
        """Count what a window tells; one that died may have made all of them."""
        self.unknown = facts is None
        if facts:
            self.requests = sum(disk.sent for disk in facts.disks)
            self.look_ups = facts.look_ups


@contextlib.contextmanager
def reserved(limits: Limits, order: Order) -> Iterator[Spent]:
    """Wait for all tokens, and give back those that were not needed.

    Objects that never come to their cut must not use up the rate of all others.
    """
    look_ups = LOOKUPS * len(in_tens(order.disk_ids)) if order.release_when == "Visible" else 0
    spent = Spent()
    if look_ups:
        limits.wait(LOOK_UP, look_ups)
    limits.wait(CREATE, len(order.disk_ids))  # the scarcer ones last
    try:
        yield spent
    finally:
        if not spent.unknown:
            # More than reserved only where a lost reply was looked for, or the listing was late.
            limits.give_back(LOOK_UP, look_ups - spent.look_ups)
            limits.give_back(CREATE, len(order.disk_ids) - spent.requests)
