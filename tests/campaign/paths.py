"""Follow the lives of the campaign in the model: each has to be one of its paths."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from campaign import bulky, clouds, holds, lives, situation, skews, states, watches, ways
from campaign.cases import run
from campaign.situation import SUBJECT, disks
from model.following import Follower, Shown, object_of
from model.protocol import RARE, TAKEN, UNTAGGED, Protocol

if TYPE_CHECKING:
    from campaign.cases import Case
    from campaign.points import Fault
    from campaign.world import World

PATH = situation.path(SUBJECT)
LEFT_OUT = {"offline", "expireAfterSeconds", "whenNotMounted"}
# The others change what the model leaves out: the spec, the disk, what was written, the object.
FAMILIES = {
    "nothing", "killed before or after an effect", "stopped past every deadline", clouds.N,
    ways.N9, skews.N8, watches.K2, bulky.K8, lives.K, lives.L, holds.D, states.Q,
}  # fmt: skip


def is_modelled(case: Case) -> bool:
    """Tell whether the model knows all that befalls this life."""
    edited = any(said in case.name for said in ("its policy becomes", "takes the finalizer off"))
    left_out = LEFT_OUT & set(case.spec)
    several = len(disks(case.spec)) > 1
    return case.family in FAMILIES and not (edited or left_out or several)


def astray(case: Case) -> list[str]:
    """Live a case; return where it leaves the paths of the model, and what it breaks itself."""
    followed: list[Life] = []

    def arrange(world: World) -> list[Fault]:
        followed.append(Life(world, _protocol(case)))
        return case.arrange(world)

    seen = run(replace(case, arrange=arrange))
    return [*seen.trouble, *followed[0].astray]


def _protocol(case: Case) -> Protocol:
    policy = case.spec.get("quiesce", {}).get("failurePolicy", "Abort")
    return Protocol(
        deletes=case.spec.get("deletionPolicy") == "Delete",
        keeps_unproven=policy != "Abort",
        max_attempts=3,
        without=RARE - {UNTAGGED, TAKEN},
    )


class Life:
    """One object and its snapshots, seen at each write and whenever time has passed."""

    def __init__(self, world: World, protocol: Protocol) -> None:
        self._world, self._follower = world, Follower(protocol)
        self._object = object_of(world.body())
        self._known: dict[str, tuple[int, bool, bool]] = {}
        self.astray: list[str] = []
        world.server.written.append(self.see)
        world.clock.passing.append(self.see)

    def see(self) -> None:
        """Tell what has changed, one after the other, as the model makes one move at a time."""
        try:
            self._see_snapshots()
            self._object = object_of(self._world.body())
            self._tell()
        except AssertionError as error:
            self.astray = self.astray or [str(error)]

    def _see_snapshots(self) -> None:
        cloud = self._world.cloud
        there = {one.id: one for one in cloud.made if one.disk_id in self._world.disks}
        for gone in self._known.keys() - there.keys():
            del self._known[gone]
            self._tell()
        listed = {one.id for one in cloud.listed()}
        for one in there.values():
            if one.foreign:
                continue
            attempt, is_listed = int(one.name.rpartition("-")[2]), one.id in listed
            self._become(one.id, (attempt, False, False))
            self._become(one.id, (attempt, is_listed, False))
            self._become(one.id, (attempt, is_listed, is_listed and cloud.is_complete(one)))

    def _become(self, snapshot_id: str, now: tuple[int, bool, bool]) -> None:
        """Go on to what a snapshot is now; it doesn't go back."""
        before = self._known.get(snapshot_id, ())
        if before < now:
            self._known[snapshot_id] = now
            self._tell()

    def _tell(self) -> None:
        self._follower.see(Shown(self._object, tuple(sorted(self._known.values()))))
