"""Tell which steps take what the cloud doesn't list for gone, for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from disksnapshot.reasons import Reason
from disksnapshot.snapshot.status import SETTLED
from disksnapshot.snapshot.steps import DropFinalizer, Expire, Fail, Settle

if TYPE_CHECKING:
    from disksnapshot.snapshot.spec import Ask
    from disksnapshot.snapshot.status import Done
    from disksnapshot.snapshot.steps import Seen, Step


def is_concluded(ask: Ask, done: Done, seen: Seen, step: Step) -> bool:
    """Tell whether a step concludes from an empty list that nothing is there any more.

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
