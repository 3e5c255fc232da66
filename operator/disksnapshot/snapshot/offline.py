"""Decide what is done with a workload that goes to zero for a snapshot, and when it comes back.

The rules hold after a death at any point: each looks at what is written down and at what is so,
never at what somebody was about to do.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from disksnapshot.reasons import Reason
from disksnapshot.snapshot.steps import (
    AddFinalizer,
    Fail,
    GiveUp,
    LookAtWorkload,
    Note,
    Scale,
    TakeDown,
    Wait,
)

if TYPE_CHECKING:
    from datetime import datetime

    from disksnapshot.snapshot.down import Down, Workload
    from disksnapshot.snapshot.spec import Ask
    from disksnapshot.snapshot.status import Done
    from disksnapshot.snapshot.steps import Scaling, Step

LOOK_PAUSE = timedelta(seconds=2)


def before_all(ask: Ask, done: Done, workload: Workload | None, now: datetime) -> Step | None:
    """Return what comes before every other rule while a workload is down; None: go on.

    It comes first since people wait for it: whatever befalls the snapshot, the workload is back
    before anything is found out, deleted or called failed.
    """
    down = done.offline
    if down is None or down.over:
        return None
    if ask.deleting and ask.gives_up and done.reason == Reason.SCALE_FORBIDDEN:
        return GiveUp(f"given up by the annotation; to scale back: {down.undo(ask.namespace)}")
    if workload is None:
        return LookAtWorkload()
    if workload.uid == down.uid and not _is_to_return(ask, done, down, now):
        return _on_the_way(ask, down, workload, now)
    return _back(done, down, workload, now)


def after_it(done: Done) -> Step | None:
    """Return how it ends when the workload is back without a snapshot; None where it never went.

    Once is all: nobody asked for one outage after the other.
    """
    down = done.offline
    if down is None or not down.over:
        return None
    if down.reason:
        return Fail(down.reason, down.message)
    return Fail(done.reason, f"{done.message}; {down.label} is not taken to zero a second time")


def begin(ask: Ask, done: Done) -> Step | None:
    """Return the first step of a snapshot that wants its workload at zero."""
    return TakeDown() if ask.offline and done.offline is None else None


def _is_to_return(ask: Ask, done: Done, down: Down, now: datetime) -> bool:
    """Tell whether nothing more is to be cut while it is down, for whatever cause.

    An intent is enough: its request is sent, or never will be. Should it act later, what it makes
    is found, and called Unknown.
    """
    unwanted = ask.deleting or ask.offline is None
    ended = done.finished or done.intent is not None or bool(down.reason)
    return unwanted or ended or now >= down.until


def _on_the_way(ask: Ask, down: Down, workload: Workload, now: datetime) -> Step | None:
    """Nothing speaks against a cut: it goes to zero, and is detached; None when it is."""
    if down.scaled is None:
        return _to_zero(ask, down, workload, now)
    if workload.replicas:
        # Somebody else wants it up. To scale it down again would be a fight that writers pay for.
        return Note(_ended(down, now, Reason.SCALE_CONTESTED, _contested(down, workload)))
    if not ask.has_finalizer:
        return AddFinalizer()  # somebody took it off; without it a deletion leaves it at zero
    return _until_detached(ask, down, workload, now) if down.detached is None else None


def _back(done: Done, down: Down, workload: Workload, now: datetime) -> Scaling:
    if workload.uid != down.uid:
        message = f"{down.label} was deleted, or made anew, while it was at zero"
        return Note(_ended(down, now, Reason.WORKLOAD_NOT_FOUND, message))
    if workload.replicas == 0 and down.replicas:
        # Also where nobody saw it go: to zero is where a lost answer leaves it.
        return Scale(down.replicas, workload.version)
    if done.intent or down.reason or now < down.until:
        return Note(replace(down, over=now))
    # The first part of it alone: what it waited for.
    left = done.message.partition("; ")[0]
    message = f"not cut within {_seconds(down)} s: {left}"
    return Note(_ended(down, now, Reason.OFFLINE_TIMEOUT, message))


def _to_zero(ask: Ask, down: Down, workload: Workload, now: datetime) -> Scaling:
    """Nobody has seen it at zero yet: it was never told to go, or the answer was lost."""
    if workload.replicas == 0:
        return Note(replace(down, scaled=now))
    if workload.replicas != down.replicas or not ask.has_finalizer:
        # Changed by somebody before we did: theirs is the number to come back to.
        return TakeDown()
    return Scale(0, workload.version)


def _until_detached(ask: Ask, down: Down, workload: Workload, now: datetime) -> Step:
    if not workload.waits_for:
        return Note(replace(down, detached=now, unclean=workload.unclean))
    message = (
        f"waiting for {workload.waits_for}; {down.label} is at zero until {down.until:%H:%M:%S} "
        f"UTC at most; by hand it comes back by: {down.undo(ask.namespace)}"
    )
    return Wait(min(now + LOOK_PAUSE, down.until), Reason.OFFLINE, message)


def _ended(down: Down, now: datetime, reason: Reason, message: str) -> Down:
    """It ends here; what had been decided before stays the reason."""
    return replace(down, over=now, reason=down.reason or reason, message=down.message or message)


def _contested(down: Down, workload: Workload) -> str:
    return (
        f"somebody scaled {down.label} to {workload.replicas} while it was at zero for this "
        "snapshot, so nothing was cut, and it is left at that"
    )


def _seconds(down: Down) -> int:
    return round((down.until - down.began).total_seconds())
