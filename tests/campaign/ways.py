"""The way to the cloud is broken (N9): its name, its address, or the certificate at its end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import requests

from campaign.cases import READY, Case, of_policy
from campaign.deaths import recorded
from campaign.points import ALWAYS, Act, Fault
from campaign.replies import for_a_while
from disksnapshot.window.hold import HoldError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from campaign.clock import Clock
    from campaign.replies import Meet
    from campaign.world import World

N9 = "N9, the way to the cloud"
# A window opens its connections before it is ready; those that were closed since are opened anew
# once the intent is written, before the first hold.
CONNECTS = ("Describe", "DeleteSnapshots", "window ready")
AGAIN = "window lock"  # the window in memory has no effect between the intent and this one
HOUR = 3600.0
WHILES = {"once": 0.0, "for a minute": 60.0, "for an hour": HOUR}


class UnreachableError(requests.ConnectionError, HoldError):
    """No connection came about: as the SDK's library calls it, and as a window does."""

    def __init__(self, words: str) -> None:
        super().__init__(f"can't reach cloud: {words}")
        self.reason = "CloudError"


@dataclass(frozen=True, kw_only=True)
class Broken:
    """What whoever connects meets, after how long; without the libraries' words it only waits."""

    name: str
    words: str = ""
    seconds: float = 0.0

    @property
    def connects(self) -> tuple[str, ...]:
        """Where it may be met: what only waits is no matter of a hold, which begins later."""
        return (*CONNECTS, AGAIN) if self.words else CONNECTS

    def meet(self, clock: Clock) -> Meet:
        def meet(act: Act) -> object:
            clock.advance(self.seconds)
            if self.words:
                raise UnreachableError(self.words)
            return act()

        return meet


BROKEN = (
    Broken(name="its name isn't found", words="[Errno -2] Name or service not known"),
    # The system's resolver knows no time-out of ours.
    Broken(name="its name is found late", seconds=10.0),
    Broken(name="nobody is at its address", words="timed out", seconds=5.0),
    Broken(
        name="another server is at its address",
        words="certificate verify failed: Hostname mismatch, certificate is not valid for 'cloud'",
    ),
    Broken(
        name="its certificate has expired",
        words="certificate verify failed: certificate has expired",
    ),
)


def cases() -> Iterator[Case]:
    """At each connection to the cloud: once, for a minute, and for an hour."""
    for number, name in enumerate(recorded("Delete")):
        for broken in BROKEN:
            if name.startswith(broken.connects):
                for said, seconds in WHILES.items():
                    at = f"{broken.name} {said} from effect {number}, {name}"
                    yield _broken(at, number, broken, seconds)


def _broken(name: str, number: int, broken: Broken, seconds: float) -> Case:
    def arrange(world: World) -> list[Fault]:
        if not seconds:
            return [Fault(meet=broken.meet(world.clock), number=number)]
        meet = for_a_while(world.clock, seconds, broken.meet(world.clock))
        begins = Fault(meet=meet, number=number)
        rest = [
            Fault(meet=meet, named=name, times=ALWAYS, after=begins, may_miss=True)
            for name in broken.connects
        ]
        return [begins, *rest]

    case = _case(name, arrange, (READY,))
    return replace(case, says=broken.words) if seconds == HOUR else case


_case = partial(of_policy, family=N9, wide=True)
