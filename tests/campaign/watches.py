"""What the watch tells of the object (K2): twice, or nothing for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING

from campaign.cases import READY, Arrange, Case, just_before, of_policy
from campaign.deaths import POLICIES, recorded
from campaign.situation import SUBJECT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from campaign.world import World

K2 = "K2, what the watch tells"
SILENT_SECONDS = 75.0  # until a watch that may be dead is replaced, and its list has come


def cases() -> Iterator[Case]:
    """At each effect. A key is all that a watch hands on, so that an old event is a second one."""
    for policy in POLICIES:
        for number, name in enumerate(recorded(policy)):
            at = f"effect {number}, {name}, {policy}"
            again = just_before(number, _tell_again)
            yield _case(f"the watch tells again what it told before {at}", again, policy)
            silent = just_before(number, _fall_silent)
            yield _case(f"the watch falls silent before {at}", silent, policy)


def _tell_again(world: World) -> None:
    world.tell_again(SUBJECT)


def _fall_silent(world: World) -> None:
    world.silent_until = world.clock.seconds + SILENT_SECONDS


def _case(name: str, arrange: Arrange, policy: str) -> Case:
    return of_policy(name, arrange, (READY,), policy, family=K2, wide=True)
