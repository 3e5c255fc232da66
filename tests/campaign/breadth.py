"""What befalls the plain lives, at each effect of the others: offline, with two claims, more."""

from __future__ import annotations

import copy
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from campaign import lives, replies
from campaign.cases import FAILED, GONE, READY, Case, just_after, just_before
from campaign.clouds import CREATE, FINAL_CODES, late
from campaign.deaths import LIVES, POLICIES, SETS, recorded
from campaign.namesakes import overtake
from campaign.points import ALWAYS, Fault
from campaign.replies import refusing
from campaign.world import HOUR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from campaign.cases import Arrange
    from campaign.points import Act
    from campaign.replies import Meet
    from campaign.world import World

BREADTH = "K, L, N in the other lives"
OTHERS = tuple(life for life in LIVES if life not in POLICIES)
OFFLINE = "offline"
OF_THE_CLOUD = ("Describe", "Delete", "window Describe", CREATE)
MEANWHILE: Mapping[str, Callable[[World], None]] = {
    "L1 the user deletes it": lives.delete,
    "L4 another operator takes over": lives.take_over,
}
CLOUD: Mapping[str, Callable[[World], Meet]] = {
    "reset": lambda _: replies.lost_before,
    "done, and the answer is lost": lambda _: replies.lost_after,
    "an InternalError": refusing("InternalError"),
}
WRITES: Mapping[str, Callable[[World], Meet]] = {
    kind: {**lives.WAYS, **lives.OF_A_WRITE}[kind]
    for kind in ("K1 409", "K4 503", "K5 done, and the answer is lost", "K6 403")
}


def cases() -> Iterator[Case]:
    """All of them."""
    for life in OTHERS:
        for number, name in enumerate(recorded(life)):
            yield from _meanwhile(life, number, name)
            yield from _cloud(life, number, name)
            if name.startswith("PATCH"):
                for kind, way in WRITES.items():
                    yield _case(life, f"{kind} at effect {number}, {name}", _met(number, way))
    yield from _halves()
    yield from overtaken()


def overtaken() -> Iterator[Case]:
    """L4: one is stopped, and wakes up when another has brought the object to its end."""
    for life in LIVES:
        effects = recorded(life)
        intent, cut = effects.index("PATCH status"), effects.index(CREATE)
        for number, name in enumerate(effects[: effects.index("POST events", cut) + 1]):
            if life != OFFLINE and number <= intent:
                at = f"L4 another one calls it failed at effect {number}, {name}"
                yield replace(_case(life, at, just_before(number, _fail), (FAILED,)), cuts=0)
            if number == intent:
                at = f"L4 another one brings it to its end just after effect {number}, {name}"
                case = _case(life, at, just_after(number, _end))
                yield replace(case, asks=_asks_end)
            # Not at the first hold: who is stopped between the last look at the time and the lock
            # takes it all the same, and writers wait twice in a minute.
            if number > intent + 1:
                at = f"L4 another one brings it to its end at effect {number}, {name}"
                case = _case(life, at, just_before(number, _end))
                yield replace(case, asks=_asks_end)


def _end(world: World) -> None:
    """Let another one bring it to its end, and watch whether it stays there."""
    overtake(world)

    def see() -> None:
        body = world.body()
        stays = body is None or "deletionTimestamp" in body["metadata"] or world.done().finished
        if not stays and not world.expires_after:
            world.taken_back = True

    world.server.written.append(see)


def _asks_end(world: World) -> Iterator[tuple[str, str]]:
    if world.taken_back:
        yield "Converge", "it had come to its end, and was taken back"


def _fail(world: World) -> None:
    """For that one the disks can't have snapshots; they can when the first goes on."""
    disks = copy.deepcopy(world.cloud.disks)
    for disk_id in world.disks:
        world.cloud.disks[disk_id]["SnapshotAbility"] = False
    overtake(world)
    world.cloud.disks = disks


def _meanwhile(life: str, number: int, name: str) -> Iterator[Case]:
    for said, deed in MEANWHILE.items():
        ends = (GONE, READY) if said.startswith("L1") else ()
        at = f"{said} at effect {number}, {name}"
        yield _case(life, at, just_before(number, deed), ends)


def _cloud(life: str, number: int, name: str) -> Iterator[Case]:
    if not name.startswith(OF_THE_CLOUD):
        return
    ways = dict(CLOUD)
    if name == CREATE:
        ways |= {f"done {s} s later, unanswered": late(s) for s in (1, 60, 299, 301)}
    for kind, way in ways.items():
        yield _case(life, f"effect {number}, {name}, is {kind}", _met(number, way))


def _halves() -> Iterator[Case]:
    """One of two disks is refused for good: no snapshot is left of the other."""
    for which in range(2):
        for code in FINAL_CODES:
            name = f"disk {which + 1} of two is always refused: {code}"
            refused = partial(_refused, which=which, code=code)
            yield replace(_case(SETS, name, refused, (FAILED,)), asks=_asks_once)


def _asks_once(world: World) -> Iterator[tuple[str, str]]:
    if len(world.writers.taken) > 1:
        yield "Calm", f"writers were held {len(world.writers.taken)} times for what can't be"


def _refused(world: World, *, which: int, code: str) -> list[Fault]:
    """The requests of an attempt come in the order of its disks."""

    def meet(act: Act) -> object:
        asked = world.points.names.count(CREATE) - 1
        return world.cloud.refuse(code) if asked % len(world.disks) == which else act()

    return [Fault(meet=meet, named=CREATE, times=ALWAYS)]


def _met(number: int, way: Callable[[World], Meet]) -> Arrange:
    return partial(_fault, number=number, way=way)


def _fault(world: World, *, number: int, way: Callable[[World], Meet]) -> list[Fault]:
    return [Fault(meet=way(world), number=number)]


def _case(life: str, name: str, arrange: Arrange, ends: tuple[str, ...] = ()) -> Case:
    """A workload goes to zero once, so that what befalls it may be its object's end."""
    usual = (READY, FAILED) if life == OFFLINE else (READY,)
    return Case(
        name=f"{name}, {life}", family=BREADTH, arrange=arrange, ends=ends or usual, cuts=2,
        seconds=3 * HOUR, wide=True, spec=LIVES[life],
    )  # fmt: skip
