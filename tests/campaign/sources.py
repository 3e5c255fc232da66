"""What becomes of the claim meanwhile (L3), of its volume, and of its class."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from campaign.cases import READY, WAITS, Arrange, Case, of_policy
from campaign.cloud import disk
from campaign.clouds import CREATE
from campaign.deaths import POLICIES, recorded
from campaign.points import Act, Fault, Killed
from campaign.situation import CLAIM, CLASS, VOLUME
from campaign.world import HOUR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from campaign.world import World

L3 = "L3, claims, volumes and classes"
OTHER_DISK = "disk-cccccccc"


@dataclass(frozen=True, kw_only=True)
class Loss:
    """What somebody does, and the effect until which an object needs what is lost by it."""

    said: str
    deed: Callable[[World], None]
    needed: str = ""

    def ends(self, effects: tuple[str, ...], number: int, needed: str) -> tuple[str, ...]:
        waits = self.needed and number <= effects.index(needed)
        return (WAITS,) if waits else (READY,)


def cases() -> Iterator[Case]:
    """At each effect; and once more with a kill, so that only the intent tells of the disk."""
    for loss in LOSSES:
        for policy in POLICIES:
            effects = recorded(policy)
            for number, name in enumerate(effects):
                ends = loss.ends(effects, number, loss.needed)
                at = f"{loss.said} at effect {number}, {name}, {policy}"
                yield _case(at, _at(number, loss.deed), ends, policy)
        effects = recorded("Delete")
        for number, name in enumerate(effects):
            ends = loss.ends(effects, number, CREATE)
            at = f"{loss.said}, and the operator is killed, at effect {number}, {name}"
            yield _case(at, _at(number, loss.deed, dies=True), ends)


def _at(number: int, deed: Callable[[World], None], *, dies: bool = False) -> Arrange:
    def arrange(world: World) -> list[Fault]:
        def meet(act: Act) -> object:
            deed(world)
            if dies:
                raise Killed
            return act()

        return [Fault(meet=meet, number=number)]

    return arrange


def _unclaim(world: World) -> None:
    world.server.remove(CLAIM)


def _rebind(world: World) -> None:
    """The volume is made anew, under its name, for another disk."""
    world.cloud.disks[OTHER_DISK] = disk(OTHER_DISK)
    source = {"driver": "com.tencent.cloud.csi.cbs", "volumeHandle": OTHER_DISK}
    volume = world.server.objects[VOLUME]
    world.server.put(VOLUME, {**volume, "spec": {**volume["spec"], "csi": source}})


def _unclass(world: World) -> None:
    world.server.remove(CLASS)


def _all_gone(world: World) -> None:
    for path in (CLAIM, VOLUME, CLASS):
        world.server.remove(path)


LOSSES = (
    Loss(said="the claim is deleted", deed=_unclaim, needed="GET persistentvolumeclaims"),
    Loss(said="the volume is another disk's", deed=_rebind),
    Loss(said="the StorageClass is gone", deed=_unclass),
    Loss(said="all three are gone", deed=_all_gone, needed="GET persistentvolumes"),
)
_case = partial(of_policy, family=L3, seconds=HOUR)
