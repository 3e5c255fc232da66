"""The moves of an operator between attempts: read, look up, decide, write what was decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from model import deciding
from model.deciding import REST, WAIT, Seen
from model.state import (
    DECIDED,
    IDLE,
    LOOKING,
    OPEN,
    PROVEN,
    READYING,
    RECORDED,
    SETTLED,
    UNKNOWN,
    UNPROVEN,
    Memory,
    Move,
    Object,
    Operator,
    Snapshot,
    Step,
    World,
    Write,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from model.protocol import Protocol

READS = {IDLE: "reads and forgets", LOOKING: "reads and asks", DECIDED: "reads and decides"}
# Performed whatever the object has become; all others are refused if it has changed.
UNCHECKED = {"discard", "record", "capture"}

SETTLE: dict[str, Any] = {"state": SETTLED, "claim": "", "age": 0}
FAIL: dict[str, Any] = {"failed": True, "ready": False}
WRITES: dict[str, dict[str, Any]] = {
    "adopt": {"state": RECORDED, "claim": UNKNOWN},
    "settle": SETTLE,
    "finish": {"ready": True},
    "fail": FAIL,
    "retire": {"ready": False},
    "expire": {**SETTLE, **FAIL},
    "mark": {"finalizer": True},
}


def moves(world: World, who: int, protocol: Protocol) -> Iterator[tuple[Move, World]]:
    """Return every move that one operator can make outside of an attempt."""
    me = world.operators[who]
    if me.at == IDLE and world.object.exists:
        read = _read(world, me, protocol)
        if read != me:
            yield Move(READS[read.at], who, read.step), replace(world, who, read)
    elif me.at == LOOKING:
        looked = _look_up(world, me, protocol)
        yield Move("looks up", who, looked.step), replace(world, who, looked)
    elif me.at == DECIDED:
        yield from _perform(world, who, protocol)


def replace(world: World, who: int, operator: Operator) -> World:
    """Put one operator's new state into the world."""
    operators = (*world.operators[:who], operator, *world.operators[who + 1 :])
    return world._replace(operators=operators)


def rested(me: Operator) -> Operator:
    """Return the operator between two looks."""
    return Operator(result=me.result, memory=me.memory)


def write(world: World, who: int, new: Object) -> World:
    """Write the object: what others decided on an older one is refused from now on."""
    if new == world.object:
        return world
    operators = tuple(
        other if number == who else _outdated(other)
        for number, other in enumerate(world.operators)
    )
    return world._replace(object=new, operators=operators)


def _outdated(other: Operator) -> Operator:
    if other.at == DECIDED and other.step[0] not in UNCHECKED:
        return rested(other)
    return other._replace(fresh=False) if other.at in {DECIDED, LOOKING} else other


def _read(world: World, me: Operator, protocol: Protocol) -> Operator:
    done = world.object
    if me.result:
        if protocol.intent and (done.attempt, done.state) != (me.result[1], OPEN):
            return me._replace(result=None)
        return me._replace(at=DECIDED, step=("record", *me.result), fresh=True)
    step = deciding.decide(protocol, done, swept(world, done))
    if step == deciding.LOOK_UP:
        return me._replace(at=LOOKING, view=done, fresh=True)
    if step in (REST, WAIT):
        return me._replace(memory=None) if step == REST else me
    return me._replace(at=DECIDED, step=step, fresh=True)


def swept(world: World, done: Object) -> Seen:
    """Return what the sweeps show of recorded snapshots."""
    if done.state != RECORDED or done.deleting or not done.claim:
        return Seen()
    lost = any(s.taken_away for s in world.snapshots if s.attempt == done.attempt)
    return Seen(snapshots=_listed(world), lost=lost)


def _listed(world: World) -> tuple[Snapshot, ...]:
    return tuple(s for s in world.snapshots if not s.hidden and not s.taken_away)


