"""Lives in which no event can be written (K4 to K6): an event is news, and changes no outcome."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

from campaign import lives
from campaign.deaths import unharmed
from campaign.points import ALWAYS, Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from campaign.cases import Case
    from campaign.world import World

UNTOLD = "K4-K6, no event can be written"
POST = "POST events"
AT_ONCE = ("K4 503", "K4 reset", "K5 done, and the answer is lost", "K6 403")
WAYS = (*AT_ONCE, "K4 unanswered")
STEP = 32  # of the other cases, one in so many is lived so too
# Where an event is all that tells of something, or is asked for by the case itself.
NEEDED = ("tags don't stick", "orphan", "crowd", "two hundred", "finalizer off")


def cases(others: Iterable[Case]) -> Iterator[Case]:
    """Each life with each way to lose events; and some of the other cases, with their faults."""
    for case, way in itertools.product(unharmed(), WAYS):
        yield _untold(case, way, always=True)
    lived = {case.name for case in unharmed()}
    rest = [
        case
        for case in others
        if case.name not in lived and not any(word in case.name for word in NEEDED)
    ]
    # What takes time puts other effects under the numbers of their faults.
    for case, way in zip(rest[::STEP], itertools.cycle(AT_ONCE), strict=False):
        yield _untold(case, way)


def _untold(case: Case, way: str, *, always: bool = False) -> Case:
    """Let it come to what it comes to anyway; `always`: it is known that there are events."""

    def arrange(world: World) -> list[Fault]:
        lost = Fault(meet=lives.WAYS[way](world), named=POST, times=ALWAYS, may_miss=not always)
        return [*case.arrange(world), lost]

    name = f"{case.name}; no event can be written: {way}"
    # A server that is silent keeps all from being looked at, so the neighbour waits too.
    return replace(case, name=name, family=UNTOLD, arrange=arrange, wide=True)
