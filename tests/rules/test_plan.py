"""Which step follows from which facts: the rules of one DiskSnapshot, a row each."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from disksnapshot.reasons import Reason
from disksnapshot.snapshot import plan, status, steps
from rules.situations import DISKS, NOW, after, ask, done, found, intent, recorded

BOTH = DISKS
LOOKED = steps.Seen(looked=True)
EXPIRED = after(300 + 60 + 1)  # the request's validity, the lag, and a moment
CREATING: dict[str, Any] = {"state": "CREATING", "percent": 40}


def looked(
    *snapshots: steps.Found,
    since: float | None = 0,
    known: tuple[steps.Found, ...] = (),
) -> steps.Seen:
    """Return a look-up; `since` is when look-ups began to find nothing new."""
    return steps.Seen(
        snapshots=snapshots,
        looked=True,
        absent_since=None if since is None else after(since),
        listed=frozenset(item.id for item in (*snapshots, *known)),
    )


def followed(*snapshots: steps.Found, absent_since: float | None = None) -> steps.Seen:
    """Return what the poller's sweeps show."""
    since = None if absent_since is None else after(absent_since)
    return steps.Seen(snapshots=snapshots, absent_since=since)


def open_attempt(**known: Any) -> status.Done:
    return done(reason=Reason.OUTCOME_UNKNOWN, **{"intent": intent(), **known})


def settled(attempt: int = 1, **known: Any) -> status.Done:
    facts = {"reason": Reason.LOCK_TIMEOUT, "message": "locked out", **known}
    return done(intent=intent(status.SETTLED, attempt=attempt), **facts)


def unproven(**known: Any) -> status.Done:
    return recorded(consistency="", reason=Reason.PROOF_FAILED, **known)


Test = Callable[[status.Done, steps.Seen, Any, Any], None]


def rows(*rows_of: tuple[str, Any, Any, Any, Any]) -> Callable[[Test], Test]:
    return pytest.mark.parametrize(
        ("done_so_far", "seen", "now", "step"),
        [row[1:] for row in rows_of],
        ids=[row[0] for row in rows_of],
    )


@rows(
    ("an object seen for the first time is captured", done(), steps.Seen(), NOW, steps.Capture(1)),
    (
        "a problem waits for its time",
        done(reason="PodNotFound", message="none", retry=after(5)),
        steps.Seen(),
        NOW,
        steps.Wait(after(5), "PodNotFound", "none"),
    ),
    (
        "a problem whose time has come is tried again as the first attempt",
        done(reason="PodNotFound", retry=after(-1)),
        steps.Seen(),
        NOW,
        steps.Capture(1),
    ),
    (
        "a settled attempt waits for its time",
        settled(retry=after(60)),
        steps.Seen(),
        NOW,
        steps.Wait(after(60), Reason.LOCK_TIMEOUT, "locked out"),
    ),
    (
        "after a settled attempt comes the next",
        settled(retry=after(-1)),
        steps.Seen(),
        NOW,
        steps.Capture(2),
    ),
    (
        "after the third settled attempt it is given up, also before the time of another",
        settled(3, retry=after(60)),
        steps.Seen(),
        NOW,
        steps.Fail(Reason.LOCK_TIMEOUT, "locked out; given up after 3 attempts"),
    ),
    (
        "an object that failed with an open attempt keeps what is to be cleaned",
        open_attempt(stalled=True),
        steps.Seen(),
        NOW,
        steps.Rest(),
    ),
)
def test_before_and_between_attempts(
    done_so_far: status.Done, seen: steps.Seen, now: Any, step: steps.Step
) -> None:
    assert plan.next_step(ask(), done_so_far, seen, now) == step


