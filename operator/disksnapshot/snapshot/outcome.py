"""Judge what one attempt came to: recorded, settled, or an outcome that is unknown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from disksnapshot.cbs.errors import Remedy, meaning
from disksnapshot.errors import Problem
from disksnapshot.reasons import Reason
from disksnapshot.snapshot import status, stillness
from disksnapshot.snapshot.draft import MESSAGE_LIMIT
from disksnapshot.snapshot.measurements import quiesce_status
from disksnapshot.snapshot.proof import verdict

if TYPE_CHECKING:
    from datetime import datetime

    from disksnapshot.cbs.errors import Meaning
    from disksnapshot.snapshot.draft import Draft
    from disksnapshot.snapshot.spec import Ask
    from disksnapshot.window.hold import Facts, Refusal

RETRY_PAUSE, LATER_PAUSE = timedelta(seconds=60), timedelta(minutes=5)
SELDOM_PAUSE = timedelta(minutes=15)  # where only a person can help


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one attempt came to, kept in memory until the API server has acknowledged it."""

    nonce: str
    facts: Facts | None
    refusal: Refusal | None = None
    problem: Problem | None = None
    stillness: stillness.Stillness | None = None


def judge(draft: Draft, ask: Ask, result: Result, now: datetime) -> Draft:
    """Write down what came of an attempt: recorded, settled, or an outcome that is unknown."""
    facts = result.facts
    if facts is None:
        message = "the window ended without an answer; looking for its snapshot in the cloud"
        return draft.waiting(Reason.OUTCOME_UNKNOWN, message)
    if facts.steps:
        draft.quiesced(quiesce_status(facts))
    elif result.stillness and result.stillness.everywhere:
        draft.stood_still(result.stillness.why)
    elif ask.quiesce is None:
        draft.not_held(Reason.NOT_HELD, "nothing was held, as asked")
    elif unheld := result.problem or facts.refusal:
        # In a condition of its own: that of Ready goes on to say other things.
        why = str(unheld) if isinstance(unheld, Problem) else unheld.message
        message = f"nothing could be held, and the policy allows that: {unheld.reason}: {why}"
        draft.not_held(Reason.NOT_HELD, message)
    if not any(disk.sent for disk in facts.disks):
        refusal = facts.refusal or result.refusal
        reason = refusal.reason if refusal else Reason.HOLD_LOST
        message = refusal.message if refusal else "the hold was let go before the cut"
        return draft.settle().waiting(reason, message, now + RETRY_PAUSE)
    if all(disk.snapshot_id for disk in facts.disks):
        return _recorded(draft, ask, result, facts)
    return _refused(draft, facts, now)


def _recorded(draft: Draft, ask: Ask, result: Result, facts: Facts) -> Draft:
    draft.record({disk.disk_id: disk.snapshot_id for disk in facts.disks})
    proven = [
        step.kind
        for step in facts.steps
        if step.proven and step.stops_writes and facts.cut_while_held
    ]
    if draft.is_cleanly_down:
        proven.append("offline")
    still = result.stillness
    wanted = ask.quiesce is not None and not ask.quiesce.allows_crash_consistent
    if wanted and not _is_proven(facts, still):
        whys = [*(step.reason for step in facts.steps), still.why if still else ""]
        why = next((why for why in whys if why), "the hold was lost")
        message = f"the cut was made, but {why}; its snapshot will be deleted"
        return draft.waiting(Reason.PROOF_FAILED, message)
    draft.call_it(verdict(stillness.covered(proven, still)))
    message = "the cut is made; the cloud copies the data"
    unheld = result.problem or facts.refusal
    if unheld:
        message += f"; nothing was held ({unheld.reason})"
    if still and still.why:
        message += f"; {still.why}"
    return draft.waiting(Reason.CREATING, message)


def _is_proven(facts: Facts, still: stillness.Stillness | None) -> bool:
    """Tell whether every claim was held, or stood still by itself."""
    if still is None:
        return facts.proven
    return still.proven and (still.everywhere or facts.proven)


def _refused(draft: Draft, facts: Facts, now: datetime) -> Draft:
    """Some disk has no snapshot id: refused for sure, or unknown."""
    refused = [meaning(disk.code) for disk in facts.disks if not disk.snapshot_id]
    said = "; ".join(
        f"{disk.disk_id}: {disk.code or disk.message} {disk.message if disk.code else ''}".strip()
        + (f" (request {disk.request_id})" if disk.request_id else "")
        for disk in facts.disks
        if not disk.snapshot_id
    )
    if any(known.remedy is Remedy.LOOK_UP for known in refused):
        message = f"no clear answer to the request for a snapshot: {said}"
        return draft.waiting(Reason.OUTCOME_UNKNOWN, message)
    # What passes by itself is waited for, although another disk was refused for good.
    passing = [known for known in refused if known.remedy is not Remedy.FINAL]
    if any(disk.snapshot_id for disk in facts.disks):
        # By its end the message is known again, so that what is said before is cut.
        end = status.PARTLY if passing else status.PARTLY_FOR_GOOD
        said = said[: MESSAGE_LIMIT - len(end)] + end
        return draft.waiting((passing or refused)[0].reason, said)
    draft.settle()
    if not passing:
        return draft.failed(refused[0].reason, said)
    return draft.waiting(passing[0].reason, said, now + _pause(passing[0], draft.attempt))


def _pause(refused: Meaning, attempt: int) -> timedelta:
    """Return how long writers are left alone: each attempt costs them a hold, and there are few.

    While there is no room in the region, the gate lets nobody in anyway.
    """
    if refused.remedy in {Remedy.CREDENTIALS, Remedy.PERMISSION}:
        return SELDOM_PAUSE
    first = attempt == 1 or refused.remedy is Remedy.QUOTA
    return RETRY_PAUSE if first else LATER_PAUSE
