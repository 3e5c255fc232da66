"""The guarantees that the model can state, each by its name, for every state and every move."""

from __future__ import annotations

from typing import TYPE_CHECKING

from model.state import PROVEN, RECORDED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from model.protocol import Protocol
    from model.state import Move, World


def broken_by(
    before: World, move: Move, after: World, protocol: Protocol
) -> Iterator[tuple[str, str]]:
    """Return each guarantee that a move breaks, with a sentence on what is wrong."""
    if after.snapshots != before.snapshots:
        yield from _one(after, protocol)
        yield from _ours(before, move)
    yield from _tracked(before, after, protocol)
    yield from _true(after, protocol)
    if move.name == "time passes" and (after.loose or any(o.holds for o in after.operators)):
        yield "Bounded", "Writers still stand still, longer than any hold may last."
    if move.name == "holds" and after.operators[move.who].attempt > protocol.max_attempts:
        yield "Calm", "Writers are held again, beyond the limit of attempts."
    if before.object.finished and after.object.exists and not after.object.deleting:
        # Ready ends when there is nothing any more to be ready.
        gone = after.object.expired or any(s.taken_away for s in before.snapshots)
        same = before.object.ready == after.object.ready or gone
        ended = after.object.finished or after.object.expired
        if not ended or not same:
            yield "Converge", "The object had come to its end, and does not stay there."


def _one(after: World, protocol: Protocol) -> Iterator[tuple[str, str]]:
    for disk in range(protocol.disks):
        count = len(after.live(disk))
        if count > 1:
            yield "One", f"The cloud has {count} snapshots of one disk for one object."


def _ours(before: World, move: Move) -> Iterator[tuple[str, str]]:
    for snapshot in before.snapshots:
        target = ("discard", snapshot.attempt, snapshot.disk)
        if move.what == target and not snapshot.tagged:
            yield "Ours", "A snapshot was deleted that does not carry our tags."


def _tracked(before: World, after: World, protocol: Protocol) -> Iterator[tuple[str, str]]:
    if after.object.exists:
        return
    left = [s for s in after.snapshots if not s.taken_away and s.tagged]
    if len(after.snapshots) > len(before.snapshots):
        yield "Tracked", "A snapshot appears whose object is gone: nobody knows of it."
    elif left and protocol.deletes:
        yield "Tracked", "The object is gone and leaves a snapshot that it should have deleted."
    elif len(left) > protocol.disks:
        yield "Tracked", "The object is gone and leaves more than its one snapshot."


def _true(after: World, protocol: Protocol) -> Iterator[tuple[str, str]]:
    done = after.object
    if done.state != RECORDED or not done.claim:
        return
    own = {s.disk: s for s in after.snapshots if s.attempt == done.attempt}
    if done.claim == PROVEN and not all(s.held for s in own.values()):
        yield "True", "The status says proven of a cut during which writers were not held."
    over = done.deleting or (done.expired and not done.ready)
    if len(own) < protocol.disks and not over:
        yield "True", "The status names a snapshot that was deleted on its behalf."