@rows(
    (
        "before anything else one looks",
        open_attempt(),
        steps.Seen(),
        EXPIRED,
        steps.LookUp(),
    ),
    (
        "all of the attempt's snapshots are adopted",
        open_attempt(intent=intent(disks=BOTH)),
        looked(found(), found(BOTH[1])),
        NOW,
        steps.Adopt({BOTH[0]: found().id, BOTH[1]: found(BOTH[1]).id}),
    ),
    (
        "a snapshot known by its name alone is adopted too",
        open_attempt(),
        looked(found(ours=False)),
        NOW,
        steps.Adopt({BOTH[0]: found().id}),
    ),
    (
        "another attempt's snapshot is not adopted",
        open_attempt(intent=intent(attempt=2)),
        looked(found(attempt=1)),
        NOW,
        steps.Wait,
    ),
    ("nothing found waits while the request may act", open_attempt(), looked(), NOW, steps.Wait),
    (
        "nothing found waits until the lag is over",
        open_attempt(),
        looked(),
        after(359),
        steps.Wait,
    ),
    (
        "one look-up after the request's end is not enough",
        open_attempt(),
        looked(since=361),
        EXPIRED,
        steps.Wait,
    ),
    (
        "two look-ups less than ten seconds apart are not enough",
        open_attempt(),
        looked(since=352),
        EXPIRED,
        steps.Wait,
    ),
    (
        "two look-ups ten seconds apart settle it",
        open_attempt(),
        looked(since=351),
        EXPIRED,
        steps.Settle(Reason.OUTCOME_UNKNOWN, "the request for a snapshot left nothing behind"),
    ),
    (
        "some disks only: nothing is deleted while the others may still appear",
        open_attempt(intent=intent(disks=BOTH)),
        looked(found()),
        NOW,
        steps.Wait,
    ),
    (
        "some disks only: what is there is deleted when no other can appear",
        open_attempt(intent=intent(disks=BOTH)),
        looked(found()),
        EXPIRED,
        steps.Discard(found().id, Reason.OUTCOME_UNKNOWN),
    ),
    (
        "some disks only: one that is still created can't be deleted yet",
        open_attempt(intent=intent(disks=BOTH)),
        looked(found(**CREATING)),
        EXPIRED,
        steps.Wait,
    ),
    (
        "some disks only: one that can't be proven ours is left, and said so",
        open_attempt(intent=intent(disks=BOTH)),
        looked(found(ours=False)),
        EXPIRED,
        steps.Fail,
    ),
    (
        "some disks only: settled when what was there is gone",
        open_attempt(intent=intent(disks=BOTH)),
        looked(known=(found(),)),
        EXPIRED,
        steps.Settle,
    ),
)
def test_an_attempt_whose_outcome_is_unknown(
    done_so_far: status.Done, seen: steps.Seen, now: Any, step: Any
) -> None:
    decided = plan.next_step(ask(), done_so_far, seen, now)
    assert decided == step if isinstance(step, steps.Step) else isinstance(decided, step)


def test_a_wait_for_a_lost_reply_ends_in_the_future_and_says_the_same_each_time() -> None:
    waits = [
        plan.next_step(ask(), open_attempt(), looked(since=seconds), after(seconds))
        for seconds in (0, 100, 359, 365, 4000)
    ]
    assert all(isinstance(wait, steps.Wait) for wait in waits)
    ends = [wait.until - after(0) for wait in waits if isinstance(wait, steps.Wait)]
    starts = [timedelta(seconds=seconds) for seconds in (0, 100, 359, 365, 4000)]
    assert all(end > start for start, end in zip(starts, ends, strict=True))
    assert len({wait.message for wait in waits if isinstance(wait, steps.Wait)}) == 1


PERCENT: dict[str, Any] = {"state": "NORMAL", "percent": 99}
ONE = BOTH[0]


@rows(
    (
        "a snapshot that no sweep has shown yet is waited for",
        recorded(),
        followed(),
        NOW,
        steps.Follow({}),
    ),
    (
        "one that is not listed for less than the lag is waited for",
        recorded(),
        followed(absent_since=1),
        after(61),
        steps.Follow({}),
    ),
    (
        "one that is not listed for longer than the lag is lost",
        recorded(),
        followed(absent_since=1),
        after(61.5),
        steps.Fail(Reason.SNAPSHOT_LOST, f"the cloud no longer lists {found().id}"),
    ),
    (
        "the lag counts from the request, however early the absence was seen",
        recorded(intent=intent(status.RECORDED, signed=after(50))),
        followed(absent_since=0),
        after(61.5),
        steps.Follow({}),
    ),
    (
        "one of two that is lost fails the object",
        recorded(BOTH),
        followed(found(), absent_since=1),
        after(100),
        steps.Fail(Reason.SNAPSHOT_LOST, f"the cloud no longer lists {found(BOTH[1]).id}"),
    ),
    (
        "one in creation is followed",
        recorded(),
        followed(found(**CREATING)),
        NOW,
        steps.Follow({ONE: ("CREATING", 40)}),
    ),
    (
        "NORMAL at 99 percent is not complete",
        recorded(),
        followed(found(**PERCENT)),
        NOW,
        steps.Follow({ONE: ("NORMAL", 99)}),
    ),
    (
        "NORMAL at 100 percent is complete",
        recorded(),
        followed(found()),
        NOW,
        steps.Finish({ONE: ("NORMAL", 100)}),
    ),
    (
        "an unknown state at 100 percent is not complete",
        recorded(),
        followed(found(state="TORECYCLE")),
        NOW,
        steps.Follow({ONE: ("TORECYCLE", 100)}),
    ),
    (
        "one complete of two is followed",
        recorded(BOTH),
        followed(found(), found(BOTH[1], **CREATING)),
        NOW,
        steps.Follow({ONE: ("NORMAL", 100), BOTH[1]: ("CREATING", 40)}),
    ),
)
def test_a_recorded_snapshot(
    done_so_far: status.Done, seen: steps.Seen, now: Any, step: steps.Step
) -> None:
    assert plan.next_step(ask(), done_so_far, seen, now) == step


