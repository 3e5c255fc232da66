"""An object of the same name is made anew while the old one goes (L5), or is torn away."""

from __future__ import annotations

import copy
from functools import partial
from typing import TYPE_CHECKING

from campaign import situation
from campaign.cases import GONE, READY, Arrange, Case, deletion
from campaign.clouds import CREATE, late
from campaign.deaths import POLICIES, recorded
from campaign.operators import Operator
from campaign.points import Act, Fault
from campaign.situation import SUBJECT
from campaign.world import HOUR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from campaign.world import World

L5 = "L5, another object of the same name"
PATH = situation.path(SUBJECT)
UID = "0a1b2c3d-ffff-6789-abcd-ef0123456789"  # begins as the old one's does


def cases() -> Iterator[Case]:
    """At each effect after the hold, also when it has gone by itself; while a cut may come."""
    for policy in POLICIES:
        effects = recorded(policy)
        first = effects.index("window unlock") + 1
        for number, name in enumerate(effects[first:], first):
            at = f"made anew by force at effect {number}, {name}, {policy}"
            yield _case(at, _at(number, _make_anew), policy)
            served = f"{at}, and another operator serves it first"
            yield _case(served, _at(number, _serve_first), policy)
        for seconds in (1, 60, 299, 301):
            said = f"made anew by force while a request acts {seconds} s later, {policy}"
            yield _case(said, _in_flight(seconds), policy)


def _at(number: int, deed: Callable[[World, Act], object]) -> Arrange:
    return lambda world: [Fault(meet=partial(deed, world), number=number)]


def _in_flight(seconds: float) -> Arrange:
    def arrange(world: World) -> list[Fault]:
        flies = Fault(meet=late(seconds)(world), named=CREATE)
        deleted = deletion(world, flies)
        return [flies, deleted, Fault(meet=partial(_make_anew, world), after=deleted)]

    return arrange


def _make_anew(world: World, act: Act) -> object:
    """Somebody takes the finalizers off, and makes it again before the operator has noticed."""
    spec = copy.deepcopy(world.spec)
    world.server.remove(PATH)
    world.server.put(PATH, situation.snapshot(SUBJECT, spec, UID))
    world.uids.append(UID)
    world.writers.taken.clear()  # that was another object's attempt
    return act()


def _serve_first(world: World, act: Act) -> object:
    """The operator is stopped, and wakes up when another has brought the new object to its end."""

    def go_on() -> object:
        overtake(world)
        return act()

    return _make_anew(world, go_on)


def overtake(world: World) -> None:
    """Let another operator bring the object to its end while those at work are stopped."""
    stopped, began = world.operators, world.clock.seconds
    world.operators = [Operator(world)]
    world.run(lambda: world.body() is None or world.done().finished, HOUR)
    world.operators = [*stopped, *world.operators]
    world.stopped += world.clock.seconds - began


def _case(name: str, arrange: Arrange, policy: str) -> Case:
    return Case(
        name=name, family=L5, arrange=arrange, ends=(READY, GONE), cuts=2, seconds=2 * HOUR,
        spec={"deletionPolicy": policy},
    )  # fmt: skip
