"""The moves of an operator in an attempt: intend, hold, send, let go, and say what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from model.acting import may_attempt, replace, write
from model.state import (
    ARMED,
    AWAITED,
    HOLDING,
    ID,
    IDLE,
    OPEN,
    READYING,
    REFUSAL,
    SENT,
    Move,
    Object,
    Operator,
    Request,
    World,
    Write,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from model.protocol import Protocol

IN_WINDOW = {ARMED, HOLDING, SENT}


def moves(world: World, who: int, protocol: Protocol) -> Iterator[tuple[Move, World]]:
    """Return every move of one operator's attempt, and what can befall it there."""
    me = world.operators[who]
    if me.at == READYING:
        yield from _intend(world, who, protocol)
    elif me.at == ARMED:
        held = me._replace(at=HOLDING, holds=True)
        yield Move("holds", who), replace(world, who, held)
        yield Move("can't hold", who), replace(world, who, _ended(me, "nothing"))
        if protocol.keeps_unproven:
            yield Move("sends without a hold", who, (me.attempt,)), _sent(world, who, protocol)
    elif me.at == HOLDING:
        yield Move("sends", who, (me.attempt,)), _sent(world, who, protocol)
        yield Move("lets go unsent", who), replace(world, who, _ended(me, "nothing"))
    elif me.at == SENT:
        yield from _wait(world, who, protocol)
    if me.at in IN_WINDOW:
        yield Move("loses its window", who), _windowless(world, who)
    if me.holds:
        yield Move("loses its hold", who), replace(world, who, me._replace(holds=False))
    if me != Operator():
        yield Move("dies", who), _dead(world, who)


def _intend(world: World, who: int, protocol: Protocol) -> Iterator[tuple[Move, World]]:
    me, done = world.operators[who], world.object
    idle = Operator(memory=me.memory)
    yield Move("is hindered", who), replace(world, who, idle)
    allowed = may_attempt(done, ("capture", me.attempt), protocol) and done.finalizer
    if not allowed and protocol.intent:
        yield Move("is refused", who), replace(world, who, idle)
        return
    armed = Operator(at=ARMED, attempt=me.attempt, memory=me.memory)
    if not protocol.intent:
        yield Move("opens the window", who), replace(world, who, armed)
        return
    after = intended(done, me.attempt)
    told = write(world, who, after)
    yield Move("writes the intent", who, (me.attempt,)), replace(told, who, armed)
    unsure = idle._replace(result=("nothing", me.attempt))
    yield Move("writes it unanswered", who, (me.attempt,)), replace(told, who, unsure)
    if world.late is None:
        late = Write(("intend", me.attempt))
        yield (
            Move("gives a write up", who, late.step),
            replace(world, who, unsure)._replace(late=late),
        )


def intended(done: Object, attempt: int) -> Object:
    """Return the object with a new intent."""
    return done._replace(attempt=attempt, state=OPEN, age=0, claim="", ready=False, failed=False)


def _ended(me: Operator, kind: str) -> Operator:
    """Let go, and keep what came of the attempt."""
    return Operator(result=(kind, me.attempt), memory=me.memory)


def _sent(world: World, who: int, protocol: Protocol) -> World:
    me = world.operators[who]
    waiting = me._replace(at=SENT, replies=(AWAITED,) * protocol.disks, age=0)
    requests = [Request(me.attempt, disk, me.age) for disk in range(protocol.disks)]
    flying = tuple(sorted((*world.requests, *requests)))
    return replace(world, who, waiting)._replace(requests=flying)


def _wait(world: World, who: int, protocol: Protocol) -> Iterator[tuple[Move, World]]:
    me = world.operators[who]
    if AWAITED not in me.replies:
        kind = _outcome(me, protocol)
        yield Move("lets go", who, (kind,)), replace(world, who, _concluded(me, kind))
        if kind == "nothing":
            final = _ended(me, "final")
            yield Move("lets go", who, ("final",)), replace(world, who, final)
    elif me.holds:
        yield Move("stops waiting", who), replace(world, who, me._replace(holds=False))
        for disk in range(protocol.disks):
            if me.replies[disk] == AWAITED and _shown(world, me, disk):
                seen = replace(world, who, answered(me, disk, ID))
                yield Move("finds it while holding", who), seen
    else:
        kind = "unknown"
        yield Move("lets go", who, (kind,)), replace(world, who, _concluded(me, kind))


def _outcome(me: Operator, protocol: Protocol) -> str:
    if set(me.replies) == {ID}:
        return "proven" if me.holds or not protocol.proof else "unproven"
    return "nothing" if set(me.replies) == {REFUSAL} else "unknown"


def _concluded(me: Operator, kind: str) -> Operator:
    return Operator(memory=me.memory) if kind == "unknown" else _ended(me, kind)


def _shown(world: World, me: Operator, disk: int) -> bool:
    return any(
        (s.attempt, s.disk) == (me.attempt, disk) and not s.hidden
        for s in world.snapshots
        if not s.taken_away
    )


def answered(me: Operator, disk: int, reply: str) -> Operator:
    """Give the window the cloud's answer for one disk."""
    return me._replace(replies=(*me.replies[:disk], reply, *me.replies[disk + 1 :]))


def _windowless(world: World, who: int) -> World:
    """The window is killed: what it held is loose, what it sent is on its way."""
    me = world.operators[who]
    alone = replace(world, who, Operator(memory=me.memory))
    return alone._replace(loose=world.loose or me.holds)


def _dead(world: World, who: int) -> World:
    """The operator is killed, its window with it, and starts anew at some time."""
    loose = world.loose or world.operators[who].holds
    return replace(world, who, Operator(at=IDLE))._replace(loose=loose)
