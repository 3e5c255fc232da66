"""What isn't listed yet (N10) while something else befalls it: each lateness at its very end."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from campaign.cases import GONE, READY, Case, deletion, losing, of_policy
from campaign.clouds import CREATE, N, late
from campaign.deaths import POLICIES
from campaign.points import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from campaign.world import World

UNLISTED_SECONDS = 59.0  # a minute is promised
LAST_SECONDS = 299.0  # a request is valid for 300
LIES = f"listed {UNLISTED_SECONDS:.0f} s late"


def cases() -> Iterator[Case]:
    """All of them."""
    for policy in POLICIES:
        said = f"acts {LAST_SECONDS:.0f} s later, and is {LIES}"
        yield _case(f"a request {said}, {policy}", _acts_late, (READY,), policy)
        deleted = partial(_acts_late, deleted=True)
        yield _case(f"deleted while a request {said}, {policy}", deleted, (GONE,), policy)
        for looks in range(4):
            goes = partial(_deleted, looks=looks)
            at = f"deleted at look {looks + 1} after its cut, which is {LIES}"
            yield _case(f"{at}, {policy}", goes, (GONE,), policy)
    unproven = _case(f"the holds end before thaw, and the cut is {LIES}", _unproven, (READY,))
    yield replace(unproven, cuts=2)


def _acts_late(world: World, *, deleted: bool = False) -> list[Fault]:
    world.cloud.listed_after = UNLISTED_SECONDS
    flies = Fault(meet=late(LAST_SECONDS)(world), named=CREATE)
    return [flies, *([deletion(world, flies, 0)] if deleted else [])]


def _deleted(world: World, *, looks: int) -> list[Fault]:
    world.cloud.listed_after = UNLISTED_SECONDS
    cut = Fault(meet=lambda act: act(), named=CREATE)
    return [cut, deletion(world, cut, looks)]


def _unproven(world: World) -> list[Fault]:
    world.cloud.listed_after = UNLISTED_SECONDS
    return [Fault(meet=losing(world), named="window thaw")]


_case = partial(of_policy, family=N, wide=True)
