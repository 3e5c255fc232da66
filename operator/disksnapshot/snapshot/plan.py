"""Decide the next step of one DiskSnapshot: an ordered list of rules over facts."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from disksnapshot.reasons import Reason
from disksnapshot.snapshot import offline
from disksnapshot.snapshot.status import OPEN, PARTLY, PARTLY_FOR_GOOD, RECORDED, SETTLED
from disksnapshot.snapshot.steps import (
    Acknowledge,
    AddFinalizer,
    Adopt,
    Capture,
    Discard,
    DropFinalizer,
    Expire,
    Fail,
    Finish,
    Follow,
    GiveUp,
    LookUp,
    Reopen,
    Rest,
    Retire,
    SetDeadline,
    Settle,
    Wait,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from disksnapshot.snapshot.spec import Ask
    from disksnapshot.snapshot.status import Done, Intent
    from disksnapshot.snapshot.steps import Found, Seen, Step

MAX_ATTEMPTS = 3  # that touch writers
LOOK_UP_PAUSE, LONGEST_LOOK_UP_PAUSE = timedelta(seconds=10), timedelta(seconds=60)
# What an object is called whose snapshot is to be kept: no lost field may make it an unproven one.
KEPT = {Reason.CREATING, Reason.READY}
POLL_PAUSE = timedelta(seconds=5)
LISTING_PAUSE = timedelta(seconds=2)
# Pauses are up to 18 minutes, and a clock that was found to be some minutes off may have gone back
# since: a time for the next try that is later yet was written by one that was hours wrong.
LONGEST_RETRY = timedelta(minutes=30)
# So long may a snapshot that was asked for take to be listed; more is outside the promise.
LAG = timedelta(seconds=60)


def next_step(ask: Ask, done: Done, seen: Seen, now: datetime) -> Step:
    """Return the next step. The rules are ordered: the first that applies wins."""
    intent = done.intent
    scaling = offline.before_all(ask, done, seen.workload, now)
    if scaling:
        return scaling
    if _is_torn(ask, done):
        return Reopen()
    if ask.deleting:
        return _removal(ask, done, seen, now)
    expires = ask.expires(done.signed)
    if expires and now >= expires and not done.stalled:
        return _expiry(done, seen, now, expires)
    if done.finished:
        return _at_rest(ask, done, seen, expires)
    if intent and intent.state != SETTLED:
        return _under_way(ask, done, intent, seen, now)
    return _attempt(ask, done, now)


def rests_on_absence(ask: Ask, done: Done, seen: Seen, step: Step) -> bool:
    """Tell whether a step takes what the cloud doesn't list for gone, for good.

    Keys of another account, or a wrong region, show the same emptiness. A list of this moment with
    something of the object in it doesn't; what the sweeps have seen may be older than the keys. A
    request that was never answered, and of which no look-up has shown anything, is the exception
    when its object is deleted: there may never have been anything, and no namespace shall wait for
    what can't be known.
    """
    if seen.looked and seen.snapshots:
        return False
    match step:
        case Fail(reason):
            return reason == Reason.SNAPSHOT_LOST
        case DropFinalizer():
            return seen.looked and ask.deleting and _was_made(done, seen)
        case _:
            return isinstance(step, Settle | Expire)


def _was_made(done: Done, seen: Seen) -> bool:
    """Tell whether an answer or a look-up has shown snapshots that aren't all known to be gone.

    Also where the intent was opened again since a part of the status was lost.
    """
    if done.intent is None or done.intent.state == SETTLED:
        return False
    if done.reason == Reason.SNAPSHOT_LOST:
        return len(done.snapshots) > 1  # it says that not all of them are there
    return done.recorded or done.taken or bool(done.snapshots or seen.listed)


def _is_torn(ask: Ask, done: Done) -> bool:
    """Part of an attempt was lost, as by a definition that lacked a field for a while.

    What has failed stays so; a deletion needs no more than the disks of the intent.
    """
    if done.intent is None:
        return bool(done.names) and (ask.deleting or not done.stalled)
    if not done.recorded or ask.deleting or done.stalled:
        return False
    if not done.consistency:
        return done.reason in KEPT
    return not set(done.intent.disk_ids) <= set(done.snapshots)


def _attempt(ask: Ask, done: Done, now: datetime) -> Step:
    """Nothing can have come of what was: begin, or begin again."""
    attempt = done.intent.attempt if done.intent else 0
    ended = offline.after_it(done)
    if ended:
        return ended
    if done.message.endswith(PARTLY_FOR_GOOD):
        return Fail(done.reason, done.message)
    if attempt >= MAX_ATTEMPTS:
        # Both were lost where the conditions were.
        reason, said = done.reason or Reason.OUTCOME_UNKNOWN, done.message or "no reason is left"
        return Fail(reason, f"{said}; given up after {attempt} attempts")
    if done.retry and now < done.retry <= now + LONGEST_RETRY:
        return Wait(done.retry, done.reason, done.message)
    return offline.begin(ask, done) or Capture(attempt + 1)


def _under_way(ask: Ask, done: Done, intent: Intent, seen: Seen, now: datetime) -> Step:
    """An attempt may have left something: go on with it, and let nobody delete it unseen."""
    if not ask.has_finalizer:
        return AddFinalizer()
    if intent.state == OPEN:
        return _unknown_outcome(done, intent, seen, now)
    go_on = _follow if done.consistency else _discard_unproven
    return go_on(done, intent, seen, now)


def _expiry(done: Done, seen: Seen, now: datetime, expires: datetime) -> Step:
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


def _at_rest(ask: Ask, done: Done, seen: Seen, expires: datetime | None) -> Step:
    """Ready or failed for good: keep a finalizer only while something is to be cleaned."""
    ready = done.ready == "True"
    if ready and seen.absent_since:
        lost = ", ".join(sorted(done.snapshots.values()))
        return Fail(Reason.SNAPSHOT_LOST, f"the cloud no longer lists all of {lost}")
    if done.generation != ask.generation:
        return Acknowledge()
    left = done.intent is not None and done.intent.state != SETTLED
    # An expiry needs none: without the object, the cloud's deadline is left to do it.
    to_clean = left and (not ready or ask.deletion_policy == "Delete")
    if ask.has_finalizer and not to_clean:
        return DropFinalizer()
    if to_clean and not ask.has_finalizer:
        return AddFinalizer()
    deadline = ask.deadline(done.signed)
    if ready and deadline != done.deadline:  # last: it may be refused for as long as one likes
        return SetDeadline(deadline)
    return Rest(expires if ready else None)


def _unknown_outcome(done: Done, intent: Intent, seen: Seen, now: datetime) -> Step:
    """A request may have acted, or may still act: look before anything else is done."""
    if not seen.looked:
        return LookUp()
    found = {item.disk_id: item.id for item in seen.snapshots if item.attempt == intent.attempt}
    if set(found) == set(intent.disk_ids):
        return Adopt(found)
    if not _can_no_longer_appear(intent, seen, now):
        # Ever more seldom: it is listed within seconds as a rule, or never.
        pause = min(max(LOOK_UP_PAUSE, (now - intent.signed) / 4), LONGEST_LOOK_UP_PAUSE)
        until = min(now + pause, intent.not_after + LAG + LOOK_UP_PAUSE)
        message = (
            "the answer to the request for a snapshot was lost; looking for it until it can "
            f"no longer appear ({intent.not_after + LAG:%H:%M:%S} UTC)"
        )
        said = _refused_partly(done) or (Reason.OUTCOME_UNKNOWN, message)
        return Wait(max(until, now + timedelta(seconds=1)), *said)
    if done.taken:
        # It was recorded, and part of the status lost since: no reason to hold writers again.
        return Fail(Reason.SNAPSHOT_LOST, "the cloud no longer lists what the attempt made")
    # Part of the disks only: a snapshot of some disks is no snapshot of the object.
    nothing = (Reason.OUTCOME_UNKNOWN, "the request for a snapshot left nothing behind")
    discarded = _discard_all(intent, seen, now, Reason.OUTCOME_UNKNOWN)
    said = _refused_partly(done) or nothing
    if isinstance(discarded, Wait) and said is not nothing:
        return Wait(discarded.until, *said)
    return discarded or Settle(*said)


def _refused_partly(done: Done) -> tuple[str, str] | None:
    """Return why some of the disks were refused: that stays said while the rest is deleted."""
    known = done.message.endswith((PARTLY, PARTLY_FOR_GOOD))
    return (done.reason, done.message) if known else None


def _discard_unproven(done: Done, intent: Intent, seen: Seen, now: datetime) -> Step:
    """The proof failed after the cut, and the policy wants no such snapshot."""
    if not seen.looked:
        return LookUp()
    return (
        _discard_all(intent, seen, now, Reason.PROOF_FAILED)
        or _await_listing(done, intent, seen, now)
        or Settle(Reason.PROOF_FAILED, "the hold was not proven; its snapshot was deleted")
    )


def _discard_all(intent: Intent, seen: Seen, now: datetime, why: Reason) -> Step | None:
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


def _await_listing(done: Done, intent: Intent, seen: Seen, now: datetime) -> Step | None:
    """A snapshot that no look-up has shown yet is not gone: it may only not be listed yet.

    It may have been made as late as its request was valid, by a window that was paused.
    """
    unlisted = sorted(set(done.snapshots.values()) - seen.listed)
    if not unlisted or done.ready == "True" or now > intent.not_after + LAG:
        return None
    message = f"waiting until the cloud lists {unlisted[0]}, to delete it"
    pause = min(max(LISTING_PAUSE, (now - intent.signed) / 4), LONGEST_LOOK_UP_PAUSE)
    return Wait(now + pause, Reason.DELETION_BLOCKED, message)


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
        return Follow(states, seen.trouble)
    if all(known[snapshot_id].complete for snapshot_id in done.snapshots.values()):
        return Finish(states)
    return Follow(states, seen.trouble)


def _removal(ask: Ask, done: Done, seen: Seen, now: datetime) -> Step:
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
            blocked = _await_listing(done, intent, seen, now)
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


def _delete_ours(seen: Seen, now: datetime, why: Reason) -> Step | None:
    rest = [item for item in seen.snapshots if item.ours]
    for item in rest:
        if item.complete:
            return Discard(item.id, why)
    return _await_creation(rest, now) if rest else None


def _can_no_longer_appear(intent: Intent, seen: Seen, now: datetime) -> bool:
    """The request has expired, its lag has passed, and two look-ups apart agreed on it."""
    expired = now > intent.not_after + LAG
    twice = seen.absent_since is not None and now - seen.absent_since >= LOOK_UP_PAUSE
    return expired and twice
