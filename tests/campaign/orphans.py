"""The deletion of orphans, if the chart asks for it (L6): of real ones alone, and of these surely.

Beside the object others go that leave snapshots: by force under Delete, which leaves the one
orphan; and as asked, given up, or spared in the last moment, whose snapshots nobody may delete.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from campaign import lives, replies, situation
from campaign.accounts import change_keys
from campaign.cases import READY, Case, run
from campaign.cloud import Made, disk
from campaign.clouds import BLOCKING_CODES, PASSING_CODES
from campaign.operators import Hourly
from campaign.points import ALWAYS, Act, Fault, Killed, kill_after, kill_before
from campaign.replies import GARBAGE, answered, for_a_while, refusing
from campaign.situation import NAMESPACE
from campaign.wire import Reply
from campaign.world import HOUR
from disksnapshot.naming import GIVE_UP
from disksnapshot.reasons import Reason
from disksnapshot.sight import Key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from campaign.replies import Meet
    from campaign.world import World

    Befalls = Callable[[World], list[Fault]]
    Way = Callable[[World], Meet]

L6 = "L6, the deletion of orphans"
DAY = 24 * HOUR
TORN = Key(NAMESPACE, "torn")
RETAINED, SPARED, GIVEN_UP = (Key(NAMESPACE, name) for name in ("retained", "spared", "given-up"))
POLICIES = {TORN: "Delete", RETAINED: "Retain", SPARED: "Delete", GIVEN_UP: "Delete"}
UIDS = {key: f"{number}0000000-dddd-6789-abcd-ef0123456789" for number, key in enumerate(POLICIES)}
NEW_UID = "f0000000-dddd-6789-abcd-ef0123456789"  # of another object of the orphan's name
MINUTE, LATE_SECONDS = 60.0, 301.0  # a request is valid for 300
GO_AT = "sweep DescribeSnapshots"  # before the second one, an hour after the start
LIST, DELETE = "sweep GET object", "sweep DeleteSnapshots"


def cases() -> Iterator[Case]:
    """All of them."""
    yield _peace()
    yield from _unseen()
    yield from _kills()
    yield from _answers()
    yield from _listings()
    yield from _others()
    yield from _back()


def _peace() -> Case:
    return _case("an orphan is deleted after a day, and nothing else is", lambda _: [])


@cache
def _recorded() -> tuple[str, ...]:
    return tuple(run(_peace()).effects)


def _sweeps() -> dict[int, str]:
    """Return the effects of the sweeps that matter: when they go, and when it is deleted."""
    sweeps = [number for number, name in enumerate(_recorded()) if name.startswith("sweep ")]
    went, deleted = sweeps.index(_went_at()), sweeps.index(_deleted_at())
    around = [*sweeps[went + 1 : went + 8], *sweeps[deleted - 4 : deleted + 3]]
    return {number: _recorded()[number] for number in around}


def _went_at() -> int:
    first = _recorded().index(GO_AT)
    return _recorded().index(GO_AT, first + 1)


def _deleted_at() -> int:
    return _recorded().index(DELETE)


def _unseen() -> Iterator[Case]:
    """Nobody saw how they went: then nothing is deleted, and the orphan is told of."""

    def blind(world: World) -> None:
        world.silent_until = world.clock.seconds + 2 * MINUTE

    def dead(_: World) -> None:
        raise Killed

    for said, deed in (("the watch is blind", blind), ("the operator dies", dead)):
        yield _case(f"{said} as an orphan comes about", lambda _: [], told=True, goes_with=deed)


def _kills() -> Iterator[Case]:
    """At each effect of those sweeps; and it is stopped there for a day."""
    for number, name in _sweeps().items():
        for when, meet in (("before", kill_before), ("after", kill_after)):
            said = f"killed {when} effect {number}, {name}, with an orphan"
            yield _case(said, _at(number, partial(_same, meet)), told=True)
        said = f"stopped for a day before effect {number}, {name}, with an orphan"
        yield _case(said, _at(number, _stopped), quiet=3 * DAY)


def _same(meet: Meet, _: World) -> Meet:
    return meet


def _stopped(world: World) -> Meet:
    return _first(lambda world: world.stop(DAY), world)


def _answers() -> Iterator[Case]:
    """Of the cloud and of the API server, at each effect of the sweep that deletes."""
    deleted = _deleted_at()
    of_the_cloud: Mapping[str, Way] = {
        "unanswered": lambda world: replies.silent(world.clock, 5),
        "reset": lambda _: replies.lost_before,
        "done, and the answer is lost": lambda _: replies.lost_after,
        "answered late": lambda world: replies.late(world.clock, 4),
        **{kind: partial(_same, answered(reply)) for kind, reply in GARBAGE.items()},
        **{code: refusing(code) for code in (*PASSING_CODES, *BLOCKING_CODES)},
    }
    for number in range(deleted - 3, deleted + 1):
        name = _recorded()[number]
        ways = lives.WAYS if name == LIST else of_the_cloud
        for kind, way in ways.items():
            yield _case(f"the orphans' sweep, effect {number}, {name}: {kind}", _at(number, way))
    for code in BLOCKING_CODES:
        befalls = _for_ten_hours(DELETE, refusing(code), skips=0)
        yield _case(f"an orphan's deletion: {code} for ten hours", befalls, quiet=2 * DAY)
    away = _for_ten_hours(LIST, lives.WAYS["K4 503"], skips=2)
    yield _case("the API server is away for ten hours from the orphans", away, quiet=2 * DAY)


def _for_ten_hours(name: str, way: Way, *, skips: int) -> Befalls:
    def befalls(world: World) -> list[Fault]:
        meet = for_a_while(world.clock, 10 * HOUR, way(world))
        return [Fault(meet=meet, named=name, skips=skips, times=ALWAYS)]

    return befalls


def _listings() -> Iterator[Case]:
    """A list lacks what is there: by other keys, between two pages, or of all objects."""
    for number, name in _sweeps().items():
        at = f"from effect {number}, {name}"
        befalls = _at(number, lambda world: _first(change_keys, world))
        yield _case(f"keys of another account {at}, with an orphan", befalls, quiet=3 * DAY)
        if name == GO_AT:
            unlisted = _at(number, _without_the_orphan)
            yield _case(f"one listing lacks the orphan, effect {number}", unlisted, quiet=3 * DAY)
    none = {"metadata": {"resourceVersion": "1"}, "items": []}

    def empty(_: World) -> list[Fault]:
        meet = answered(Reply.of(none))
        return [Fault(meet=meet, named=LIST, skips=2, times=ALWAYS)]

    yield _case("the API server lists no object for a day", empty)


def _without_the_orphan(world: World) -> Meet:
    def meet(act: Act) -> object:
        there, orphan = world.cloud.made, _of(world, TORN)
        world.cloud.made = [one for one in there if one not in orphan]
        try:
            return act()
        finally:
            world.cloud.made = there

    return meet


def _others() -> Iterator[Case]:
    """A new object of its name; another operator; and a snapshot that isn't complete yet."""
    for number, name in _sweeps().items():
        befalls = _at(number, lambda world: _first(_make_anew, world))
        yield _case(f"one of the orphan's name is made at effect {number}, {name}", befalls)
    number = next(iter(_sweeps()))
    another = _at(number, lambda world: _first(lives.take_over, world))
    yield _case("two operators see an orphan", another)
    incomplete = _at(number, lambda world: _first(_tear_up, world))
    yield _case("an orphan is incomplete for a day", incomplete, quiet=2 * DAY)


