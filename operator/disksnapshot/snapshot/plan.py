"""Decide the next step of one DiskSnapshot: an ordered list of rules over facts."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from disksnapshot.reasons import Reason
from disksnapshot.snapshot import offline, removal
from disksnapshot.snapshot.removal import KEPT, LAG, LONGEST_LOOK_UP_PAUSE, LOOK_UP_PAUSE
from disksnapshot.snapshot.status import OPEN, PARTLY, PARTLY_FOR_GOOD, SETTLED
from disksnapshot.snapshot.steps import (
    Acknowledge,
    AddFinalizer,
    Adopt,
    Capture,
    DropFinalizer,
    Fail,
    Finish,
    Follow,
    LookUp,
    Reopen,
    Rest,
    SetDeadline,
    Settle,
    Wait,
)

if TYPE_CHECKING:
    from datetime import datetime

    from disksnapshot.snapshot.spec import Ask
    from disksnapshot.snapshot.status import Done, Intent
    from disksnapshot.snapshot.steps import Seen, Step

MAX_ATTEMPTS = 3  # that touch writers
# Pauses are up to 18 minutes, and a clock that was found to be some minutes off may have gone back
# since: a time for the next try that is later yet was written by one that was hours wrong.
LONGEST_RETRY = timedelta(minutes=30)


def next_step(ask: Ask, done: Done, seen: Seen, now: datetime) -> Step:
    """Return the next step. The rules are ordered: the first that applies wins."""
    intent = done.intent
    scaling = offline.before_all(ask, done, seen.workload, now)
    if scaling:
        return scaling
    if _is_torn(ask, done):
        return Reopen()
    if ask.deleting:
        return removal.of_the_object(ask, done, seen, now)
    expires = ask.expires(done.signed)
    if expires and now >= expires and not done.stalled:
        return removal.of_the_expired(done, seen, now, expires)
    if done.finished:
        return _at_rest(ask, done, seen, expires)
    if intent and intent.state != SETTLED:
        return _under_way(ask, done, intent, seen, now)
    return _attempt(ask, done, now)


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
    if not removal.can_no_longer_appear(intent, seen, now):
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
    discarded = removal.of_the_attempt(intent, seen, now, Reason.OUTCOME_UNKNOWN)
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
        removal.of_the_attempt(intent, seen, now, Reason.PROOF_FAILED)
        or removal.await_listing(done, intent, seen, now)
        or Settle(Reason.PROOF_FAILED, "the hold was not proven; its snapshot was deleted")
    )


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
