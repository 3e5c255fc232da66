"""The moves of everything else: the user, the cloud, the API server, the guards, and time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from model.acting import may_attempt, performed, replace, write
from model.attempting import answered, intended
from model.protocol import EXPIRY
from model.state import (
    ARMED,
    AWAITED,
    HOLDING,
    ID,
    OPEN,
    OVER,
    RECORDED,
    REFUSAL,
    SENT,
    VALID,
    Move,
    Object,
    Operator,
    Request,
    Snapshot,
    World,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from model.protocol import Protocol

NOBODY = -1


def moves(world: World, protocol: Protocol) -> Iterator[tuple[Move, World]]:
    """Return every move that no operator makes."""
    done = world.object
    if done.exists and not done.deleting:
        after = done._replace(deleting=True) if done.finalizer else Object(exists=False)
        yield Move("is deleted"), write(world, NOBODY, after)
    if done.state == RECORDED and done.claim and done.age == OVER and not done.expired:
        yield Move(EXPIRY), world._replace(object=done._replace(expired=True))
    for request in dict.fromkeys(world.requests):
        yield from _request(world, request, protocol)
    for snapshot in dict.fromkeys(world.snapshots):
        for name, new in _snapshot(snapshot):
            yield Move(name, what=(snapshot.attempt, snapshot.disk)), _put(world, snapshot, new)
    if world.late:
        yield from _late(world, protocol)
    if world.loose and protocol.guard:
        yield Move("guard lets go"), world._replace(loose=False)
    later = _later(world, protocol)
    if later != world:
        yield Move("time passes"), later


def _request(world: World, request: Request, protocol: Protocol) -> Iterator[tuple[Move, World]]:
    """Act, refuse or lose one request; the answer reaches whoever still waits for it, or not."""
    what = (request.attempt, request.disk)
    rest = list(world.requests)
    rest.remove(request)
    gone = world._replace(requests=tuple(rest))
    waiting = _waiting(world, request)
    if request.age <= VALID or not protocol.validity_end:
        held = any(_holds(operator, request) for operator in world.operators)
        made = Snapshot(request.attempt, request.disk, held=held)
        acted = gone._replace(snapshots=tuple(sorted((*world.snapshots, made))))
        yield Move("cloud acts", what=what), acted
        if waiting is not None:
            yield Move("cloud acts and answers", what=what), _answer(acted, waiting, request, ID)
    yield Move("request is lost", what=what), gone
    if waiting is not None:
        yield Move("cloud refuses", what=what), _answer(gone, waiting, request, REFUSAL)


def _waiting(world: World, request: Request) -> int | None:
    for who, operator in enumerate(world.operators):
        if operator.at == SENT and operator.attempt == request.attempt:
            return who if operator.replies[request.disk] == AWAITED else None
    return None


def _holds(operator: Operator, request: Request) -> bool:
    return operator.at == SENT and operator.holds and operator.attempt == request.attempt


def _answer(world: World, who: int, request: Request, reply: str) -> World:
    return replace(world, who, answered(world.operators[who], request.disk, reply))


def _snapshot(snapshot: Snapshot) -> Iterator[tuple[str, Snapshot]]:
    if snapshot.taken_away:
        return
    if snapshot.hidden:
        yield "cloud lists", snapshot._replace(hidden=0)
        if snapshot.tagged:
            yield "tags don't stick", snapshot._replace(tagged=False)
    elif not snapshot.complete:
        # While it isn't listed nobody can tell whether it is complete.
        yield "cloud completes", snapshot._replace(complete=True)
    yield "somebody takes it away", snapshot._replace(taken_away=True, complete=False, hidden=0)


def _put(world: World, old: Snapshot, new: Snapshot) -> World:
    snapshots = list(world.snapshots)
    snapshots[snapshots.index(old)] = new
    return world._replace(snapshots=tuple(sorted(snapshots)))


def _late(world: World, protocol: Protocol) -> Iterator[tuple[Move, World]]:
    """A write that was given up is done all the same, or never."""
    assert world.late is not None
    step, rest = world.late.step, world._replace(late=None)
    yield Move("late write is lost", what=step), rest
    if step[0] == "intend":
        fits = may_attempt(world.object, step, protocol) and world.object.finalizer
        after = intended(world.object, int(step[1])) if fits else None
    else:
        after = performed(world, step, protocol)
    if after:
        yield Move("late write is done", what=step), write(rest, NOBODY, after)


def _later(world: World, protocol: Protocol) -> World:
    """As long as the longest hold, and as the longest listing lag."""
    done = world.object
    if done.state in (OPEN, RECORDED) and done.age < OVER:
        done = done._replace(age=done.age + 1)
    snapshots = tuple(sorted(s._replace(hidden=max(s.hidden - 1, 0)) for s in world.snapshots))
    requests = tuple(r._replace(age=min(r.age + 1, OVER)) for r in world.requests)
    return world._replace(
        object=done,
        snapshots=snapshots,
        requests=tuple(r for r in requests if not _is_void(world, r, protocol)),
        operators=tuple(_older(operator, protocol) for operator in world.operators),
        loose=world.loose and not protocol.guard,
    )


def _is_void(world: World, request: Request, protocol: Protocol) -> bool:
    """Nobody waits for the answer that it comes too late."""
    too_late = request.age > VALID and protocol.validity_end
    return too_late and _waiting(world, request) is None


def _older(operator: Operator, protocol: Protocol) -> Operator:
    """The guards end every hold; the signature of what is not yet sent ages."""
    if operator.at in (ARMED, HOLDING):
        operator = operator._replace(age=min(operator.age + 1, OVER))
    return operator._replace(holds=False) if operator.holds and protocol.guard else operator
