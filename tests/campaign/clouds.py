"""Faults of the cloud: N1 to N10 at each kind of call, and the states of Q1 to Q8."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from campaign import replies, situation
from campaign.cases import FAILED, GONE, READY, WAITS, Arrange, Case
from campaign.cloud import Made, disk
from campaign.deaths import POLICIES
from campaign.points import Act, Fault, kill_after
from campaign.replies import GARBAGE, answered, for_a_while
from campaign.situation import DISKS, SUBJECT
from campaign.window import Silence
from campaign.wire import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from campaign.replies import Meet
    from campaign.world import World

CREATE = "window CreateSnapshot"
CALLS = (
    "DescribeDisks", "DescribeSnapshots", "DeleteSnapshots", "window DescribeSnapshots",
)  # fmt: skip
PASSING_CODES = (
    "RequestLimitExceeded", "InternalError", "ResourceUnavailable", "FailedOperation",
    "AuthFailure.SignatureExpire", "AuthFailure.SecretIdNotFound", "AuthFailure.TokenFailure",
    "UnauthorizedOperation", "SomethingThat.NobodyDocuments",
)  # fmt: skip
# Of CreateSnapshot: what ends the object, and what costs an attempt.
FINAL_CODES = ("InvalidDisk.NotSupportSnapshot", "InvalidParameter", "InvalidDiskId.NotFound")
MINUTE, HOUR = 60.0, 3600.0
ALWAYS = 10**6


def cases() -> Iterator[Case]:
    """All of them."""
    yield from creations()
    yield from calls()
    yield from flights()
    yield from lags()
    yield from unmarked()
    yield from states()


def creations() -> Iterator[Case]:
    """N1 to N5 and N7, N8 at the request for a snapshot: it may have acted, or may still act."""
    for policy in POLICIES:
        for seconds in (1, 60, 299, 301):
            yield _at(CREATE, f"acts {seconds} s later, unanswered", _late(seconds), policy)
        ways: Mapping[str, Callable[[World], Meet]] = {
            "never runs, unanswered": lambda w: replies.silent(w.clock, 2),
            "reset before it was sent": lambda _: replies.lost_before,
            "runs, and the answer is lost": lambda _: replies.lost_after,
            "runs, answered with no id": _runs_answering({"SnapshotId": None}),
            "runs, answered with nothing": _runs_answering({}),
            "runs, and is called a failure": _runs_answering({"Error": {"Code": "InternalError"}}),
        }
        for name, way in ways.items():
            yield _at(CREATE, name, way, policy)
        for name, reply in GARBAGE.items():
            yield _at(CREATE, f"{name}, and it ran", _runs_replying(reply), policy)
            yield _at(CREATE, f"{name}, and it didn't run", _replying(reply), policy)
    for code in PASSING_CODES:
        yield _at(CREATE, code, _code(code), "Delete", ends=(READY, FAILED))
    for code in FINAL_CODES:
        yield _at(CREATE, code, _code(code), "Delete", ends=(FAILED,))


def calls() -> Iterator[Case]:
    """The same at every other call: once, for a minute, and for an hour."""
    for name in CALLS:
        ways: Mapping[str, Callable[[World], Meet]] = {
            "unanswered": lambda w: replies.silent(w.clock, 5),
            "reset": lambda _: replies.lost_before,
            "done, and the answer is lost": lambda _: replies.lost_after,
            "answered late": lambda w: replies.late(w.clock, 4),
            **{kind: _replying(reply) for kind, reply in GARBAGE.items()},
            **{code: _code(code) for code in PASSING_CODES},
        }
        for kind, way in ways.items():
            yield _at(name, kind, way, "Delete")
            if not name.startswith("window"):
                yield _lasting(name, kind, way, MINUTE)
    for name in CALLS[:3]:
        for code in PASSING_CODES:
            yield _lasting(name, code, _code(code), HOUR)


def flights() -> Iterator[Case]:
    """The user deletes it while its request may still act; and once more with a kill between."""
    for policy in POLICIES:
        for seconds in (1, 60, 299, 301):
            for killed in (False, True):
                yield _flight(policy, seconds, killed=killed)


def _flight(policy: str, seconds: float, *, killed: bool) -> Case:
    def arrange(world: World) -> list[Fault]:
        def delete(act: Act) -> object:
            world.server.delete(situation.path(SUBJECT))
            return act()

        flies = Fault(meet=_late(seconds)(world), named=CREATE)
        deleted = Fault(meet=delete, named="GET object", after=flies)
        dies = Fault(meet=kill_after, named="GET object", after=deleted)
        return [flies, deleted, *([dies] if killed else [])]

    then = ", and killed" if killed else ""
    name = f"deleted while a request acts {seconds} s later{then}, {policy}"
    return _case(name, arrange, (GONE,), policy)


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
                return [Fault(meet=way, named=CREATE) if way else _noticed(CREATE)]

            yield _case(f"the tags don't stick{said}, {policy}", arrange, (READY,), policy, Q)


def lags() -> Iterator[Case]:
    """N10, within the promise: a new snapshot is listed up to a minute late."""
    for policy in POLICIES:
        for seconds in (5, 30, 59):
            for name, way in (
                ("answered", None),
                ("unanswered", replies.lost_after),
                ("killed after it", "kill"),
            ):
                yield _lag(policy, seconds, name, way)


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
            return [_noticed("DescribeDisks")]

        yield _case(f"the disk {name}", arrange, ends, seconds=HOUR, family=Q)
    yield from _crowded()


N, Q = "N1-N10, the cloud's answers", "Q1-Q8, disks and snapshots"


def _crowded() -> Iterator[Case]:
    def quota(world: World) -> list[Fault]:
        refused = _code("InsufficientSnapshotQuota")(world)
        return [Fault(meet=for_a_while(world.clock, HOUR, refused), named=CREATE, times=ALWAYS)]

    def busy(world: World) -> list[Fault]:
        _foreign(world, "auto-policy", {}, creation=300.0)
        return [_noticed("DescribeSnapshots")]

    def namesake(world: World) -> list[Fault]:
        _foreign(world, "shop-orders-0a1b2c3d4e-1x", {"team": "other"})
        _foreign(world, "copy of shop-orders-0a1b2c3d4e-1", {})
        return [_noticed("DescribeSnapshots")]

    def other_cluster(world: World) -> list[Fault]:
        marks = {"disksnapshot.io/cluster": "cluster-2", "disksnapshot.io/uid": "another"}
        _foreign(world, "shop-orders-ffffffffff-1", marks)
        return [_noticed("DescribeSnapshots")]

    yield _case("the quota is used up for an hour", quota, (READY,), family=Q, wide=True)
    yield _case("another snapshot of the disk is in creation", busy, (READY,), family=Q)
    yield _case("others' snapshots have names like ours", namesake, (READY,), family=Q)
    yield _case("another cluster's snapshot is on the disk", other_cluster, (READY,), family=Q)
    for policy in POLICIES:
        yield _case(f"somebody deletes it in creation, {policy}", _vanishes, (FAILED,), policy, Q)
        yield _case(
            f"it is stuck in creation for an hour, {policy}",
            _stuck,
            (READY,),
            policy,
            Q,
            wide=True,
        )
        yield _case(
            f"NORMAL comes before it is complete, {policy}", _early, (READY,), policy, Q, wide=True
        )


def _vanishes(world: World) -> list[Fault]:
    def meet(act: Act) -> object:
        for one in list(world.cloud.made):
            if one.disk_id == DISKS[SUBJECT]:
                world.cloud.vanish(one.id)
        return act()

    return [Fault(meet=meet, named="DescribeSnapshots", skips=3)]


def _stuck(world: World) -> list[Fault]:
    world.cloud.creation_seconds = HOUR
    return [_noticed("DescribeSnapshots")]


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


def _noticed(name: str) -> Fault:
    """The state is there from the beginning; it has fired when the operator asks for it."""
    return Fault(meet=lambda act: act(), named=name)


def _lag(policy: str, seconds: int, name: str, way: Any) -> Case:
    def arrange(world: World) -> list[Fault]:
        world.cloud.listed_after = seconds
        if way is None:
            return [_noticed(CREATE)]
        return [Fault(meet=kill_after if way == "kill" else way, named=CREATE)]

    return _case(
        f"listed {seconds} s late, {name}, {policy}", arrange, (READY,), policy, wide=True
    )


def _late(seconds: float) -> Callable[[World], Meet]:
    def of(world: World) -> Meet:
        def meet(act: Act) -> object:
            world.cloud.acts_after = seconds
            act()
            raise Silence("no answer in time")

        return meet

    return of


def _runs_answering(said: dict[str, Any]) -> Callable[[World], Meet]:
    return _runs_replying(Reply.of({"Response": {**said, "RequestId": "r-0"}}))


def _replying(reply: Reply) -> Callable[[World], Meet]:
    return lambda _: answered(reply)


def _runs_replying(reply: Reply) -> Callable[[World], Meet]:
    def meet(act: Act) -> object:
        act()
        return reply

    return lambda _: meet


def _code(code: str) -> Callable[[World], Meet]:
    # Made when it is met: each answer tells the time.
    return lambda world: lambda _: world.cloud.refuse(code)


def _at(
    name: str, kind: str, way: Callable[[World], Meet], policy: str,
    ends: tuple[str, ...] = (READY,),
) -> Case:  # fmt: skip
    def arrange(world: World) -> list[Fault]:
        return [Fault(meet=way(world), named=name)]

    return _case(f"{name}: {kind}, {policy}", arrange, ends, policy)


def _lasting(name: str, kind: str, way: Callable[[World], Meet], seconds: float) -> Case:
    def arrange(world: World) -> list[Fault]:
        meet = for_a_while(world.clock, seconds, way(world))
        return [Fault(meet=meet, named=name, times=ALWAYS)]

    return _case(f"{name}: {kind} for {seconds / 60:.0f} min", arrange, (READY,), wide=True)


def _case(
    name: str, arrange: Arrange, ends: tuple[str, ...], policy: str = "Delete", family: str = N,
    *, seconds: float = 3 * HOUR, wide: bool = False,
) -> Case:  # fmt: skip
    return Case(
        name=name, family=family, arrange=arrange, ends=ends, seconds=seconds, wide=wide,
        spec={"deletionPolicy": policy},
    )  # fmt: skip
