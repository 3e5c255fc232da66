"""A clock that is off (N8): the cloud's and the operator's differ by more than a request's age."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from campaign.cases import READY, Arrange, Case, of_policy
from campaign.clouds import CREATE
from campaign.deaths import LIVES, POLICIES, recorded
from campaign.points import Act, Fault, Killed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from campaign.world import World

N8 = "N8, a clock that is off"
SKEW_SECONDS = 360.0  # a request is valid for 300
EXPIRING, DAY_AND_HOUR = "expiring", 25 * 3600.0
WAYS = {"ahead": SKEW_SECONDS, "behind": -SKEW_SECONDS}
SAID = "this machine's clock is"
OF_THE_CLOUD = ("Describe", "Delete", CREATE, "window Describe")


def cases() -> Iterator[Case]:
    """The cloud's clock is off from each of its calls on; a new operator's from each effect on."""
    yield from far()
    for policy in POLICIES:
        effects = recorded(policy)
        last = max(n for n, name in enumerate(effects) if name.startswith(OF_THE_CLOUD))
        for number, name in enumerate(effects[: last + 1]):
            for way, seconds in WAYS.items():
                at = f"effect {number}, {name}, {policy}"
                if name.startswith(OF_THE_CLOUD):
                    off = _off(number, seconds, dies=False)
                    yield _skewed(f"the cloud's clock is {way} from {at}", off, policy)
                off = _off(number, seconds, dies=True)
                said = f"killed, and the next one finds the cloud's clock {way}"
                yield _skewed(f"{said}, before {at}", off, policy)


def far() -> Iterator[Case]:
    """The next operator's own clock is a day ahead: what has a day to go seems to be over."""
    for number, name in enumerate(recorded(EXPIRING)):
        if name.startswith("POST events"):
            off = _off(number, -DAY_AND_HOUR, dies=True)
            said = f"killed, and the next one's clock is a day ahead, before effect {number}"
            case = of_policy(f"{said}, {name}, {EXPIRING}", off, (READY,), family=N8, wide=True)
            yield replace(case, spec=LIVES[EXPIRING], says=SAID)
            return


def _skewed(name: str, off: Arrange, policy: str) -> Case:
    case = of_policy(name, off, (READY,), policy, family=N8, wide=True)
    return replace(case, says=SAID)


def _off(number: int, seconds: float, *, dies: bool) -> Arrange:
    def arrange(world: World) -> list[Fault]:
        def meet(act: Act) -> object:
            world.cloud.ahead = seconds
            if dies:
                raise Killed
            return act()

        return [Fault(meet=meet, number=number)]

    return arrange
