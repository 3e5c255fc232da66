"""Faults of the API server (K1 to K7), and what users and operators do meanwhile (L1 to L6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from campaign import replies, situation
from campaign.cases import FAILED, GONE, READY, Arrange, Case, just_before
from campaign.deaths import POLICIES, recorded
from campaign.operators import Operator
from campaign.points import ALWAYS, Act, Fault
from campaign.replies import answered, for_a_while
from campaign.situation import SUBJECT
from campaign.wire import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from campaign.replies import Meet
    from campaign.world import World

K, L = "K1-K7, the API server's answers", "L1-L6, users, and other operators"
MINUTE, TEN_MINUTES = 60.0, 600.0
VERBS, WRITES = ("GET", "PATCH", "POST"), ("PATCH", "POST")
PATH = situation.path(SUBJECT)


def cases() -> Iterator[Case]:
    """All of them."""
    yield from answers()
    yield from outages()
    yield from without_status()
    yield from stale_reads()
    yield from meanwhile()


def _status(code: int, message: str) -> Callable[[World], Meet]:
    said = {"kind": "Status", "message": message, "code": code}
    return lambda _: answered(Reply.of(said, code))


WAYS: Mapping[str, Callable[[World], Meet]] = {
    "K4 429": _status(429, "too many requests"),
    "K4 503": _status(503, "the server is away"),
    "K4 unanswered": lambda w: replies.silent(w.clock, 7),
    "K4 answered late": lambda w: replies.late(w.clock, 7),
    "K4 reset": lambda _: replies.lost_before,
    "K5 done, and the answer is lost": lambda _: replies.lost_after,
    "K6 401": _status(401, "the token has expired"),
    "K6 403": _status(403, "the right was taken away"),
    "K6 the conversion webhook is down": _status(
        500, "conversion webhook for disksnapshot.io/v1alpha1, Kind=DiskSnapshot failed: refused"
    ),
}
WEBHOOK = 'Internal error occurred: failed calling webhook "policy.example.org"'
OF_ADMISSION: Mapping[str, Callable[[World], Meet]] = {
    "K6 a webhook is down": _status(500, f"{WEBHOOK}: connection refused"),
    "K6 a webhook is late": lambda w: _late_failure(w, f"{WEBHOOK}: context deadline exceeded"),
    "K6 a webhook says no": _status(403, 'admission webhook "policy.example.org" denied it'),
}
OF_A_WRITE: Mapping[str, Callable[[World], Meet]] = {
    "K1 409": _status(409, "the object has been modified"),
    "K1 422": _status(422, "the server rejected our request due to an error in our request"),
    "K7 there is no status": _status(404, "the server could not find the requested resource"),
    "K7 the status is refused": _status(422, "DiskSnapshot orders is invalid: status: too long"),
}


def answers() -> Iterator[Case]:
    """At each call of the API server, in its turn."""
    for number, name in enumerate(recorded("Delete")):
        if not name.startswith(VERBS):
            continue
        ways = {**WAYS, **(OF_ADMISSION if name.startswith(WRITES) else {})}
        ways |= OF_A_WRITE if name.startswith("PATCH") else {}
        for kind, way in ways.items():

            def arrange(
                world: World, number: int = number, way: Callable[[World], Meet] = way
            ) -> list[Fault]:
                return [Fault(meet=way(world), number=number)]

            yield _case(f"effect {number}, {name}: {kind}", arrange, K)


def outages() -> Iterator[Case]:
    """Everything that is asked of it fails for a while, beginning with each of the effects."""
    whiles = {"a minute": MINUTE, "ten minutes": TEN_MINUTES}
    for number, name in enumerate(recorded("Delete")):
        if name.startswith(VERBS):
            for said, seconds in whiles.items():
                lasts = f"the API server is away for {said}"
                yield _outage(number, name, lasts, seconds, WAYS["K4 503"], VERBS)
        if name.startswith(WRITES):
            for kind, way in OF_ADMISSION.items():
                lasts = f"{kind} for ten minutes"
                yield _outage(number, name, lasts, TEN_MINUTES, way, WRITES)
    for name in ("PATCH object", "PATCH status"):
        for kind in ("K1 409", "K6 403", "K5 done, and the answer is lost"):
            way = {**WAYS, **OF_A_WRITE}[kind]

            def ten_times(
                world: World, name: str = name, way: Callable[[World], Meet] = way
            ) -> list[Fault]:
                return [Fault(meet=way(world), named=name, times=10)]

            ends = (READY, FAILED)  # with three attempts that nobody has acknowledged
            yield _case(f"{name}: {kind}, ten times in a row", ten_times, K, ends=ends)


def without_status() -> Iterator[Case]:
    """K7: for a while the definition has no status, as when somebody applies an older one."""
    for number, name in enumerate(recorded("Delete")):
        if name == "PATCH status":
            lasts = "K7 there is no status for ten minutes"
            way = OF_A_WRITE["K7 there is no status"]
            yield _outage(number, name, lasts, TEN_MINUTES, way, (name,))


def _late_failure(world: World, message: str) -> Meet:
    def meet(_: Act) -> object:
        world.clock.advance(5)  # less than a client waits
        return Reply.of({"kind": "Status", "message": message, "code": 500}, 500)

    return meet


def _outage(
    number: int, name: str, said: str, seconds: float,
    way: Callable[[World], Meet], verbs: tuple[str, ...],
) -> Case:  # fmt: skip
    def arrange(world: World) -> list[Fault]:
        away = for_a_while(world.clock, seconds, way(world))
        begins = Fault(meet=away, number=number)
        rest = [
            Fault(meet=away, named=verb, times=ALWAYS, after=begins, may_miss=True)
            for verb in verbs
        ]
        return [begins, *rest]

    return _case(f"{said} from effect {number}, {name}", arrange, K)


def stale_reads() -> Iterator[Case]:
    """K3: a read shows the object as it was one write ago, or before there was any intent.

    A server that is so late tells of the last write late too, so the watch tells it once more.
    """
    pasts: Mapping[str, Callable[[World], Any]] = {
        "as of one write ago": lambda world: world.server.before[PATH],
        "as it was made": lambda world: world.server.first[PATH],
    }
    for policy in POLICIES:
        for number, name in enumerate(recorded(policy)):
            if name != "GET object" or number == 0:
                continue
            for said, past in pasts.items():
                stale = f"effect {number}, GET object: K3 {said}, {policy}"
                yield _case(stale, _stale(number, past), K, policy)


def _stale(number: int, past: Callable[[World], Any]) -> Arrange:
    def arrange(world: World) -> list[Fault]:
        def meet(_: Act) -> Reply:
            world.tell_again(SUBJECT)
            return Reply.of(past(world))

        return [Fault(meet=meet, number=number)]

    return arrange


def meanwhile() -> Iterator[Case]:
    """Just before each effect, somebody else does something."""
    deeds: Mapping[str, tuple[Callable[[World], None], tuple[str, ...], tuple[str, ...]]] = {
        "L1 the user deletes it": (delete, (GONE, READY), POLICIES),
        "L2 somebody labels it": (_label, (READY,), ("Delete",)),
        "L2 its policy becomes Delete": (_edit("Delete"), (READY,), ("Retain",)),
        "L2 its policy becomes Retain": (_edit("Retain"), (READY,), ("Delete",)),
        "L4 another operator takes over": (take_over, (READY,), POLICIES),
        "L6 somebody takes the finalizer off": (_unmark, (READY,), ("Retain",)),
    }
    for said, (deed, ends, policies) in deeds.items():
        for policy in policies:
            for number, name in enumerate(recorded(policy)):
                yield _meanwhile(number, f"{said} at effect {number}, {name}", deed, ends, policy)


def _meanwhile(
    number: int, name: str, deed: Callable[[World], None], ends: tuple[str, ...], policy: str
) -> Case:
    return _case(f"{name}, {policy}", just_before(number, deed), L, policy, ends)


def delete(world: World) -> None:
    if world.body():
        world.server.delete(PATH)


def _label(world: World) -> None:
    if world.body():
        world.server.touch(PATH, str(world.clock.seconds))


def _edit(policy: str) -> Callable[[World], None]:
    def deed(world: World) -> None:
        if world.body():
            world.server.edit(PATH, deletionPolicy=policy)

    return deed


def _unmark(world: World) -> None:
    body = world.body()
    if body and "deletionTimestamp" not in body["metadata"]:
        world.server.unmark(PATH)


def take_over(world: World) -> None:
    """Another operator starts, and both are at work from now on: no lease keeps them apart."""
    other = Operator(world)
    world.operators.append(other)
    world.look(other, SUBJECT)


def _case(
    name: str, arrange: Arrange, family: str, policy: str = "Delete",
    ends: tuple[str, ...] = (READY,), cuts: int = 1,
) -> Case:  # fmt: skip
    return Case(
        name=name, family=family, arrange=arrange, ends=ends, cuts=cuts, wide=True,
        spec={"deletionPolicy": policy},
    )  # fmt: skip
