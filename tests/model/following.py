"""Follow what really happens to an object and its snapshots as a path of the model."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from model.exploring import moves, simplest
from model.state import Operator, World

if TYPE_CHECKING:
    from collections.abc import Iterable

    from model.protocol import Protocol
    from model.state import Object


class Shown(NamedTuple):
    """What can be seen from outside: the object, and each snapshot's attempt and state."""

    object: Object
    snapshots: tuple[tuple[int, bool, bool], ...]  # attempt, listed, complete


def shown(world: World) -> Shown:
    """Return what can be seen of a state of the model; nobody sees how old an attempt is."""
    done = world.object._replace(age=0)
    known = [(s.attempt, not s.hidden, s.complete) for s in world.snapshots if not s.taken_away]
    return Shown(done, tuple(sorted(known)))


@cache
def _known_moves(_: Protocol) -> dict[World, frozenset[World]]:
    """Return where each state leads, as far as that has been asked before."""
    return {}


class Follower:
    """Every state that the model could be in, after all that was seen."""

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol
        self._after = _known_moves(protocol)
        first = World(operators=(Operator(),) * protocol.operators)
        self._seen, self._may_be = shown(first), {first}

    def see(self, now: Shown) -> None:
        """Go on to what is seen now; fail if the model has no way there."""
        if now == self._seen:
            return
        arrived = {world for world in self._unseen() if shown(world) == now}
        assert arrived, f"no move of the model leads from {self._seen} to {now}"
        self._seen, self._may_be = now, arrived

    def _unseen(self) -> Iterable[World]:
        """Return all states after any moves that can't be seen, and one that can."""
        known, todo, beyond = set(self._may_be), list(self._may_be), set()
        while todo:
            for after in self._next(todo.pop()):
                if shown(after) != self._seen:
                    beyond.add(after)
                elif after not in known:
                    known.add(after)
                    todo.append(after)
        return beyond

    def _next(self, world: World) -> frozenset[World]:
        if world not in self._after:
            reached = (after for _, after in moves(world, self._protocol))
            self._after[world] = frozenset(simplest(one, alike=True) for one in reached)
        return self._after[world]
