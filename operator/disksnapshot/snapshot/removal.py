"""Decide how what is unwanted goes: with its object, when it expires, or after a vain attempt."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from disksnapshot.reasons import Reason
from disksnapshot.snapshot.status import OPEN, RECORDED
from disksnapshot.snapshot.steps import (
    Discard,
    DropFinalizer,
    Expire,
    Fail,
    GiveUp,
    LookUp,
    Rest,
    Retire,
    Wait,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from disksnapshot.snapshot.spec import Ask
    from disksnapshot.snapshot.status import Done, Intent
    from disksnapshot.snapshot.steps import Found, Seen, Step

LOOK_UP_PAUSE, LONGEST_LOOK_UP_PAUSE = timedelta(seconds=10), timedelta(seconds=60)
POLL_PAUSE = timedelta(seconds=5)
LISTING_PAUSE = timedelta(seconds=2)
# So long may a snapshot that was asked for take to be listed; more is outside the promise.
LAG = timedelta(seconds=60)
# What an object is called whose snapshot is to be kept: no lost field may make it an unproven one.
KEPT = {Reason.CREATING, Reason.READY}


def of_the_object(ask: Ask, done: Done, seen: Seen, now: datetime) -> Step:
    """The object is being deleted: it stays until nothing of it can appear unseen."""
    if not ask.has_finalizer:
        return Rest()
    intent = done.intent
    if intent is None:
        return DropFinalizer()
    if ask.gives_up:
        return GiveUp(_what_is_given_up(done, intent))
    open_still = intent.state == OPEN
    unproven = intent.state == RECORDED and not done.consistency and done.reason not in KEPT
    unwanted = ask.deletion_policy == "Delete" or unproven
    if (open_still or unwanted) and not seen.looked:
        return LookUp()
    if unwanted:
        blocked = _delete_ours(seen, now, Reason.DELETING)
        if blocked is None and intent.state == RECORDED:
            blocked = await_listing(done, intent, seen, now)
        if blocked:
            return blocked
    elif open_still and {s.disk_id for s in seen.snapshots if s.attempt == intent.attempt} == set(
        intent.disk_ids
    ):
        return DropFinalizer()
    if open_still and not can_no_longer_appear(intent, seen, now):
        message = (
            "a request for a snapshot may still act; deletion goes on when it can't "
            f"({intent.not_after + LAG:%H:%M:%S} UTC)"
        )
        return Wait(now + LOOK_UP_PAUSE, Reason.DELETING, message)
    return _let_go(seen) if unwanted else DropFinalizer()


def _let_go(seen: Seen) -> Step:
    """Let an object go whose snapshots are unwanted: what can't be deleted is said."""
    unmarked = [item.id for item in seen.snapshots if not item.ours]
    if unmarked:
        # Without our tags nothing is deleted, however well its name fits.
        return GiveUp(f"{', '.join(unmarked)} lost this object's tags, so it stays in the cloud")
    return DropFinalizer()


def _what_is_given_up(done: Done, intent: Intent) -> str:
    named = (
        ", ".join(sorted(done.snapshots.values())) or "what an unanswered request may have made"
    )
    disks = ", ".join(intent.disk_ids)
    return f"given up by the annotation, so {named} of {disks} may stay in the cloud; look there"


def of_the_expired(done: Done, seen: Seen, now: datetime, expires: datetime) -> Step:
    """Its time is over: the snapshot goes under either policy, and the object stays to say so."""
    if not seen.looked:
        return LookUp()
    named = ", ".join(sorted(done.snapshots.values()))
    if done.ready == "True":
        # More time may be asked for at any moment: nobody shall read Ready of what is deleted.
        return Retire(f"{named} expired {expires:%Y-%m-%d %H:%M:%S} UTC and is deleted now")
    blocked = _delete_ours(seen, now, Reason.EXPIRED)
    if blocked:
        return blocked
    message = f"{named} expired {expires:%Y-%m-%d %H:%M:%S} UTC and was deleted"
    if seen.snapshots:  # without our tags
        message = (
            f"{named} expired, and doesn't carry this object's tags, so it is left; look at it"
        )
    return Expire(message)


def _delete_ours(seen: Seen, now: datetime, why: Reason) -> Step | None:
    rest = [item for item in seen.snapshots if item.ours]
    for item in rest:
        if item.complete:
            return Discard(item.id, why)
    return _await_creation(rest, now) if rest else None


def of_the_attempt(intent: Intent, seen: Seen, now: datetime, why: Reason) -> Step | None:
    """Delete every snapshot of the attempt, one at a time; None when all are gone."""
    rest = [item for item in seen.snapshots if item.attempt == intent.attempt]
    for item in rest:
        if item.ours and item.complete:
            return Discard(item.id, why)
    if any(not item.complete for item in rest):
        return _await_creation(rest, now)
    if rest:
        # Without our tags nothing is deleted; waiting would not make it ours.
        left = ", ".join(item.id for item in rest)
        return Fail(why, f"{left} doesn't carry this object's tags, so it is left; look at it")
    return None


def _await_creation(rest: Sequence[Found], now: datetime) -> Step:
    """CBS deletes only snapshots that are complete."""
    # Without the percent: a message that changes each time would be written each time.
    name = next(item.id for item in rest if not item.complete)
    message = f"waiting until {name} is complete; only then the cloud can delete it"
    return Wait(now + POLL_PAUSE, Reason.DELETION_BLOCKED, message)


def await_listing(done: Done, intent: Intent, seen: Seen, now: datetime) -> Step | None:
    """A snapshot that no look-up has shown yet is not gone: it may only not be listed yet.

    It may have been made as late as its request was valid, by a window that was paused.
    """
    unlisted = sorted(set(done.snapshots.values()) - seen.listed)
    if not unlisted or done.ready == "True" or now > intent.not_after + LAG:
        return None
    message = f"waiting until the cloud lists {unlisted[0]}, to delete it"
    pause = min(max(LISTING_PAUSE, (now - intent.signed) / 4), LONGEST_LOOK_UP_PAUSE)
    return Wait(now + pause, Reason.DELETION_BLOCKED, message)


def can_no_longer_appear(intent: Intent, seen: Seen, now: datetime) -> bool:
    """The request has expired, its lag has passed, and two look-ups apart agreed on it."""
    expired = now > intent.not_after + LAG
    twice = seen.absent_since is not None and now - seen.absent_since >= LOOK_UP_PAUSE
    return expired and twice
