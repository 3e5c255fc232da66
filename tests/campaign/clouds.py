"""Faults of the cloud: N1 to N10 at each kind of call."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from campaign import replies
from campaign.cases import FAILED, GONE, READY, Case, deletion, of_policy
from campaign.deaths import POLICIES, recorded
from campaign.points import ALWAYS, Act, Fault, kill_after, noticed
from campaign.replies import GARBAGE, answered, for_a_while, refusing
from campaign.window import Silence
from campaign.wire import Reply
from campaign.world import HOUR

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
BLOCKING_CODES = (
    "UnsupportedOperation.SnapshotHasBindedImage", "UnsupportedOperation.SnapHasShared",
    "InvalidSnapshot.NotSupported",
)  # fmt: skip
AFTER_A_KILL: Mapping[str, Callable[[World], Meet]] = {
    "reset": lambda _: replies.lost_before,
    "done, and the answer lost": lambda _: replies.lost_after,
    "an InternalError": refusing("InternalError"),
}
# Of CreateSnapshot: what ends the object, and what costs an attempt.
FINAL_CODES = ("InvalidDisk.NotSupportSnapshot", "InvalidParameter", "InvalidDiskId.NotFound")
N = "N1-N10, the cloud's answers"
MINUTE = 60.0


def cases() -> Iterator[Case]:
    """All of them."""
    yield from creations()
    yield from calls()
    yield from deletions()
    yield from flights()
    yield from lags()
    yield from with_kills()


def creations() -> Iterator[Case]:
    """N1 to N5 and N7, N8 at the request for a snapshot: it may have acted, or may still act."""
    for policy in POLICIES:
        for seconds in (1, 60, 299, 301):
            yield _at(CREATE, f"acts {seconds} s later, unanswered", late(seconds), policy)
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
        yield _at(CREATE, code, refusing(code), "Delete", ends=(READY, FAILED))
    for code in FINAL_CODES:
        yield _at(CREATE, code, refusing(code), "Delete", ends=(FAILED,))


def calls() -> Iterator[Case]:
    """The same at every other call: once, for a minute, and for an hour."""
    for name in CALLS:
        ways: Mapping[str, Callable[[World], Meet]] = {
            "unanswered": lambda w: replies.silent(w.clock, 5),
            "reset": lambda _: replies.lost_before,
            "done, and the answer is lost": lambda _: replies.lost_after,
            "answered late": lambda w: replies.late(w.clock, 4),
            **{kind: _replying(reply) for kind, reply in GARBAGE.items()},
            **{code: refusing(code) for code in PASSING_CODES},
        }
        for kind, way in ways.items():
            yield _at(name, kind, way, "Delete")
            if not name.startswith("window"):
                yield _lasting(name, kind, way, MINUTE)
    for name in CALLS[:3]:
        for code in PASSING_CODES:
            yield _lasting(name, code, refusing(code), HOUR)


def deletions() -> Iterator[Case]:
    """N1 at a deletion: it acts later, perhaps when its object is gone. And what refuses it."""
    for seconds in (1, 60, 299, 301):
        yield _at(
            "DeleteSnapshots", f"acts {seconds} s later, unanswered", late(seconds), "Delete"
        )
    for code in BLOCKING_CODES:
        name = f"DeleteSnapshots: {code} for 60 min"
        case = _lasting("DeleteSnapshots", code, refusing(code), HOUR)
        yield replace(case, name=name, says="can't be deleted")


def with_kills() -> Iterator[Case]:
    """After each effect it is killed, and the next one's first call of the cloud goes wrong."""
    for policy in POLICIES:
        for number, name in enumerate(recorded(policy)):
            for kind, way in AFTER_A_KILL.items():
                at = f"killed after effect {number}, {name}; the next cloud call is {kind}"
                yield _after_a_kill(at, number, way, policy)


def _after_a_kill(name: str, number: int, way: Callable[[World], Meet], policy: str) -> Case:
    def arrange(world: World) -> list[Fault]:
        killed = Fault(meet=kill_after, number=number)
        # The last effects are of an object that is gone, or rests: then no call comes any more.
        calls = [
            Fault(meet=way(world), named=call, after=killed, may_miss=True)
            for call in (*CALLS[:3], CREATE)
        ]
        return [killed, *calls]

    return _case(f"{name}, {policy}", arrange, (READY,), policy, wide=True)


def flights() -> Iterator[Case]:
    """The user deletes it while its request may still act; and once more with a kill between."""
    for policy in POLICIES:
        for seconds in (1, 60, 299, 301):
            for killed in (False, True):
                yield _flight(policy, seconds, killed=killed)


def _flight(policy: str, seconds: float, *, killed: bool) -> Case:
    def arrange(world: World) -> list[Fault]:
        flies = Fault(meet=late(seconds)(world), named=CREATE)
        deleted = deletion(world, flies)
        dies = Fault(meet=kill_after, named="GET object", after=deleted)
        return [flies, deleted, *([dies] if killed else [])]

    then = ", and killed" if killed else ""
    name = f"deleted while a request acts {seconds} s later{then}, {policy}"
    return _case(name, arrange, (GONE,), policy)


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


def _lag(policy: str, seconds: int, name: str, way: Any) -> Case:
    def arrange(world: World) -> list[Fault]:
        world.cloud.listed_after = seconds
        if way is None:
            return [noticed(CREATE)]
        return [Fault(meet=kill_after if way == "kill" else way, named=CREATE)]

    return _case(
        f"listed {seconds} s late, {name}, {policy}", arrange, (READY,), policy, wide=True
    )


def late(seconds: float) -> Callable[[World], Meet]:
    """Let the request act so much later; nobody hears of it."""

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


_case = partial(of_policy, family=N)