def _make_anew(world: World) -> None:
    spec = {"deletionPolicy": "Delete"}
    world.server.put(situation.path(TORN), situation.snapshot(TORN, spec, NEW_UID))


def _tear_up(world: World) -> None:
    [orphan] = _of(world, TORN)
    orphan.state = "CREATING"

    def complete() -> None:
        if world.clock.seconds >= DAY + 5 * HOUR:
            orphan.state = ""

    world.clock.passing.append(complete)


def _back() -> Iterator[Case]:
    """The object is restored, uid and all: then its snapshot is no orphan any more."""
    deleted = _deleted_at()
    for number, name in _sweeps().items():
        if number < deleted - 1:
            said = f"the orphan's object is back after effect {number}, {name}"
            yield _back_case(said, number, _after(_restore))
            stopped = f"{said}, when the operator was stopped for a day"
            yield _back_case(stopped, number, _after(lambda world: _late_back(world, DAY)))
    late = f"the orphan's object is back while its deletion was stopped for {LATE_SECONDS:.0f} s"
    yield _back_case(late, deleted, lambda w: _first(lambda w: _late_back(w, LATE_SECONDS), w))
    said = "the orphan's object is back after the first of two looks at all objects"
    yield replace(_case(said, _back_after_first_look), asks=_asks_back)
    for seconds in (0.0, DAY):
        said = f"the orphan's object is back {seconds:.0f} s after the last look at all objects"
        gone = _back_case(said, deleted - 1, _after(partial(_late_back, seconds=seconds)))
        yield replace(gone, asks=_asks_what_is_lost, quiet=3 * DAY)
    for number, name in _sweeps().items():
        said = f"the orphan's object is back and asks for Retain at effect {number}, {name}"
        if number < deleted:
            yield replace(_case(said, _at(number, lambda w: _first(_regret, w))), asks=_asks_kept)


