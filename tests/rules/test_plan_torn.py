"""A status that has lost a part: what is left of it goes on, and nothing is made twice."""

from typing import Any

import pytest

from disksnapshot.reasons import Reason
from disksnapshot.snapshot import plan, status, steps
from rules.situations import DISKS, NOW, after, ask, done, found, intent, recorded

NAMES = {DISKS[0]: "shop-orders-0a1b2c3d4e-1"}


def decided(done_so_far: status.Done, seen: steps.Seen | None = None, **asked: object) -> object:
    return plan.next_step(ask(**asked), done_so_far, seen or steps.Seen(), NOW)


@pytest.mark.parametrize("ready", ["True", "False"])
@pytest.mark.parametrize(
    "lost", [{"intent": None, "names": NAMES}, {"snapshots": {}}], ids=["intent", "ids"]
)
def test_an_attempt_of_which_a_part_is_lost_is_of_unknown_outcome(
    lost: dict[str, Any], ready: str
) -> None:
    assert decided(recorded(ready=ready, **lost)) == steps.Reopen()


@pytest.mark.parametrize("reason", [Reason.CREATING, Reason.READY])
def test_a_snapshot_to_be_kept_is_not_deleted_for_a_word_that_is_lost(reason: Reason) -> None:
    torn = recorded(consistency="", reason=reason, ready=str(reason is Reason.READY))
    assert decided(torn) == steps.Reopen()
    assert decided(torn, deleting=True, policy="Retain") == steps.DropFinalizer()


def test_what_was_made_once_and_is_not_found_again_is_lost_and_not_made_anew() -> None:
    reopened = done(intent=intent(), taken=True)
    seen = steps.Seen(looked=True, absent_since=NOW)
    decided = plan.next_step(ask(), reopened, seen, after(400))
    assert isinstance(decided, steps.Fail)
    assert decided.reason == Reason.SNAPSHOT_LOST
    assert isinstance(plan.next_step(ask(), reopened, seen, after(60)), steps.Wait)


def test_one_of_two_ids_that_is_lost_is_enough() -> None:
    torn = recorded(DISKS, snapshots={DISKS[0]: "snap-aaaaaa01"})
    assert decided(torn, disks=DISKS) == steps.Reopen()


def test_an_object_that_has_failed_stays_so_whatever_is_lost() -> None:
    torn = done(stalled=True, names=NAMES)
    assert decided(torn) == steps.DropFinalizer()


def test_a_deletion_needs_no_more_than_the_disks_of_the_intent() -> None:
    assert decided(done(stalled=True, names=NAMES), deleting=True) == steps.Reopen()
    torn = recorded(snapshots={})
    assert decided(torn, deleting=True, policy="Delete") == steps.LookUp()
    seen = steps.Seen(snapshots=(found(),), looked=True)
    discard = decided(torn, seen, deleting=True, policy="Delete")
    assert isinstance(discard, steps.Discard)


def test_a_last_attempt_whose_reason_is_lost_ends_with_a_reason_of_the_list() -> None:
    settled = done(intent=intent(status.SETTLED, attempt=3), reason="", message="")
    said = "no reason is left; given up after 3 attempts"
    assert decided(settled) == steps.Fail(Reason.OUTCOME_UNKNOWN, said)


@pytest.mark.parametrize("part", ["attempt", "nonce", "diskIDs", "signedTime", "notAfterTime"])
def test_an_intent_that_is_not_whole_is_none(part: str) -> None:
    whole = {
        "attempt": 1, "state": "Open", "nonce": "n", "diskIDs": [DISKS[0]],
        "signedTime": "2026-03-01T12:00:00Z", "notAfterTime": "2026-03-01T12:05:00Z",
    }  # fmt: skip
    assert status.parse({"intent": whole}).intent
    del whole[part]
    assert status.parse({"intent": whole}).intent is None
