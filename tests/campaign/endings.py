"""An operator that is told to end (SIGTERM), as by a roll-out: it lets go, and tells at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from campaign.cases import FAILED, READY, Arrange, Case, just_after, just_before
from campaign.clouds import CREATE
from campaign.deaths import LIVES, POLICIES, recorded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from campaign.world import World

SIGTERM = "SIGTERM, an operator that is told to end"
IN_ITS_HOLD = "window "


def cases() -> Iterator[Case]:
    """Before and after each effect of its hold, in each life; and of two whole lives."""
    for life in LIVES:
        for number, name in enumerate(recorded(life)):
            if life in POLICIES or name.startswith(IN_ITS_HOLD):
                yield _case(life, f"before effect {number}, {name}", just_before(number, _end))
                yield _case(life, f"after effect {number}, {name}", just_after(number, _end))


def _case(life: str, at: str, arrange: Arrange) -> Case:
    return Case(
        name=f"told to end {at}, {life}",
        family=SIGTERM,
        arrange=arrange,
        ends=(READY, FAILED) if life == "offline" else (READY,),
        cuts=2 if at.endswith(CREATE) else 1,  # its reply comes when nothing is held any more
        spec=LIVES[life],
    )


def _end(world: World) -> None:
    for operator in world.operators:
        operator.end()