def _back_case(name: str, number: int, way: Way) -> Case:
    return replace(_case(name, _at(number, way)), asks=_asks_back)


def _back_after_first_look(world: World) -> list[Fault]:
    """By its name: a build that lacks the second look has other numbers."""
    deleted = _deleted_at()
    begun = max(n for n, name in enumerate(_recorded()[:deleted]) if name == GO_AT)
    looks = _recorded()[:begun].count(LIST)
    return [Fault(meet=_after(_restore)(world), named=LIST, skips=looks)]


def _after(deed: Callable[[World], None]) -> Way:
    def way(world: World) -> Meet:
        def meet(act: Act) -> object:
            answer = act()
            deed(world)
            return answer

        return meet

    return way


def _restore(world: World) -> None:
    [body] = [one for one in world.server.gone if one["metadata"]["uid"] == UIDS[TORN]][:1]
    body = copy.deepcopy(body)
    del body["metadata"]["deletionTimestamp"]
    world.server.put(situation.path(TORN), body)


def _late_back(world: World, seconds: float) -> None:
    world.stop(seconds)
    _restore(world)


def _regret(world: World) -> None:
    """It is back for a moment in which its owner asks for Retain, and deletes it."""
    _restore(world)
    world.server.edit(situation.path(TORN), deletionPolicy="Retain")
    world.server.delete(situation.path(TORN))
    world.tell_gone()


def _at(number: int, way: Way) -> Befalls:
    return lambda world: [Fault(meet=way(world), number=number)]


def _case(
    name: str, befalls: Befalls, *, told: bool = False, quiet: float = DAY + 3 * HOUR,
    goes_with: Callable[[World], None] = lambda _: None,
) -> Case:  # fmt: skip
    """`told`: where the orphan may be left, it is told of once more."""

    def arrange(world: World) -> list[Fault]:
        world.sweep_by(Hourly(deletes_orphans=True))
        _furnish(world)

        def go(world: World) -> None:
            _go(world)
            goes_with(world)

        return [Fault(meet=_first(go, world), named=GO_AT, skips=1), *befalls(world)]

    def asks(world: World) -> Iterator[tuple[str, str]]:
        yield from _orphan(world, told=told)
        yield from _kept(world)

    return Case(
        name=name, family=L6, arrange=arrange, ends=(READY,), quiet=quiet, wide=True, asks=asks,
        spec={"deletionPolicy": "Delete"},
    )  # fmt: skip


