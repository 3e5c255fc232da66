"""Decide the next step of one DiskSnapshot: an ordered list of rules over facts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from disksnapshot.reasons import Reason
from disksnapshot.snapshot.status import OPEN, RECORDED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from disksnapshot.snapshot.spec import Ask
    from disksnapshot.snapshot.status import Done, Intent

MAX_ATTEMPTS = 3  # that touch writers
LOOK_UP_PAUSE = timedelta(seconds=10)
POLL_PAUSE = timedelta(seconds=5)
# So long may a snapshot that was asked for take to be listed; more is outside the promise.
LAG = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A snapshot of this object that the cloud lists; `ours` only by its tags, never by name."""

    id: str
    disk_id: str
    attempt: int
    state: str
    percent: int
    ours: bool

    @property
    def complete(self) -> bool:
        """It can be restored from."""
        return self.state == "NORMAL" and self.percent == 100  # noqa: PLR2004 - per cent


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was observed in the cloud; `absent_since` is when a look-up first found nothing."""

    snapshots: tuple[Found, ...] = ()
    looked: bool = False
    absent_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Rest:
    """Nothing to do until the object changes."""


@dataclass(frozen=True, slots=True)
class LookUp:
    """Ask the cloud which snapshots of this object exist."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Say why, and look again at `until`."""

    until: datetime
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Capture:
    """Hold, cut, let go, record: the one compound step."""

    attempt: int


@dataclass(frozen=True, slots=True)
class Adopt:
    """Record snapshots that were found after their reply was lost."""

    snapshots: Mapping[str, str] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Settle:
    """Write down that the attempt left nothing."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Discard:
    """Delete a snapshot of ours."""

    snapshot_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Follow:
    """Write progress, and look again."""

    states: Mapping[str, tuple[str, int]] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Finish:
    """The snapshot can be used."""

    states: Mapping[str, tuple[str, int]] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Fail:
    """This object will not become Ready."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class DropFinalizer:
    """Nothing of this object can appear in the cloud any more: let it go."""


Step = (
    Rest | LookUp | Wait | Capture | Adopt | Settle | Discard | Follow | Finish | Fail
    | DropFinalizer
)  # fmt: skip


def next_step(ask: Ask, done: Done, seen: Seen, now: datetime) -> Step:
    """Return the next step. The rules are ordered: the first that applies wins."""
    intent = done.intent
    if ask.deleting:
        return _removal(ask, done, seen, now)
    if done.finished:
        return Rest()
    if intent and intent.state == OPEN:
        return _unknown_outcome(intent, seen, now)
    if intent and intent.state == RECORDED:
        if not done.consistency:
            return _discard_unproven(intent, seen, now)
        return _follow(done, intent, seen, now)
    if intent and intent.attempt >= MAX_ATTEMPTS:
        return Fail(done.reason, f"{done.message}; given up after {intent.attempt} attempts")
    if done.retry and now < done.retry:
        return Wait(done.retry, done.reason, done.message)
    return Capture(intent.attempt + 1 if intent else 1)


def _unknown_outcome(intent: Intent, seen: Seen, now: datetime) -> Step:
    """A request may have acted, or may still act: look before anything else is done."""
    if not seen.looked:
        return LookUp()
    found = {item.disk_id: item.id for item in seen.snapshots if item.attempt == intent.attempt}
    if set(found) == set(intent.disk_ids):
        return Adopt(found)
    if not _can_no_longer_appear(intent, seen, now):
        until = min(now + LOOK_UP_PAUSE, intent.not_after + LAG + LOOK_UP_PAUSE)
        message = (
            "the answer to the request for a snapshot was lost; looking for it until it can "
            f"no longer appear ({intent.not_after + LAG:%H:%M:%S} UTC)"
        )
        return Wait(max(until, now + timedelta(seconds=1)), Reason.OUTCOME_UNKNOWN, message)
    # Part of the disks only: a snapshot of some disks is no snapshot of the object.
    return _discard_all(intent, seen, now) or Settle(
        Reason.OUTCOME_UNKNOWN, "the request for a snapshot left nothing behind"
    )


