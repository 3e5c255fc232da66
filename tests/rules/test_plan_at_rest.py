"""The rules for an object that is Ready, failed, or given up: what is kept, what is let go."""

from dataclasses import replace

import pytest

from disksnapshot.reasons import Reason
from disksnapshot.snapshot import plan, status, steps
from rules.situations import DISKS, NOW, UID, ask, done, found, intent, recorded, snapshot_of

READY = recorded(ready="True")
FAILED = done(stalled=True, intent=intent(status.SETTLED, attempt=3))
LEFT = done(stalled=True, intent=intent())  # something without our tags was left


def decided(done_so_far: status.Done, seen: steps.Seen | None = None, **asked: object) -> object:
    return plan.next_step(ask(**asked), done_so_far, seen or steps.Seen(), NOW)


@pytest.mark.parametrize(
    ("done_so_far", "policy", "finalizer", "step"),
    [
        (READY, "Retain", True, steps.DropFinalizer()),
        (READY, "Retain", False, steps.Rest()),
        (READY, "Delete", True, steps.Rest()),
        (READY, "Delete", False, steps.AddFinalizer()),
        (FAILED, "Delete", True, steps.DropFinalizer()),
        (FAILED, "Delete", False, steps.Rest()),
        (LEFT, "Retain", True, steps.Rest()),
        (LEFT, "Retain", False, steps.AddFinalizer()),
    ],
    ids=[
        "a Ready snapshot that is to be kept needs no finalizer",
        "without one it rests",
        "one that is to be deleted with its object keeps it",
        "one that is to be deleted from now on gets it",
        "a failed object that left nothing needs none",
        "without one it rests as well",
        "a failed object that left something keeps it",
        "and gets it back",
    ],
)
def test_a_finalizer_is_there_only_while_something_is_to_be_cleaned(
    done_so_far: status.Done, policy: str, finalizer: bool, step: steps.Step
) -> None:
    assert decided(done_so_far, policy=policy, finalizer=finalizer) == step


def test_a_changed_spec_of_a_finished_object_is_acknowledged_once() -> None:
    assert decided(READY, generation=2) == steps.Acknowledge()
    seen = replace(READY, generation=2)
    assert decided(seen, generation=2, finalizer=False) == steps.Rest()


def test_a_snapshot_that_is_lost_after_it_was_ready_is_said_and_never_made_again() -> None:
    step = decided(READY, steps.Seen(absent_since=NOW))
    assert isinstance(step, steps.Fail)
    assert step.reason == Reason.SNAPSHOT_LOST
    lost = replace(READY, ready="False", stalled=True)
    assert decided(lost, steps.Seen(absent_since=NOW), finalizer=False) != steps.Capture(2)


@pytest.mark.parametrize("policy", ["Retain", "Delete"])
@pytest.mark.parametrize("done_so_far", [READY, done(intent=intent())], ids=["recorded", "open"])
def test_who_gives_up_lets_the_object_go_and_is_told_what_may_be_left(
    done_so_far: status.Done, policy: str
) -> None:
    step = decided(done_so_far, deleting=True, policy=policy, gives_up=UID)
    assert isinstance(step, steps.GiveUp)
    assert DISKS[0] in step.message


def test_giving_up_names_the_snapshot_that_is_left() -> None:
    step = decided(READY, deleting=True, policy="Delete", gives_up=UID)
    assert isinstance(step, steps.GiveUp)
    assert snapshot_of(DISKS[0]) in step.message


@pytest.mark.parametrize("forged", ["true", "", "another-uid"])
def test_an_annotation_of_another_object_gives_up_nothing(forged: str) -> None:
    seen = steps.Seen(snapshots=(found(),), looked=True)
    step = decided(READY, seen, deleting=True, policy="Delete", gives_up=forged)
    assert isinstance(step, steps.Discard)


def test_giving_up_changes_nothing_before_the_object_is_deleted() -> None:
    assert decided(READY, policy="Delete", gives_up=UID) == steps.Rest()


@pytest.mark.parametrize(
    "done_so_far", [done(intent=intent()), recorded()], ids=["unknown", "recorded"]
)
def test_an_attempt_whose_finalizer_was_taken_off_gets_it_back_before_anything_else(
    done_so_far: status.Done,
) -> None:
    assert decided(done_so_far, finalizer=False) == steps.AddFinalizer()
    assert decided(done_so_far, finalizer=True) != steps.AddFinalizer()