def look(world: World, me: Operator) -> Seen:
    """Return what a look-up shows, with what earlier ones for the same attempt have shown."""
    assert me.view is not None
    found = _listed(world)
    ids = frozenset(s.disk for s in found if s.attempt == me.view.attempt)
    known = me.memory.listed if me.memory and me.memory.attempt == me.view.attempt else None
    return Seen(
        snapshots=found,
        looked=True,
        twice=known is not None and ids <= known,
        listed=ids | (known or frozenset()),
    )


def _look_up(world: World, me: Operator, protocol: Protocol) -> Operator:
    assert me.view is not None
    seen = look(world, me)
    step = deciding.decide(protocol, me.view, seen)
    after = Operator(result=me.result, memory=Memory(me.view.attempt, seen.listed))
    if step == WAIT or (step[0] not in UNCHECKED and not me.fresh):
        return after
    return after._replace(at=DECIDED, step=step, fresh=me.fresh)


def _perform(world: World, who: int, protocol: Protocol) -> Iterator[tuple[Move, World]]:
    me = world.operators[who]
    name, idle = str(me.step[0]), rested(me)
    yield Move("is hindered", who, me.step), replace(world, who, idle)
    if name == "capture":
        yield from _begin(world, who, protocol)
        return
    if name == "discard":
        yield Move("discard", who, me.step), replace(discarded(world, me.step), who, idle)
        return
    after = performed(world, me.step, protocol)
    if after is None:
        yield Move("is refused", who, me.step), replace(world, who, idle)
        return
    if name in ("record", "drop"):
        idle = Operator(memory=me.memory if name == "record" else None)
    said = "unmark" if name == "drop" and after.exists else name
    yield Move(said, who, me.step), replace(write(world, who, after), who, idle)
    if name == "record":  # and its answer is lost
        unsure = write(world, who, after)
        yield Move("records unanswered", who, me.step), replace(unsure, who, rested(me))
    if name == "record" and world.late is None:
        late = replace(world, who, rested(me))._replace(late=Write(me.step))
        yield Move("gives a write up", who, me.step), late


def _begin(world: World, who: int, protocol: Protocol) -> Iterator[tuple[Move, World]]:
    me = world.operators[who]
    if me.fresh:
        failed = write(world, who, world.object._replace(failed=True))
        yield Move("finds no way", who), replace(failed, who, rested(me))
    if not may_attempt(world.object, me.step, protocol):
        yield Move("is refused", who), replace(world, who, rested(me))
    else:
        marked = write(world, who, world.object._replace(finalizer=True))
        ready = Operator(at=READYING, attempt=int(me.step[1]), memory=me.memory)
        yield Move("puts the finalizer", who), replace(marked, who, ready)


def may_attempt(done: Object, step: Step, protocol: Protocol) -> bool:
    """Tell whether what is asked is still the same; then an edit by others is no hindrance."""
    if not done.exists or done.deleting:
        return False
    same = done.attempt + 1 == step[1] and done.state in ("", SETTLED)
    if protocol.attempt_checks_end:
        same = same and not done.finished
    return same or not protocol.compare_and_swap


def performed(world: World, step: Step, protocol: Protocol) -> Object | None:
    """Return the object after a write, None when the API server refuses it."""
    done = world.object
    if not done.exists:
        return None
    if step[0] == "record":
        return _recorded(done, str(step[1]), int(step[2]), protocol)
    if step[0] == "drop":
        return Object(exists=False) if done.deleting else done._replace(finalizer=False)
    return done._replace(**WRITES[str(step[0])])


def _recorded(done: Object, kind: str, attempt: int, protocol: Protocol) -> Object | None:
    ours = done.attempt == attempt
    if protocol.record_checks_state:
        ours = ours and done.state == OPEN
    if protocol.intent and not ours:
        return None
    done = done._replace(attempt=attempt, ready=False, failed=kind == "final")
    if kind in ("nothing", "final"):
        return done._replace(**SETTLE)
    unproven = UNPROVEN if protocol.keeps_unproven else ""
    return done._replace(state=RECORDED, claim=PROVEN if kind == "proven" else unproven)


def discarded(world: World, step: Step) -> World:
    """Delete one snapshot in the cloud."""
    left = tuple(s for s in world.snapshots if ("discard", s.attempt, s.disk) != step)
    return world._replace(snapshots=left)
