"""An operator that is told to end (SIGTERM), as by a roll-out: it lets go, and tells at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from campaign.cases import FAILED, READY, Case
from campaign.clouds import CREATE
from campaign.deaths import LIVES, POLICIES, recorded
from campaign.points import Act, Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from campaign.replies import Meet
    from campaign.world import World

SIGTERM = "SIGTERM, an operator that is told to end"
IN_ITS_HOLD = "window "


def cases() -> Iterator[Case]:
    """Before and after each effect of its hold, in each life; and of two whole lives."""
    for life in LIVES:
        for number, name in enumerate(recorded(life)):
            if life in POLICIES or name.startswith(IN_ITS_HOLD):
                yield _case(life, number, name, before=True)
                yield _case(life, number, name)


def _case(life: str, number: int, name: str, *, before: bool = False) -> Case:
    def arrange(world: World) -> list[Fault]:
        return [Fault(meet=_told_before(world) if before else _told_after(world), number=number)]

    return Case(
        name=f"told to end {'before' if before else 'after'} effect {number}, {name}, {life}",
        family=SIGTERM,
        arrange=arrange,
        ends=(READY, FAILED) if life == "offline" else (READY,),
        cuts=2 if name == CREATE else 1,  # its reply comes when nothing is held any more
        spec=LIVES[life],
    )


def _told_before(world: World) -> Meet:
    def meet(act: Act) -> object:
        _end(world)
        return act()

    return meet


def _told_after(world: World) -> Meet:
    def meet(act: Act) -> object:
        answer = act()
        _end(world)
        return answer

    return meet


def _end(world: World) -> None:
    for operator in world.operators:
        operator.end()
