"""What disks and snapshots can be, whoever has made them so: Q1 to Q8."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from campaign import replies
from campaign.cases import FAILED, READY, WAITS, Arrange, Case, of_policy
from campaign.cloud import Made, disk
from campaign.clouds import CREATE
from campaign.deaths import POLICIES
from campaign.points import ALWAYS, Act, Fault, kill_after, noticed
from campaign.replies import for_a_while, refusing
from campaign.situation import DISKS, SUBJECT
from campaign.world import HOUR

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from campaign.replies import Meet
    from campaign.world import World

Q = "Q1-Q8, disks and snapshots"


def cases() -> Iterator[Case]:
    """All of them."""
    yield from states()
    yield from unmarked()
    yield from _crowded()


def states() -> Iterator[Case]:
    """Q1 to Q8: what disks and snapshots can be, whoever has made them so."""
    subject = DISKS[SUBJECT]
    differing: Mapping[str, tuple[dict[str, Any], tuple[str, ...]]] = {
        "has no ability": ({"SnapshotAbility": False}, (FAILED,)),
        "is rolled back": ({"Rollbacking": True}, (WAITS,)),
        "is migrated": ({"Migrating": True}, (WAITS,)),
        "is shared": ({"Shareable": True}, (FAILED,)),
        "waits to be recycled": ({"DiskState": "TORECYCLE"}, (FAILED, WAITS)),
    }
    for name, (document, ends) in differing.items():

        def arrange(world: World, document: dict[str, Any] = document) -> list[Fault]:
            world.cloud.disks[subject] = disk(subject, **document)
            return [noticed("DescribeDisks")]

        yield _case(f"the disk {name}", arrange, ends, seconds=HOUR)


def unmarked() -> Iterator[Case]:
    """The tags don't stick: it may be adopted by its name, and is never deleted."""
    ways: Mapping[str, Meet | None] = {
        "": None,
        ", and the answer is lost": replies.lost_after,
        ", and the operator is killed": kill_after,
    }
    for policy in POLICIES:
        for said, way in ways.items():

            def arrange(world: World, way: Meet | None = way) -> list[Fault]:
                world.cloud.tags_stick = False
                return [Fault(meet=way, named=CREATE) if way else noticed(CREATE)]

            yield _case(f"the tags don't stick{said}, {policy}", arrange, (READY,), policy)


def _crowded() -> Iterator[Case]:
    def refused(code: str) -> Arrange:
        def arrange(world: World) -> list[Fault]:
            meet = for_a_while(world.clock, HOUR, refusing(code)(world))
            return [Fault(meet=meet, named=CREATE, times=ALWAYS)]

        return arrange

    def busy(world: World) -> list[Fault]:
        _foreign(world, "auto-policy", {}, creation=300.0)
        return [noticed("DescribeSnapshots")]

    def namesake(world: World) -> list[Fault]:
        _foreign(world, "shop-orders-0a1b2c3d4e-1x", {"team": "other"})
        _foreign(world, "copy of shop-orders-0a1b2c3d4e-1", {})
        return [noticed("DescribeSnapshots")]

    def other_cluster(world: World) -> list[Fault]:
        marks = {"disksnapshot.io/cluster": "cluster-2", "disksnapshot.io/uid": "another"}
        _foreign(world, "shop-orders-ffffffffff-1", marks)
        return [noticed("DescribeSnapshots")]

    quota, balance = "InsufficientSnapshotQuota", "InvalidAccount.InsufficientBalance"
    yield _case("the quota is used up for an hour", refused(quota), (READY,), wide=True)
    yield _case("the account owes for an hour", refused(balance), (READY,), wide=True)
    waits = _case("another snapshot of the disk is in creation", busy, (READY,))
    yield replace(waits, asks=_asks_who_was_held)
    yield _case("others' snapshots have names like ours", namesake, (READY,))
    yield _case("another cluster's snapshot is on the disk", other_cluster, (READY,))
    for policy in POLICIES:
        yield _case(f"somebody deletes it in creation, {policy}", _vanishes, (FAILED,), policy)
        yield _case(
            f"it is stuck in creation for an hour, {policy}",
            _stuck,
            (READY,),
            policy,
            wide=True,
        )
        yield _case(
            f"NORMAL comes before it is complete, {policy}", _early, (READY,), policy, wide=True
        )


def _asks_who_was_held(world: World) -> Iterator[tuple[str, str]]:
    if len(world.writers.taken) > 1:
        yield "Calm", "writers were held for a cut that the cloud had to refuse"


def _vanishes(world: World) -> list[Fault]:
    def meet(act: Act) -> object:
        for one in list(world.cloud.made):
            if one.disk_id == DISKS[SUBJECT]:
                world.cloud.vanish(one.id)
        return act()

    return [Fault(meet=meet, named="DescribeSnapshots", skips=3)]


def _stuck(world: World) -> list[Fault]:
    world.cloud.creation_seconds = HOUR
    return [noticed("DescribeSnapshots")]


def _early(world: World) -> list[Fault]:
    def meet(act: Act) -> object:
        answer = act()
        for one in world.cloud.made:
            one.state, one.percent = "NORMAL", 99

        def complete() -> None:
            if world.clock.seconds > HOUR / 4:
                for one in world.cloud.made:
                    one.state, one.percent = "", None

        world.clock.passing.append(complete)
        world.clock.alarm(HOUR / 4 + 1)
        return answer

    return [Fault(meet=meet, named=CREATE)]


def _foreign(world: World, name: str, tags: dict[str, str], creation: float = 0.0) -> None:
    world.cloud.number += 1
    made = Made(
        id=f"snap-{world.cloud.number:08}", name=name, disk_id=DISKS[SUBJECT], tags=tags,
        at=world.clock.seconds, held=False, creation_seconds=creation, listed_after=0.0,
        foreign=True,
    )  # fmt: skip
    world.cloud.made.append(made)


_case = partial(of_policy, family=Q)