def _discard_unproven(intent: Intent, seen: Seen, now: datetime) -> Step:
    """The proof failed after the cut, and the policy wants no such snapshot."""
    if not seen.looked:
        return LookUp()
    return _discard_all(intent, seen, now) or Settle(
        Reason.PROOF_FAILED, "the hold was not proven; its snapshot was deleted"
    )


def _discard_all(intent: Intent, seen: Seen, now: datetime) -> Step | None:
    """Delete every snapshot of the attempt, one at a time; None when all are gone."""
    rest = [item for item in seen.snapshots if item.attempt == intent.attempt]
    for item in rest:
        if item.ours and item.complete:
            return Discard(item.id, Reason.PROOF_FAILED)
    if rest:
        # CBS deletes only snapshots that are complete.
        message = (
            f"waiting until {rest[0].id} can be deleted ({rest[0].state} {rest[0].percent} %)"
        )
        return Wait(now + POLL_PAUSE, Reason.DELETION_BLOCKED, message)
    return None


def _follow(done: Done, intent: Intent, seen: Seen, now: datetime) -> Step:
    """The cut is recorded: wait until the cloud has copied it."""
    known = {item.id: item for item in seen.snapshots}
    states = {
        disk_id: (known[snapshot_id].state, known[snapshot_id].percent)
        for disk_id, snapshot_id in done.snapshots.items()
        if snapshot_id in known
    }
    if len(states) < len(done.snapshots):
        if seen.absent_since and now - max(seen.absent_since, intent.signed) > LAG:
            lost = sorted(set(done.snapshots.values()) - set(known))
            return Fail(Reason.SNAPSHOT_LOST, f"the cloud no longer lists {', '.join(lost)}")
        return Follow(states)
    if all(known[snapshot_id].complete for snapshot_id in done.snapshots.values()):
        return Finish(states)
    return Follow(states)


def _removal(ask: Ask, done: Done, seen: Seen, now: datetime) -> Step:
    """The object is being deleted: it stays until nothing of it can appear unseen."""
    if not ask.has_finalizer:
        return Rest()
    intent = done.intent
    if intent is None:
        return DropFinalizer()
    open_still = intent.state == OPEN
    unproven = intent.state == RECORDED and not done.consistency
    unwanted = ask.deletion_policy == "Delete" or unproven
    if (open_still or unwanted) and not seen.looked:
        return LookUp()
    if unwanted:
        blocked = _delete_ours(seen, now)
        if blocked:
            return blocked
    elif open_still and {s.disk_id for s in seen.snapshots if s.attempt == intent.attempt} == set(
        intent.disk_ids
    ):
        return DropFinalizer()
    if open_still and not _can_no_longer_appear(intent, seen, now):
        message = (
            "a request for a snapshot may still act; deletion goes on when it can't "
            f"({intent.not_after + LAG:%H:%M:%S} UTC)"
        )
        return Wait(now + LOOK_UP_PAUSE, Reason.DELETING, message)
    return DropFinalizer()


def _delete_ours(seen: Seen, now: datetime) -> Step | None:
    rest = [item for item in seen.snapshots if item.ours]
    for item in rest:
        if item.complete:
            return Discard(item.id, Reason.DELETING)
    if rest:
        message = (
            f"waiting until {rest[0].id} can be deleted ({rest[0].state} {rest[0].percent} %)"
        )
        return Wait(now + POLL_PAUSE, Reason.DELETION_BLOCKED, message)
    return None


def _can_no_longer_appear(intent: Intent, seen: Seen, now: datetime) -> bool:
    """The request has expired, its lag has passed, and two look-ups apart agreed on it."""
    expired = now > intent.not_after + LAG
    twice = seen.absent_since is not None and now - seen.absent_since >= LOOK_UP_PAUSE
    return expired and twice
