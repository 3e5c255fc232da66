"""The rules of `disksnapshot.snapshot.plan`, in the model's terms; a test compares the two."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from model.state import LAG, OPEN, OVER, RECORDED, VALID, Object, Snapshot, Step

if TYPE_CHECKING:
    from model.protocol import Protocol

REST: Step = ("rest",)
WAIT: Step = ("wait",)
LOOK_UP: Step = ("look up",)
ADOPT: Step = ("adopt",)
SETTLE: Step = ("settle",)
FINISH: Step = ("finish",)
FAIL: Step = ("fail",)
DROP: Step = ("drop",)
MARK: Step = ("mark",)
RETIRE: Step = ("retire",)
EXPIRE: Step = ("expire",)


class Seen(NamedTuple):
    """What was seen in the cloud; `twice` when an earlier look-up showed nothing else."""

    snapshots: tuple[Snapshot, ...] = ()
    looked: bool = False
    twice: bool = False
    listed: frozenset[int] = frozenset()
    lost: bool = False  # a recorded snapshot has not been listed for longer than any lag


def decide(protocol: Protocol, done: Object, seen: Seen) -> Step:
    """Return the next step; the first rule that applies wins."""
    if done.deleting:
        return _removal(protocol, done, seen)
    if done.expired and not done.failed:
        return _expiry(protocol, done, seen)
    if done.finished:
        return _at_rest(protocol, done, seen)
    if done.state == OPEN:
        return _unknown_outcome(protocol, done, seen)
    if done.state == RECORDED:
        if not done.claim:
            return _discard_unproven(protocol, done, seen)
        return _follow(protocol, done, seen)
    if protocol.attempt_limit and done.attempt >= protocol.max_attempts:
        return FAIL
    return ("capture", done.attempt + 1)


def _expiry(protocol: Protocol, done: Object, seen: Seen) -> Step:
    if not seen.looked:
        return LOOK_UP
    if done.ready and protocol.retires:
        return RETIRE
    return _delete_ours(protocol, seen) or EXPIRE


def _at_rest(protocol: Protocol, done: Object, seen: Seen) -> Step:
    if done.ready and seen.lost:
        return FAIL
    left = done.state in (OPEN, RECORDED)
    to_clean = left and (not done.ready or protocol.deletes)
    if done.finalizer == to_clean:
        return REST
    return MARK if to_clean else DROP


def _unknown_outcome(protocol: Protocol, done: Object, seen: Seen) -> Step:
    if not seen.looked:
        return LOOK_UP
    if _all_found(protocol, done, seen):
        return ADOPT
    if protocol.settle_before_retry and not _can_no_longer_appear(protocol, done, seen):
        return WAIT
    return _discard_all(protocol, done, seen) or SETTLE


def _discard_unproven(protocol: Protocol, done: Object, seen: Seen) -> Step:
    if not seen.looked:
        return LOOK_UP
    return _discard_all(protocol, done, seen) or _await_listing(protocol, done, seen) or SETTLE


def _discard_all(protocol: Protocol, done: Object, seen: Seen) -> Step | None:
    rest = [item for item in seen.snapshots if item.attempt == done.attempt]
    for item in rest:
        if item.complete and _ours(protocol, item):
            return ("discard", item.attempt, item.disk)
    if not rest:
        return None
    return FAIL if all(item.complete for item in rest) else WAIT


def _await_listing(protocol: Protocol, done: Object, seen: Seen) -> Step | None:
    recorded = set(range(protocol.disks))
    # A request may have been sent, and its snapshot made, as late as it was valid.
    until = VALID + LAG if protocol.listing_awaited else LAG
    return None if recorded <= seen.listed or done.ready or done.age > until else WAIT


def _follow(protocol: Protocol, done: Object, seen: Seen) -> Step:
    complete = {s.disk for s in seen.snapshots if s.attempt == done.attempt and s.complete}
    if len(complete) == protocol.disks:
        return FINISH
    return FAIL if seen.lost else WAIT


def _removal(protocol: Protocol, done: Object, seen: Seen) -> Step:
    if not done.attempt:
        return DROP
    open_still = done.state == OPEN
    unwanted = protocol.deletes or (done.state == RECORDED and not done.claim)
    if (open_still or unwanted) and not seen.looked:
        return LOOK_UP
    if unwanted:
        blocked = _delete_ours(protocol, seen)
        if blocked is None and done.state == RECORDED:
            blocked = _await_listing(protocol, done, seen)
        if blocked:
            return blocked
    elif open_still and _all_found(protocol, done, seen):
        return DROP
    may_act = open_still and not _can_no_longer_appear(protocol, done, seen)
    return WAIT if may_act and protocol.settle_before_drop else DROP


def _delete_ours(protocol: Protocol, seen: Seen) -> Step | None:
    rest = [item for item in seen.snapshots if _ours(protocol, item)]
    for item in rest:
        if item.complete:
            return ("discard", item.attempt, item.disk)
    return WAIT if rest else None


def _ours(protocol: Protocol, item: Snapshot) -> bool:
    return item.tagged or not protocol.tags


def _all_found(protocol: Protocol, done: Object, seen: Seen) -> bool:
    found = {item.disk for item in seen.snapshots if item.attempt == done.attempt}
    return len(found) == protocol.disks


def _can_no_longer_appear(protocol: Protocol, done: Object, seen: Seen) -> bool:
    return protocol.gives_up_waiting and done.age >= OVER and seen.twice
