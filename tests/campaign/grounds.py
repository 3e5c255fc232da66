"""What a proof rests on, and what becomes of a snapshot without one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from campaign import situation
from campaign.cases import FAILED, GONE, READY, Case, deletion, losing
from campaign.cloud import disk
from campaign.clouds import CREATE, late
from campaign.deaths import COLD, LIVES, POLICIES, SETS, recorded
from campaign.points import Act, Fault, first, noticed
from campaign.situation import ARCHIVE, OTHER_DISKS, SUBJECT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from campaign.cases import Arrange
    from campaign.world import World

GROUNDS = "D1, N10, L6, Q, what a proof and a deletion rest on"
PATH = situation.path(SUBJECT)
INSTANCE = "ins-00000001"
STOP_SECONDS = 60.0
LISTED_SECONDS = 2.0  # well within a hold
BARE_HOLD_SECONDS = 1.0  # by the turned clock an answer comes at once


def cases() -> Iterator[Case]:
    """All of them."""
    yield from unproven()
    yield from unmarked()
    yield from attached()
    yield from moments()


def unproven() -> Iterator[Case]:
    """The policy wants no unproven snapshot: neither when the object goes meanwhile."""
    for policy in POLICIES:
        for looks in range(4):
            goes = partial(_unproven_deleted, looks=looks)
            name = f"the proof is lost, and it is deleted at look {looks + 1} after that"
            yield _case(name, goes, (GONE,), LIVES[policy], policy, asks=_asks_unproven)
        name = "the proof is lost, and the tags don't stick"
        yield _case(name, _unproven_untagged, (FAILED,), LIVES[policy], policy)


def unmarked() -> Iterator[Case]:
    """L6: the finalizer is taken off while a request flies, and the object is deleted later."""
    for policy in POLICIES:
        for seconds in (1, 60, 299):
            name = f"somebody takes the finalizer off while a request acts {seconds} s later"
            flies = partial(_unmarked_deleted, seconds=seconds)
            yield _case(f"{name}, then deletes it", flies, (GONE,), LIVES[policy], policy)


def attached() -> Iterator[Case]:
    """What no pod mounts is attached by hand: for a minute, or for the cut alone."""
    effects = recorded(COLD)
    cut = effects.index(CREATE)
    for number, name in enumerate(effects[: effects.index("DescribeDisks", cut) + 1]):
        at = f"its disk is attached for a minute from effect {number}, {name}"
        yield _case(at, partial(_attached, number=number), (READY,), LIVES[COLD], COLD)
    yield _case("its disk is attached over the cut", _over_the_cut, (READY,), LIVES[COLD], COLD)
    said = "its last machine uses its disk over the cut, while the operator is stopped"
    yield _case(said, _used_again, (READY,), LIVES[COLD], COLD)


def moments() -> Iterator[Case]:
    """B16, B17: Accepted lets go at the answer; Visible holds on, and the cut may come with it."""
    for seconds in (5, 59):
        spec, said = LIVES["accepted"], f"listed {seconds} s late, writers go on at the answer"
        slow = partial(_listed_late, seconds=seconds)
        yield _case(said, slow, (READY,), spec, "accepted", asks=_asks_hold, cuts=1)
    for life in (*POLICIES, SETS):
        said = "the cloud cuts when it lists"
        yield _case(said, _cut_when_listed, (READY,), LIVES[life], life, cuts=1)


def _unproven_deleted(world: World, *, looks: int) -> list[Fault]:
    lost = _lost(world)
    return [lost, deletion(world, lost, looks)]


def _unproven_untagged(world: World) -> list[Fault]:
    world.cloud.tags_stick = False
    return [_lost(world)]


def _lost(world: World) -> Fault:
    return Fault(meet=losing(world), named=CREATE)


def _unmarked_deleted(world: World, *, seconds: float) -> list[Fault]:
    flies = Fault(meet=late(seconds)(world), named=CREATE)
    unmark = first(partial(world.server.unmark, PATH))
    unmarked = Fault(meet=unmark, named="GET object", after=flies)
    return [flies, unmarked, deletion(world, unmarked, 2)]


def _attached(world: World, *, number: int) -> list[Fault]:
    _detach(world, INSTANCE)  # it was there before, so that only its state tells

    def meet(act: Act) -> object:
        _attach(world)
        ends = world.clock.seconds + 60
        world.clock.alarm(60)

        def detach() -> None:
            if world.clock.seconds >= ends:
                _detach(world, INSTANCE)

        world.clock.passing.append(detach)
        return act()

    return [Fault(meet=meet, number=number)]


def _over_the_cut(world: World) -> list[Fault]:
    def meet(act: Act) -> object:
        _attach(world)
        answer = act()
        _detach(world, INSTANCE)
        return answer

    return [Fault(meet=meet, named=CREATE)]


def _used_again(world: World) -> list[Fault]:
    _detach(world, INSTANCE)

    def meet(act: Act) -> object:
        _attach(world)
        answer = act()
        world.stop(STOP_SECONDS)
        _detach(world, INSTANCE)
        return answer

    return [Fault(meet=meet, named=CREATE)]


def _attach(world: World) -> None:
    archive = OTHER_DISKS[ARCHIVE]
    world.cloud.disks[archive] = disk(archive, LastAttachInsId=INSTANCE)


def _detach(world: World, last: str) -> None:
    archive = OTHER_DISKS[ARCHIVE]
    world.cloud.disks[archive] = disk(
        archive, DiskState="UNATTACHED", InstanceId="", LastAttachInsId=last
    )


def _listed_late(world: World, *, seconds: float) -> list[Fault]:
    world.cloud.listed_after = seconds
    return [noticed(CREATE)]


def _cut_when_listed(world: World) -> list[Fault]:
    world.cloud.listed_after, world.cloud.cuts_when_listed = LISTED_SECONDS, True
    return [noticed(CREATE)]


def _asks_unproven(world: World) -> Iterable[tuple[str, str]]:
    for one in world.cloud.made:
        if one.disk_id in world.disks and not one.held:
            yield "Tracked", f"{one.id}, which was not held, outlives its object"


def _asks_hold(world: World) -> Iterable[tuple[str, str]]:
    if world.writers.longest > BARE_HOLD_SECONDS:
        yield "Bounded", f"writers waited {world.writers.longest:.1f} s, as if for a listing"


def _case(
    name: str, arrange: Arrange, ends: tuple[str, ...], spec: dict[str, Any], life: str,
    **differing: Any,
) -> Case:  # fmt: skip
    return Case(
        name=f"{name}, {life}", family=GROUNDS, arrange=arrange, ends=ends, wide=True, spec=spec,
        **{"cuts": 3, **differing},
    )  # fmt: skip
