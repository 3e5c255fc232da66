"""Follow what really happens to an object and its snapshots as a path of the model."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from disksnapshot.snapshot import status
from model.exploring import moves, simplest
from model.state import PROVEN, UNKNOWN, UNPROVEN, Object, Operator, World

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from model.protocol import Protocol


# By the proof. The file system's alone is none of the model: there, a step that lacks its proof
# leaves the whole hold unproven.
CLAIMS = {
    "": "",
    "Unknown": UNKNOWN,
    "ApplicationConsistent": PROVEN,
    "FilesystemConsistent": UNPROVEN,
    "CrashConsistent": UNPROVEN,
}


class Shown(NamedTuple):
    """What can be seen from outside: the object, and each snapshot's attempt and state."""

    object: Object
    snapshots: tuple[tuple[int, bool, bool], ...]  # attempt, listed, complete


def object_of(stored: Mapping[str, Any] | None) -> Object:
    """Return an object of the API server as the model has it."""
    if stored is None:
        return Object(exists=False)
    done, metadata = status.parse(stored.get("status", {})), stored["metadata"]
    deleting = "deletionTimestamp" in metadata
    return Object(
        deleting=deleting,
        finalizer=bool(metadata.get("finalizers")),
        attempt=done.intent.attempt if done.intent else 0,
        state=done.intent.state if done.intent else "",
        claim=CLAIMS[done.consistency],
        ready=done.ready == "True" and not deleting,
        failed=done.stalled and not deleting,
    )


def shown(world: World) -> Shown:
    """Return what can be seen of a state of the model; nobody sees how old an attempt is."""
    done = world.object._replace(age=0)
    if done.deleting:
        # A deletion may wait, and says so instead.
        done = done._replace(ready=False, failed=False)
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