@rows(
    ("one looks before deleting", unproven(), steps.Seen(), NOW, steps.LookUp()),
    (
        "what is complete is deleted",
        unproven(),
        looked(found()),
        NOW,
        steps.Discard(found().id, Reason.PROOF_FAILED),
    ),
    ("what is in creation is waited for", unproven(), looked(found(**CREATING)), NOW, steps.Wait),
    (
        "a snapshot that isn't listed yet does not count as deleted",
        unproven(),
        looked(),
        after(1),
        steps.Wait,
    ),
    (
        "a snapshot that was listed and no longer is, is gone",
        unproven(),
        looked(known=(found(),)),
        after(1),
        steps.Settle(Reason.PROOF_FAILED, "the hold was not proven; its snapshot was deleted"),
    ),
    (
        "a snapshot may be made as late as its request was valid, and be listed a lag later",
        unproven(),
        looked(),
        after(360),
        steps.Wait,
    ),
    (
        "a snapshot that isn't listed when the lag is over is gone",
        unproven(),
        looked(),
        after(361),
        steps.Settle,
    ),
    (
        "one that can't be proven ours is left, and said so",
        unproven(),
        looked(found(ours=False)),
        NOW,
        steps.Fail,
    ),
    (
        "another attempt's snapshot is not deleted for it",
        unproven(),
        looked(found(attempt=2), known=(found(),)),
        NOW,
        steps.Settle,
    ),
)
def test_an_unproven_snapshot_under_abort(
    done_so_far: status.Done, seen: steps.Seen, now: Any, step: Any
) -> None:
    decided = plan.next_step(ask(), done_so_far, seen, now)
    assert decided == step if isinstance(step, steps.Step) else isinstance(decided, step)


DROP = steps.DropFinalizer()
READY: dict[str, Any] = {"ready": "True"}


