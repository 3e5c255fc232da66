"""Walk every state that can be reached, breadth first, so that the first story is a shortest."""

from __future__ import annotations

import functools
from array import array
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from model import acting, attempting, guarantees, surroundings
from model.state import Move, Object, Operator, World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from model.protocol import Protocol

# What may go wrong. Once these are over, every state must lead to an end.
FAULTS = frozenset(
    {
        "is deleted", "its time is over", "dies", "loses its window", "loses its hold",
        "is hindered",
        "finds no way", "can't hold", "sends without a hold", "lets go unsent", "stops waiting",
        "writes it unanswered", "records unanswered", "gives a write up", "late write is lost",
        "request is lost", "cloud refuses", "tags don't stick", "somebody takes it away",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Broken:
    """A guarantee that does not hold, and the shortest way there."""

    guarantee: str
    sentence: str
    moves: tuple[Move, ...]


@dataclass
class Explored:
    """All states that were reached, and how often each move was made."""

    states: list[World]
    fired: Counter[str] = field(default_factory=Counter)
    broken: Broken | None = None


class Explorer:
    """One walk over the states of a protocol."""

    def __init__(self, protocol: Protocol, *, alike: bool = True) -> None:
        self._protocol = protocol
        self._alike = alike  # which of two operators does something makes no other state
        first = World(operators=(Operator(),) * protocol.operators)
        self._numbers = {first: 0}
        self._came = [(0, Move("begins"))]
        self._sources, self._targets = array("l"), array("l")
        self._explored = Explored([first])

    def explore(self) -> Explored:
        """Go to the fixed point, or to the first state in which a guarantee is broken."""
        explored = self._explored
        for number, world in enumerate(explored.states):  # the list grows meanwhile
            for move, after in moves(world, self._protocol):
                explored.fired[move.name] += 1
                if after == world:
                    continue
                self._arrive(number, move, after)
                for name, sentence in guarantees.broken_by(world, move, after, self._protocol):
                    explored.broken = Broken(name, sentence, (*self._story(number), move))
                    return explored
        self._require_end()
        return explored

    def _arrive(self, number: int, move: Move, after: World) -> None:
        after = simplest(after, alike=self._alike)
        target = self._numbers.setdefault(after, len(self._explored.states))
        if target == len(self._explored.states):
            self._explored.states.append(after)
            self._came.append((number, move))
        if move.name not in FAULTS:
            self._sources.append(number)
            self._targets.append(target)

    def _require_end(self) -> None:
        """Converge: with no more faults, from every state an end can be reached."""
        states = self._explored.states
        into: list[list[int]] = [[] for _ in states]
        for source, target in zip(self._sources, self._targets, strict=True):
            into[target].append(source)
        ends = [number for number, world in enumerate(states) if _is_end(world)]
        reached = bytearray(len(states))
        while ends:
            number = ends.pop()
            if not reached[number]:
                reached[number] = 1
                ends += into[number]
        stuck = reached.find(0)
        if stuck >= 0:
            sentence = "From here on the object comes to no end, although nothing fails any more."
            self._explored.broken = Broken("Converge", sentence, self._story(stuck))

    def _story(self, number: int) -> tuple[Move, ...]:
        backwards = []
        while number:
            number, move = self._came[number]
            backwards.append(move)
        return tuple(reversed(backwards))


def moves(world: World, protocol: Protocol) -> Iterator[tuple[Move, World]]:
    """Return everything that can happen in one state."""
    every = [surroundings.moves(world, protocol)]
    for who in range(len(world.operators)):
        every += [acting.moves(world, who, protocol), attempting.moves(world, who, protocol)]
    for some in every:
        for move, after in some:
            if move.name not in protocol.without:
                yield move, after


def simplest(world: World, *, alike: bool) -> World:
    """Leave out what makes no difference any more, so that states that are alike are one."""
    done, snapshots = world.object, world.snapshots
    operators = tuple(_forgetful(operator, done) for operator in world.operators)
    if alike and len(operators) > 1 and _order(operators[0]) > _order(operators[1]):
        operators = operators[::-1]  # which of two is called the first
    if any(s.taken_away and s.attempt != done.attempt for s in snapshots):
        snapshots = tuple(s for s in snapshots if not s.taken_away or s.attempt == done.attempt)
    if operators == world.operators and snapshots is world.snapshots:
        return world
    return world._replace(operators=operators, snapshots=snapshots)


@functools.cache
def _order(operator: Operator) -> str:
    """Return something that puts operators in one order, the same in each run."""
    return repr(operator)


def _forgetful(operator: Operator, done: Object) -> Operator:
    if operator.memory and (operator.memory.attempt != done.attempt or not done.exists):
        operator = operator._replace(memory=None)
    return operator


def _is_end(world: World) -> bool:
    done = world.object
    return not done.exists or (done.finished and not done.deleting)
