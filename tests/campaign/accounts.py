"""Keys of another account for an hour (N8): there the cloud lists nothing, without an error."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from campaign import situation
from campaign.cases import FAILED, GONE, READY, Arrange, Case
from campaign.clouds import CREATE
from campaign.deaths import LIVES, recorded
from campaign.points import Act, Fault, Killed
from campaign.situation import SUBJECT
from campaign.world import HOUR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from campaign.world import World

ACCOUNTS = "N8, keys of another account"
LIVED = ("Delete", "Retain", "expiring")


def cases() -> Iterator[Case]:
    """From each effect on; once with a kill, and once with the user's deletion in that moment."""
    for life in LIVED:
        effects = recorded(life)
        cut = effects.index(CREATE)
        for number, name in enumerate(effects):
            at = f"keys of another account from effect {number}, {name}, {life}"
            # Before the cut they show no such disk, and what the cut itself says of that is final.
            ends = (READY,) if number > cut else (READY, FAILED)
            yield _case(at, _at(number), ends, life)
            yield _case(f"killed, and {at}", _at(number, dies=True), ends, life)
            if life != "expiring":
                gone = _at(number, deletes=True)
                yield _case(f"deleted, and {at}", gone, (GONE, *ends), life)


def _at(number: int, *, dies: bool = False, deletes: bool = False) -> Arrange:
    def arrange(world: World) -> list[Fault]:
        return [Fault(meet=partial(meet, world), number=number)]

    def meet(world: World, act: Act) -> object:
        change_keys(world)
        if deletes and world.body():
            world.server.delete(situation.path(SUBJECT))
        if dies:
            raise Killed
        return act()

    return arrange


def change_keys(world: World) -> None:
    """For an hour it is asked with keys of another account."""
    world.cloud.elsewhere = True
    right_again = world.clock.seconds + HOUR
    world.clock.alarm(HOUR)

    def change() -> None:
        if world.clock.seconds >= right_again:
            world.cloud.elsewhere = False

    world.clock.passing.append(change)


def _case(name: str, arrange: Arrange, ends: tuple[str, ...], life: str) -> Case:
    return Case(
        name=name, family=ACCOUNTS, arrange=arrange, ends=ends, cuts=2, seconds=3 * HOUR,
        wide=True, spec=LIVES[life],
    )  # fmt: skip