def _furnish(world: World) -> None:
    """Put those that will go there, and a snapshot of another cluster with marks like ours."""
    for number, (key, policy) in enumerate(POLICIES.items()):
        disk_id = f"disk-{number:08}"
        world.cloud.disks[disk_id] = disk(disk_id)
        situation.put(world.server, key, UIDS[key], disk_id, {"deletionPolicy": policy})
        world.keys.append(key)
    world.others.append(UIDS[TORN])
    world.cloud.made.append(_of_another_cluster())


def _of_another_cluster() -> Made:
    marks = {"cluster": "cluster-2", "uid": UIDS[TORN], "policy": "Delete", "name": TORN.name}
    return Made(
        id="snap-ffffffff", name="shop-torn-ffffffffff-1", disk_id="disk-00000000",
        tags={f"disksnapshot.io/{name}": value for name, value in marks.items()}, at=0.0,
        held=False, creation_seconds=0.0, listed_after=0.0, foreign=True,
    )  # fmt: skip


def _first(deed: Callable[[World], None], world: World) -> Meet:
    def meet(act: Act) -> object:
        deed(world)
        return act()

    return meet


def _go(world: World) -> None:
    """All go: by force; as asked; by force, but to be kept; and given up."""
    server, given_up = world.server, situation.path(GIVEN_UP)
    server.edit(situation.path(SPARED), deletionPolicy="Retain")
    server.objects[given_up]["metadata"]["annotations"] = {GIVE_UP: UIDS[GIVEN_UP]}
    for key in (TORN, SPARED):
        server.unmark(situation.path(key))
    for key in POLICIES:
        server.delete(situation.path(key))


def _of(world: World, key: Key) -> list[Made]:
    return [one for one in world.cloud.ever if f"-{key.name}-" in one.name]


def _orphan(world: World, *, told: bool) -> Iterator[tuple[str, str]]:
    """It is deleted in the end, after a day; `told`: or else who runs now has told of it."""
    orphan = _of(world, TORN)[0]
    if orphan.gone_from is None and not (told and _is_told(world.server.events[world.said :])):
        yield "Converge", "the orphan is there for ever"
    if not _is_told(world.server.events):
        yield "Tracked", "nobody was told of the orphan"
    if orphan.gone_from is not None and orphan.gone_from < HOUR + DAY:
        yield "Ours", f"the orphan was deleted after {orphan.gone_from:.0f} s"


def _is_told(events: list[dict[str, Any]]) -> bool:
    orphaned = [event for event in events if event["reason"] == Reason.ORPHANED]
    return any(event["involvedObject"]["uid"] == UIDS[TORN] for event in orphaned)


def _kept(world: World) -> Iterator[tuple[str, str]]:
    for key in (RETAINED, SPARED, GIVEN_UP):
        yield from _asks_there(world, _of(world, key)[0])


def _asks_there(world: World, one: Made) -> Iterator[tuple[str, str]]:
    if one.gone_from is not None or one not in world.cloud.made:
        yield "Ours", f"{one.name} was deleted"


def _asks_back(world: World) -> Iterator[tuple[str, str]]:
    """What is back has its snapshot, and is called what it is."""
    yield from _asks_kept(world)
    if world.done(TORN).ready != "True":
        yield "Converge", "the object that is back isn't Ready"


def _asks_kept(world: World) -> Iterator[tuple[str, str]]:
    yield from _asks_there(world, _of(world, TORN)[0])
    yield from _kept(world)


def _asks_what_is_lost(world: World) -> Iterator[tuple[str, str]]:
    """The deletion was on its way: then nobody may call it Ready."""
    yield from _kept(world)
    if world.done(TORN).reason != Reason.SNAPSHOT_LOST:
        yield "True", f"it is called {world.done(TORN).reason}, and its snapshot was deleted"
