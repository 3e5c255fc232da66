"""A case: one fault (or two) in one life of an object, and what that life must come to."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from campaign import situation
from campaign.cloud import VALID_SECONDS
from campaign.oracles import ATTEMPTS, Oracles
from campaign.points import Act, Fault, afterwards, first
from campaign.situation import SUBJECT
from campaign.world import HOUR, World
from disksnapshot.reasons import Reason

READY, FAILED, GONE, WAITS = "Ready", "failed", "gone", "waits"
ASKED_IN_PEACE = 2  # to delete one, which the cloud in memory goes on listing for 4 s
LONGEST_KEPT = 4 * 86400.0  # by what a case asks for
QUIET_SECONDS = 600.0  # longer than a request is valid, with its lag

Arrange = Callable[[World], list[Fault]]


@dataclass(frozen=True, kw_only=True)
class Case:
    """`arrange` returns its faults, each of which has to fire.

    `ends` are the ends that are right; `cuts` is how many snapshots may be made at most: one more
    than without the fault only where a cut was made whose proof is lost.
    """

    name: str
    family: str
    arrange: Arrange
    ends: tuple[str, ...] = (READY,)
    cuts: int = 1
    spec: dict[str, Any] = field(default_factory=dict)
    seconds: float = 2 * HOUR  # for the way to its end
    quiet: float = QUIET_SECONDS  # in which it stays at its end, before it is deleted
    called: str = ""  # what its snapshot has to be called when it is Ready
    says: str = ""  # words that a person must have been told by the end, in a status or the log
    asks: Callable[[World], Iterable[tuple[str, str]]] = lambda _: ()  # what it alone breaks
    wide: bool = False  # it befalls the whole account or cluster, so the neighbour waits too


def of_policy(
    name: str, arrange: Arrange, ends: tuple[str, ...], policy: str = "Delete",
    *, family: str, seconds: float = 3 * HOUR, wide: bool = False,
) -> Case:  # fmt: skip
    """Return a case whose object has a deletion policy, with time for what lasts."""
    return Case(
        name=name, family=family, arrange=arrange, ends=ends, seconds=seconds, wide=wide,
        spec={"deletionPolicy": policy},
    )  # fmt: skip


def just_before(number: int, deed: Callable[[World], None]) -> Arrange:
    """Let somebody else do something just before an effect."""
    return lambda world: [Fault(meet=first(partial(deed, world)), number=number)]


def just_after(number: int, deed: Callable[[World], None]) -> Arrange:
    """Let somebody else do something just after an effect."""
    return lambda world: [Fault(meet=afterwards(partial(deed, world)), number=number)]


def deletion(world: World, after: Fault, looks: int = 0) -> Fault:
    """Let the user delete it at a look after another fault, so many looks later."""
    deleted = first(partial(world.server.delete, situation.path(SUBJECT)))
    return Fault(meet=deleted, named="GET object", skips=looks, after=after)


def losing(world: World) -> Callable[[Act], object]:
    """Let the database's server end all holds just before an effect."""
    return first(world.writers.lose)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What one case came to."""

    case: Case
    fired: int
    unfired: int
    end: str
    violations: dict[str, list[str]]
    longest_hold: float
    effects: list[str]

    @property
    def trouble(self) -> list[str]:
        """Return why this case is no proof of anything, or what it has found."""
        wrong = [f"{name}: {how}" for name, hows in self.violations.items() for how in hows]
        return [*(["its fault did not fire"] if self.unfired else []), *wrong]


def run(case: Case) -> Seen:
    """Live the whole life: to its end, a quiet while, its deletion, and what comes after."""
    world = World(case.name, **case.spec)
    oracles = Oracles(world)
    world.points.faults = case.arrange(world)
    with _listening(world):
        end = _live(world, oracles, case)
        if case.wide:  # what befalls all may outlast the life of one
            world.run(lambda: oracles.neighbour_was_ready, 2 * HOUR)
        oracles.end(wide=case.wide)
        oracles.heard(case.says)
        for guarantee, how in case.asks(world):
            oracles.broken(guarantee, how)
        _count_deletions(world, oracles)
        _count(world, oracles, case, end)
        oracles.orphans()
    unfired = [fault for fault in world.points.faults if not (fault.fired or fault.may_miss)]
    return Seen(
        case=case,
        fired=sum(fault.fired for fault in world.points.faults),
        unfired=len(unfired),
        end=end,
        violations=oracles.violations,
        longest_hold=world.writers.longest,
        effects=world.points.names,
    )


def _live(world: World, oracles: Oracles, case: Case) -> str:
    world.run(lambda: _end(world) != WAITS, case.seconds)
    end = _end(world)
    if end not in case.ends:
        said = f": {world.done().reason}: {world.done().message}" if world.body() else ""
        oracles.broken("Converge", f"it {end} instead of {' or '.join(case.ends)}{said}")
    _stay(world, oracles, case, end)
    if end == READY and world.body():
        _require_names(world, oracles, case)
    if end == READY and world.expires_after and not _goes(world):
        _expire(world, oracles, case)
    elif end == READY and world.body():
        oracles.deleted()
    return _remove(world, oracles, case, end)


def _require_names(world: World, oracles: Oracles, case: Case) -> None:
    """What is Ready says of which snapshot, and what that holds: no more and no less."""
    done = world.done()
    if not (done.snapshots and done.consistency):
        oracles.broken("True", "it is called Ready, and not which snapshot, or what it holds")
    if case.called not in {"", done.consistency}:
        oracles.broken("True", f"it is called {done.consistency or 'nothing'}, not {case.called}")


def _remove(world: World, oracles: Oracles, case: Case, end: str) -> str:
    """Delete it, and see it go; if one of its name was made anew, that has a life as well."""
    uids = len(world.uids)
    if world.body():
        oracles.policy_at_deletion = world.policy
        world.server.delete(situation.path(SUBJECT))
    if not world.run(lambda: world.body() is None or len(world.uids) > uids):
        oracles.broken("Converge", f"it is never gone: {world.done().message}")
    world.run(lambda: len(world.uids) > uids, QUIET_SECONDS)
    return _live(world, oracles, case) if len(world.uids) > uids else end


def _end(world: World) -> str:
    body = world.body()
    if body is None:
        return GONE
    done = world.done()
    if _goes(world) or not done.finished:
        return WAITS
    return READY if done.ready == "True" else FAILED


def _goes(world: World) -> bool:
    body = world.body()
    return body is None or "deletionTimestamp" in body["metadata"]


def _stay(world: World, oracles: Oracles, case: Case, end: str) -> None:
    """What has come to its end stays there, and is written no more."""
    if end not in {READY, FAILED}:
        return
    world.run(lambda: False, 120)  # the finalizer may still come off, or on
    if GONE in case.ends and _goes(world):
        # Just when it had become Ready; it may wait as long as whatever hinders it lasts.
        if not world.run(lambda: world.body() is None, case.seconds):
            oracles.broken("Converge", f"it is never gone: {world.done().message}")
        return
    before = world.server.version(situation.path(SUBJECT))
    world.run(lambda: False, case.quiet)
    if world.server.version(situation.path(SUBJECT)) != before:
        oracles.broken("Converge", "it is written again and again, though it has ended")
    if _end(world) != end:
        oracles.broken("Converge", f"it was {end}, and is {_end(world)}")


def _expire(world: World, oracles: Oracles, case: Case) -> None:
    """Its time passes: its snapshot is deleted, and the object stays to say so."""
    [cut] = oracles.of(world.uids[-1])
    world.run(lambda: not world.body() or world.done().ready != "True", LONGEST_KEPT + 2 * HOUR)
    seconds = world.expires_after
    if seconds is None or _goes(world):  # it is to be kept after all, or is deleted first
        return
    if world.clock.seconds < cut.at + seconds - VALID_SECONDS:
        oracles.broken("Ours", "its snapshot was to be kept for longer")
    world.run(lambda: _end(world) == FAILED, 2 * HOUR)
    if _goes(world) and GONE in case.ends:
        return
    if world.body() is None or world.done().reason != Reason.EXPIRED:
        oracles.broken("Converge", "it is not called expired")
    if any(map(oracles.is_left, oracles.of(world.uids[-1]))):
        oracles.broken("Tracked", "it is called expired, and its snapshot is there")


def _count(world: World, oracles: Oracles, case: Case, end: str) -> None:
    """Creates and deletes are those of the life without a fault."""
    made = [one.disk_id for one in world.cloud.ever if one.name.startswith("shop-orders-")]
    for disk_id, cuts in Counter(made).items():
        if cuts > case.cuts:
            oracles.broken("One", f"{cuts} snapshots of {disk_id}, where {case.cuts} would do")
    asked = [what for action, what in world.cloud.calls if action == "CreateSnapshot"]
    if any(asked.count(disk_id) > ATTEMPTS for disk_id in world.disks):
        oracles.broken("Calm", f"a snapshot was asked for {len(asked)} times")
    left = sum(bool(one.tags) for one in oracles.of(world.uids[-1]))
    if not world.cloud.tags_stick:
        return  # it stays, and that must have been said
    whole = len(world.disks)
    wanted = {0} if world.policy == "Delete" or end == FAILED else {whole}
    if world.expires_after:
        wanted = {0}
        # Deleted before its time: what is kept then has an end that the cloud knows.
        ending = [one for one in oracles.of(world.uids[-1]) if one.deadline is not None]
        left -= len(ending) if GONE in case.ends else 0
    if end in {GONE, WAITS} and world.policy != "Delete":
        wanted = {0, whole}  # it was not Ready: what was cut by then is kept
    if oracles.policy_at_deletion not in {"", world.policy}:
        wanted = {*range(whole + 1)}  # the policy was changed while it was being heeded
    if left not in wanted:
        oracles.broken("Tracked", f"{left} snapshots are left, and {wanted} would be right")


def _count_deletions(world: World, oracles: Oracles) -> None:
    """No more than in the life without a fault, and one more a fault; each operator for itself."""
    fired = sum(fault.fired for fault in world.points.faults)
    in_peace = ASKED_IN_PEACE * len(world.operators)
    for snapshot_id, times in Counter(world.cloud.took).items():
        if times > in_peace + fired:
            oracles.broken("Calm", f"{times} times it was asked to delete {snapshot_id}")


@contextmanager
def _listening(world: World) -> Iterator[None]:
    logger = logging.getLogger("disksnapshot")
    level = logger.level
    logger.addHandler(world.heard)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(world.heard)
        logger.setLevel(level)
