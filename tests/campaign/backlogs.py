"""Deletions that wait for the operator (L6): a hundred objects go while it is down for an hour."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from campaign import crowds, situation
from campaign.cases import ASKED_IN_PEACE, READY, Case
from campaign.clouds import BLOCKING_CODES
from campaign.points import ALWAYS, Act, Fault, Killed, Over, kill_after, kill_before
from campaign.replies import for_a_while, lost_after, refusing
from campaign.situation import NAMESPACE
from campaign.world import HOUR
from disksnapshot.sight import Key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from campaign.replies import Meet
    from campaign.world import World

    Befalls = Callable[[World, Fault], Fault]  # it comes after the operator was down

L6 = "L6, a hundred deletions that wait for the operator"
GOING = [Key(NAMESPACE, f"going-{number:03}") for number in range(100)]
STAYING = [Key(NAMESPACE, f"staying-{number:03}") for number in range(10)]
DOWN_SECONDS = HOUR
LATEST_SECONDS = 2 * HOUR  # until the last one is gone that is refused for an hour
LOOKED_IN_PEACE = ASKED_IN_PEACE + 2  # for one: before it is asked for, each time, and after
DELETE, LOOK = "DeleteSnapshots", "DescribeSnapshots"
KILLED_AT = 50  # the effect of a name, after the operator was down
REFUSALS = (BLOCKING_CODES[0], "InternalError", "UnauthorizedOperation")
TRIES_AN_HOUR = 65  # of what waiting may mend; of what a person has to mend, a dozen
IN_ITS_LIFE = 5  # calls of a name that the object under test has made before


def cases() -> Iterator[Case]:
    """By itself; with a cloud that refuses, or loses answers; with one more kill among them."""
    yield _case("", None)
    yield _case(", each tenth is refused", _each_tenth(refusing("InternalError")))
    yield _case(", each tenth answer is lost", _each_tenth(lambda _: lost_after))
    for code in REFUSALS:
        yield _case(f", {code} from the thirtieth on for an hour", _for_an_hour(code))
    for effect in (DELETE, LOOK, "PATCH object"):
        for when, meet in (("before", kill_before), ("after", kill_after)):
            said = f", and it is killed {when} number {KILLED_AT} of {effect}"
            yield _case(said, _killed(effect, meet))


def _case(then: str, befalls: Befalls | None) -> Case:
    def arrange(world: World) -> list[Fault]:
        crowds.make(world, [*GOING, *STAYING])
        down = Fault(meet=_down(world), named=DELETE)
        return [down, *([befalls(world, down)] if befalls else [])]

    return Case(
        name=f"a hundred are deleted while the operator is down for an hour{then}", family=L6,
        arrange=arrange, ends=(READY,), wide=True, asks=_asks, spec={"deletionPolicy": "Delete"},
    )  # fmt: skip


def _down(world: World) -> Meet:
    """It dies when the object's own deletion has begun; the others are deleted one by one."""

    def meet(_: Act) -> object:
        for key in GOING:
            world.server.delete(situation.path(key))
            world.stop(DOWN_SECONDS / len(GOING))
        world.counted.update(GOING)
        raise Killed

    return meet


def _each_tenth(way: Callable[[World], Meet]) -> Befalls:
    def befalls(world: World, down: Fault) -> Fault:
        asked, befall = iter(range(ALWAYS)), way(world)

        def meet(act: Act) -> object:
            if next(asked) % 10 != 0:
                raise Over
            return befall(act)

        return Fault(meet=meet, named=DELETE, times=ALWAYS, after=down)

    return befalls


def _for_an_hour(code: str) -> Befalls:
    def befalls(world: World, down: Fault) -> Fault:
        meet = for_a_while(world.clock, HOUR, refusing(code)(world))
        return Fault(meet=meet, named=DELETE, times=ALWAYS, skips=29, after=down)

    return befalls


def _killed(effect: str, meet: Meet) -> Befalls:
    return lambda _, down: Fault(meet=meet, named=effect, skips=KILLED_AT - 1, after=down)


def _asks(world: World) -> Iterator[tuple[str, str]]:
    """All are gone, each of their snapshots was deleted once, and those that stay have theirs."""
    world.run(lambda: not any(map(world.body, GOING)), LATEST_SECONDS)
    if left := [key.name for key in GOING if world.body(key)]:
        yield "Converge", f"{', '.join(left)} never went"
    deleted = Counter(one.name for one in world.cloud.deleted if "-going-" in one.name)
    if len(deleted) != len(GOING) or set(deleted.values()) != {1}:
        yield "Tracked", f"{deleted.total()} deletions of {len(deleted)} snapshots"
    yield from _staying(world)
    yield from _calls(world)


def _staying(world: World) -> Iterator[tuple[str, str]]:
    if any("-staying-" in one.name for one in (*world.cloud.deleted, *world.cloud.ended)):
        yield "Ours", "a snapshot of one that stays was deleted"
    if any(world.done(key).ready != "True" for key in STAYING):
        yield "Isolated", "one that stays is no longer Ready"


def _calls(world: World) -> Iterator[tuple[str, str]]:
    """As many as for each one alone: once more where it was refused, and all after a kill."""
    fired = sum(fault.fired for fault in world.points.faults)
    lives = world.deaths * (len(GOING) + 1)  # the first death was before them all
    for name, each in ((DELETE, ASKED_IN_PEACE), (LOOK, LOOKED_IN_PEACE)):
        most = each * lives + fired + IN_ITS_LIFE
        if (asked := world.points.names.count(name)) > most:
            yield "Calm", f"{asked} calls of {name}, where {most} would do"
    if (most := TRIES_AN_HOUR * len(GOING)) < fired:
        yield "Calm", f"{fired} tries of what is refused, where {most} would do"