@pytest.mark.parametrize(
    ("policy", "done_so_far", "seen", "now", "step"),
    [
        pytest.param(*row[1:], id=row[0])
        for row in (
            ("retain, never tried: goes", "Retain", done(), steps.Seen(), NOW, DROP),
            ("delete, never tried: goes", "Delete", done(), steps.Seen(), NOW, DROP),
            ("retain, ready: goes", "Retain", recorded(**READY), steps.Seen(), NOW, DROP),
            ("retain, in creation: goes", "Retain", recorded(), steps.Seen(), NOW, DROP),
            ("retain, settled: goes", "Retain", settled(), steps.Seen(), NOW, DROP),
            ("retain, open: looks", "Retain", open_attempt(), steps.Seen(), NOW, steps.LookUp()),
            (
                "retain, open, all found: goes",
                "Retain",
                open_attempt(),
                looked(found()),
                NOW,
                DROP,
            ),
            (
                "retain, open, none found: waits",
                "Retain",
                open_attempt(),
                looked(),
                NOW,
                steps.Wait,
            ),
            (
                "retain, open, none found for long enough: goes",
                "Retain",
                open_attempt(),
                looked(),
                EXPIRED,
                DROP,
            ),
            (
                "retain, open, some found: waits for the others",
                "Retain",
                open_attempt(intent=intent(disks=BOTH)),
                looked(found()),
                NOW,
                steps.Wait,
            ),
            (
                "retain, open, some found for long enough: goes",
                "Retain",
                open_attempt(intent=intent(disks=BOTH)),
                looked(found()),
                EXPIRED,
                DROP,
            ),
            (
                "retain, unproven: it is deleted all the same",
                "Retain",
                unproven(),
                looked(found()),
                NOW,
                steps.Discard(found().id, Reason.DELETING),
            ),
            (
                "delete, ready: looks",
                "Delete",
                recorded(**READY),
                steps.Seen(),
                NOW,
                steps.LookUp(),
            ),
            (
                "delete, complete: deletes",
                "Delete",
                recorded(**READY),
                looked(found()),
                NOW,
                steps.Discard(found().id, Reason.DELETING),
            ),
            (
                "delete, in creation: waits",
                "Delete",
                recorded(),
                looked(found(**CREATING)),
                NOW,
                steps.Wait,
            ),
            (
                "delete, recorded a moment ago and not listed yet: waits",
                "Delete",
                recorded(),
                looked(),
                after(1),
                steps.Wait,
            ),
            (
                "delete, recorded, listed before and gone now: goes",
                "Delete",
                recorded(),
                looked(known=(found(),)),
                after(1),
                DROP,
            ),
            (
                "delete, recorded, made late and perhaps not listed yet: waits",
                "Delete",
                recorded(),
                looked(),
                after(360),
                steps.Wait,
            ),
            ("delete, recorded, lag over: goes", "Delete", recorded(), looked(), after(361), DROP),
            (
                "delete, ready and gone: goes at once",
                "Delete",
                recorded(**READY),
                looked(),
                after(1),
                DROP,
            ),
            (
                "delete, known by its name alone: it is left, and that is said",
                "Delete",
                recorded(**READY),
                looked(found(ours=False)),
                NOW,
                steps.GiveUp,
            ),
            (
                "delete, open, found: deletes before it can't appear any more",
                "Delete",
                open_attempt(),
                looked(found()),
                NOW,
                steps.Discard(found().id, Reason.DELETING),
            ),
            (
                "delete, open, deleted what was found: waits until no other can appear",
                "Delete",
                open_attempt(),
                looked(known=(found(),)),
                NOW,
                steps.Wait,
            ),
            ("delete, open, none: waits", "Delete", open_attempt(), looked(), NOW, steps.Wait),
            (
                "delete, open, one look-up too few: waits",
                "Delete",
                open_attempt(),
                looked(since=352),
                EXPIRED,
                steps.Wait,
            ),
            ("delete, open, for long: goes", "Delete", open_attempt(), looked(), EXPIRED, DROP),
            ("delete, settled: looks", "Delete", settled(), steps.Seen(), NOW, steps.LookUp()),
            (
                "delete, an earlier attempt's: deletes",
                "Delete",
                settled(2),
                looked(found()),
                NOW,
                steps.Discard(found().id, Reason.DELETING),
            ),
            ("delete, settled, none: goes", "Delete", settled(), looked(), NOW, DROP),
            (
                "delete, failed with an open attempt: waits",
                "Delete",
                open_attempt(stalled=True),
                looked(),
                NOW,
                steps.Wait,
            ),
        )
    ],
)
def test_an_object_that_is_being_deleted(
    policy: str, done_so_far: status.Done, seen: steps.Seen, now: Any, step: Any
) -> None:
    wanted = ask(deleting=True, policy=policy)
    decided = plan.next_step(wanted, done_so_far, seen, now)
    assert decided == step if isinstance(step, steps.Step) else isinstance(decided, step)


@pytest.mark.parametrize("policy", ["Retain", "Delete"])
def test_a_deleted_object_without_our_finalizer_is_left_alone(policy: str) -> None:
    wanted = ask(deleting=True, finalizer=False, policy=policy)
    assert plan.next_step(wanted, recorded(), steps.Seen(), NOW) == steps.Rest()


def test_waiting_for_a_creation_says_the_same_at_each_percent() -> None:
    words = {
        step.message
        for percent in range(100)
        if isinstance(
            step := plan.next_step(
                ask(),
                unproven(),
                looked(found(state="CREATING", percent=percent)),
                NOW,
            ),
            steps.Wait,
        )
    }
    assert len(words) == 1


@pytest.mark.parametrize(
    ("seen", "now", "kind"),
    [
        (looked(found()), NOW, steps.Wait),
        (looked(found(state="CREATING", percent=7)), EXPIRED, steps.Wait),
        (looked(), EXPIRED, steps.Settle),
    ],
    ids=["while something may appear", "while the rest is being made", "at the end"],
)
def test_a_disk_that_was_refused_stays_the_reason_while_what_the_others_left_is_deleted(
    seen: steps.Seen, now: Any, kind: type
) -> None:
    said = ("DiskUnusable", f"disk-b: InvalidDisk.TypeError{status.PARTLY}")
    done_so_far = done(intent=intent(disks=BOTH), reason=said[0], message=said[1])
    step = plan.next_step(ask(disks=BOTH), done_so_far, seen, now)
    assert isinstance(step, kind)
    assert isinstance(step, steps.Wait | steps.Settle)
    assert (step.reason, step.message) == said
