"""Kills, stops and pairs of kills at every numbered effect of a life without a fault."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from campaign.cases import Case, run
from campaign.points import Act, Fault, kill_after, kill_before

if TYPE_CHECKING:
    from collections.abc import Iterator

    from campaign.world import World

POLICIES = ("Delete", "Retain")
STOP_SECONDS = 600.0  # past every deadline: of a hold, of a request, of its lag
RECOVERY = 14  # so many effects of a recovery are killed at, in turn


@cache
def recorded(policy: str) -> tuple[str, ...]:
    """Return the effects of a life that no fault befalls; they are the campaign's points."""
    return tuple(run(_unharmed(policy)).effects)


def unharmed() -> Iterator[Case]:
    """No fault at all: what is recorded must itself be right."""
    yield from map(_unharmed, POLICIES)


def _unharmed(policy: str) -> Case:
    return Case(
        name=f"no fault befalls it, {policy}",
        family="nothing",
        arrange=lambda _: [Fault(meet=lambda act: act(), number=0)],
        spec={"deletionPolicy": policy},
    )


def kills() -> Iterator[Case]:
    for policy in POLICIES:
        for number, name in enumerate(recorded(policy)):
            yield _killed(policy, number, name, before=True)
            yield _killed(policy, number, name)


def _killed(policy: str, number: int, name: str, *, before: bool = False) -> Case:
    meet, when = (kill_before, "before") if before else (kill_after, "after")
    return Case(
        name=f"killed {when} effect {number}, {name}, {policy}",
        family="killed before or after an effect",
        arrange=lambda _: [Fault(meet=meet, number=number)],
        spec={"deletionPolicy": policy},
    )


def stops() -> Iterator[Case]:
    """Nothing of it runs for ten minutes, and then it goes on where it was."""
    for policy in POLICIES:
        for number, name in enumerate(recorded(policy)):

            def arrange(world: World, number: int = number) -> list[Fault]:
                def stopped(act: Act) -> object:
                    world.stop(STOP_SECONDS)
                    return act()

                return [Fault(meet=stopped, number=number)]

            yield Case(
                name=f"stopped before effect {number}, {name}, {policy}",
                family="stopped past every deadline",
                arrange=arrange,
                cuts=2 if name.startswith("window") else 1,
                spec={"deletionPolicy": policy},
            )


def pairs() -> Iterator[Case]:
    """The second kill comes at an effect of the recovery from the first."""
    for policy in POLICIES:
        for number, name in enumerate(recorded(policy)):
            # The effects after the first kill are those of this recovery, however long it is.
            recovery = len(run(_killed(policy, number, name)).effects) - number - 1
            for later in range(min(RECOVERY, recovery)):
                yield _pair(policy, number, name, later)


def _pair(policy: str, number: int, name: str, later: int) -> Case:
    def arrange(_: World) -> list[Fault]:
        second = Fault(meet=kill_after, number=number + 1 + later)
        return [Fault(meet=kill_after, number=number), second]

    return Case(
        name=f"killed after effect {number}, {name}, and {later} effects later, {policy}",
        family="killed twice in one recovery",
        arrange=arrange,
        spec={"deletionPolicy": policy},
    )
