"""Let an object meet one error code for an hour, and tell what came of it."""

import random
from dataclasses import dataclass
from datetime import timedelta

from disksnapshot.cbs import errors
from disksnapshot.cbs.errors import Remedy
from disksnapshot.reasons import Reason
from lab.lives.life import Life, NewLife

HOUR = timedelta(hours=1)
_LONGEST_SECONDS = 600  # of this machine's time, longer than any walk
FAILED, WAITS, GONE = "failed", "waits", "gone"
# What is met when a snapshot is deleted, and what becomes of the object then.
ON_DELETION = {Reason.DELETION_BLOCKED: WAITS, Reason.SNAPSHOT_LOST: GONE}


def expected(code: str) -> str:
    """Return what an hour must come to: three attempts fail, and a stopped region waits."""
    known = errors.TABLE[code]
    return ON_DELETION.get(known.reason, WAITS if known.remedy is Remedy.QUOTA else FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What an hour of one code came to."""

    code: str
    action: str
    reason: str
    end: str
    minutes: float
    requests: int  # for a snapshot: each would have cost the writers a hold
    failures: int  # answers with this code
    calls: int
    snapshots: int


def meet(new_life: NewLife, code: str) -> Seen:
    """Answer every request for a snapshot, or for its deletion, with this code."""
    random.seed(code)  # the pauses are spread a little: each walk of a code by the same numbers
    on_deletion = errors.TABLE[code].reason in ON_DELETION
    action = "DeleteSnapshots" if on_deletion else "CreateSnapshot"
    one = new_life(deletionPolicy="Delete") if on_deletion else new_life()
    if on_deletion:
        one.run(HOUR)
        one.api.delete()
    # A snapshot isn't found by its deletion when it has just gone.
    gone = ON_DELETION.get(errors.TABLE[code].reason) == GONE
    one.control.error(action, code, seconds=_LONGEST_SECONDS, acted=gone)
    began = one.passed
    one.run(HOUR)
    one.control.clear_faults()
    return _seen(one, code, action, began)


def _seen(one: Life, code: str, action: str, began: timedelta) -> Seen:
    calls = one.calls()
    gone = one.api.stored is None
    end = GONE if gone else FAILED if one.status.stalled else WAITS
    seen = Seen(
        code=code,
        action=action,
        reason=errors.TABLE[code].reason if gone else one.status.reason,
        end=end,
        minutes=(one.passed - began).total_seconds() / 60,
        requests=calls["CreateSnapshot"],
        failures=calls[action],
        calls=calls.total(),
        snapshots=len(one.in_the_cloud()),
    )
    for snapshot in one.in_the_cloud():
        one.control.vanish(snapshot["id"])
    return seen
