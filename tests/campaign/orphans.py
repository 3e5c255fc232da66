"""The deletion of orphans, if the chart asks for it (L6): of real ones alone, and of these surely.

Beside the object others go that leave snapshots: by force under Delete, which leaves the one
orphan; and as asked, given up, or spared in the last moment, whose snapshots nobody may delete.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING

from campaign import lives, replies, strays
from campaign.accounts import change_keys
from campaign.cases import READY, Case, just_after, just_before, run
from campaign.clouds import BLOCKING_CODES, PASSING_CODES
from campaign.operators import Hourly
from campaign.points import ALWAYS, Act, Fault, Killed, afterwards, first, kill_after, kill_before
from campaign.replies import GARBAGE, answered, for_a_while, refusing
from campaign.strays import DAY
from campaign.wire import Reply
from campaign.world import HOUR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from campaign.replies import Meet
    from campaign.world import World

    Befalls = Callable[[World], list[Fault]]
    Way = Callable[[World], Meet]

L6 = "L6, the deletion of orphans"
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
        stopped = just_before(number, lambda world: world.stop(DAY))
        yield _case(said, stopped, quiet=3 * DAY)


def _same(meet: Meet, _: World) -> Meet:
    return meet


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
        befalls = just_before(number, change_keys)
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
        there, orphan = world.cloud.made, strays.left_by(world, strays.TORN)
        world.cloud.made = [one for one in there if one not in orphan]
        try:
            return act()
        finally:
            world.cloud.made = there

    return meet


def _others() -> Iterator[Case]:
    """A new object of its name; another operator; and a snapshot that isn't complete yet."""
    for number, name in _sweeps().items():
        befalls = just_before(number, strays.make_anew)
        yield _case(f"one of the orphan's name is made at effect {number}, {name}", befalls)
    number = next(iter(_sweeps()))
    another = just_before(number, lives.take_over)
    yield _case("two operators see an orphan", another)
    incomplete = just_before(number, _tear_up)
    yield _case("an orphan is incomplete for a day", incomplete, quiet=2 * DAY)


def _tear_up(world: World) -> None:
    [orphan] = strays.left_by(world, strays.TORN)
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
            yield _back_case(said, just_after(number, strays.restore))
            stopped = f"{said}, when the operator was stopped for a day"
            yield _back_case(stopped, just_after(number, partial(_late_back, seconds=DAY)))
    late = f"the orphan's object is back while its deletion was stopped for {LATE_SECONDS:.0f} s"
    yield _back_case(late, just_before(deleted, partial(_late_back, seconds=LATE_SECONDS)))
    said = "the orphan's object is back after the first of two looks at all objects"
    yield _back_case(said, _back_after_first_look)
    for seconds in (0.0, DAY):
        said = f"the orphan's object is back {seconds:.0f} s after the last look at all objects"
        gone = _back_case(said, just_after(deleted - 1, partial(_late_back, seconds=seconds)))
        yield replace(gone, asks=strays.asks_what_is_lost, quiet=3 * DAY)
    for number, name in _sweeps().items():
        said = f"the orphan's object is back and asks for Retain at effect {number}, {name}"
        if number < deleted:
            yield replace(_case(said, just_before(number, strays.regret)), asks=strays.asks_kept)


def _back_case(name: str, befalls: Befalls) -> Case:
    return replace(_case(name, befalls), asks=strays.asks_back)


def _back_after_first_look(world: World) -> list[Fault]:
    """By its name: a build that lacks the second look has other numbers."""
    deleted = _deleted_at()
    begun = max(n for n, name in enumerate(_recorded()[:deleted]) if name == GO_AT)
    looks = _recorded()[:begun].count(LIST)
    return [Fault(meet=afterwards(partial(strays.restore, world)), named=LIST, skips=looks)]


def _late_back(world: World, seconds: float) -> None:
    world.stop(seconds)
    strays.restore(world)


def _at(number: int, way: Way) -> Befalls:
    return lambda world: [Fault(meet=way(world), number=number)]


def _case(
    name: str, befalls: Befalls, *, told: bool = False, quiet: float = DAY + 3 * HOUR,
    goes_with: Callable[[World], None] = lambda _: None,
) -> Case:  # fmt: skip
    """`told`: where the orphan may be left, it is told of once more."""

    def arrange(world: World) -> list[Fault]:
        world.sweep_by(Hourly(deletes_orphans=True))
        strays.furnish(world)

        def go() -> None:
            strays.go(world)
            goes_with(world)

        return [Fault(meet=first(go), named=GO_AT, skips=1), *befalls(world)]

    def asks(world: World) -> Iterator[tuple[str, str]]:
        yield from strays.asks_orphan(world, told=told)
        yield from strays.asks_others_kept(world)

    return Case(
        name=name, family=L6, arrange=arrange, ends=(READY,), quiet=quiet, wide=True, asks=asks,
        spec={"deletionPolicy": "Delete"},
    )  # fmt: skip
