"""The status that is written: what moves, what stays, and what others read in it."""

from typing import Any

import pytest

from disksnapshot.reasons import Reason
from disksnapshot.snapshot import status
from disksnapshot.snapshot.draft import Draft, stamp
from rules.schema import faults
from rules.situations import DISKS, NOW, after, ask, draft, intent, snapshot_of, volumes

EVERY = {"Ready", "Quiesced", "SnapshotTaken", "Resumed", "Reconciling", "Stalled"}


def conditions(made: Draft) -> dict[str, dict[str, Any]]:
    return {item["type"]: item for item in made.body["conditions"]}


def kstatus(generation: int, written: dict[str, Any]) -> str:
    """Judge as kstatus does, the rules in their order."""
    if written.get("observedGeneration", generation) != generation:
        return "InProgress"
    for condition in written.get("conditions", []):
        match condition["type"], condition["status"]:
            case "Reconciling", "True":
                return "InProgress"
            case "Stalled", "True":
                return "Failed"
    ready = next((c for c in written.get("conditions", []) if c["type"] == "Ready"), None)
    return "InProgress" if ready and ready["status"] != "True" else "Current"


def made(disks: tuple[str, ...] = DISKS[:1]) -> Draft:
    return draft(disks=disks).intend(intent(disks=disks), volumes(disks))


def recorded(disks: tuple[str, ...] = DISKS[:1]) -> Draft:
    return made(disks).record({disk: snapshot_of(disk) for disk in disks})


@pytest.mark.parametrize(
    ("written", "verdict"),
    [
        ({"observedGeneration": -1}, "InProgress"),
        (draft().waiting(Reason.PREPARING, "a").body, "InProgress"),
        (made().body, "InProgress"),
        (draft().waiting(Reason.LOCK_TIMEOUT, "a", after(60)).body, "InProgress"),
        (recorded().progress({DISKS[0]: ("NORMAL", 100)}).ready("a").body, "Current"),
        (draft().failed(Reason.SPEC_INVALID, "a").body, "Failed"),
        (
            draft().waiting(Reason.LOCK_TIMEOUT, "a").failed(Reason.LOCK_TIMEOUT, "b").body,
            "Failed",
        ),
    ],
    ids=["not seen yet", "first visit", "holding", "will retry", "ready", "failed", "gave up"],
)
def test_kstatus_reads_it_right(written: dict[str, Any], verdict: str) -> None:
    assert kstatus(1, written) == verdict
    assert list(faults(written)) == []


def test_at_the_first_visit_every_condition_is_there() -> None:
    assert set(conditions(draft().waiting(Reason.PREPARING, "a"))) == EVERY
    assert set(conditions(draft().failed(Reason.SPEC_INVALID, "a"))) == EVERY


def test_the_transition_time_moves_with_the_status_alone() -> None:
    first = draft().waiting(Reason.PREPARING, "a")
    second = Draft(first.body, ask(), after(9)).waiting(Reason.LOCK_TIMEOUT, "b")
    third = Draft(second.body, ask(), after(20)).failed(Reason.LOCK_TIMEOUT, "c")
    times = [conditions(one)["Ready"]["lastTransitionTime"] for one in (first, second, third)]
    assert times == ["2026-03-01T12:00:00Z"] * 3
    assert conditions(third)["Stalled"]["lastTransitionTime"] == "2026-03-01T12:00:20Z"
    assert conditions(third)["Ready"]["message"] == "c"


def test_what_stalls_no_longer_reconciles() -> None:
    gave_up = conditions(draft().waiting(Reason.PREPARING, "a").failed(Reason.LOCK_TIMEOUT, "b"))
    assert (gave_up["Reconciling"]["status"], gave_up["Stalled"]["status"]) == ("False", "True")


def test_a_draft_leaves_the_last_status_as_it_was() -> None:
    last = made().body
    before = str(last)
    Draft(last, ask(), after(1)).record({DISKS[0]: "snap-x"}).settle()
    assert str(last) == before


def test_settling_takes_every_id_and_claim_back() -> None:
    settled = recorded().settle().body
    assert status.parse(settled).snapshots == {}
    gone = {"snapshotID", "progressPercent", "consistency", "fileSystem", "application"}
    assert not gone & settled.keys()
    assert list(faults(settled)) == []


def test_of_two_disks_the_first_id_and_the_slowest_percent_are_shown() -> None:
    both = recorded(DISKS).progress({DISKS[0]: ("NORMAL", 100), DISKS[1]: ("CREATING", 30)})
    assert (both.body["snapshotID"], both.body["progressPercent"]) == (snapshot_of(DISKS[0]), 30)
    assert status.parse(both.body).snapshots == {disk: snapshot_of(disk) for disk in DISKS}
    assert list(faults(both.body)) == []


def test_what_is_written_is_read_again() -> None:
    now = status.parse(made(DISKS).body)
    assert now.intent == intent(disks=DISKS)
    assert (now.reason, now.seen, now.finished) == ("Holding", True, False)


def test_a_retry_is_gone_when_its_time_is_over() -> None:
    waiting = draft().waiting(Reason.LOCK_TIMEOUT, "a", after(60))
    assert status.parse(waiting.body).retry == after(60)
    assert status.parse(waiting.intend(intent(), volumes()).body).retry is None


def test_the_check_of_the_schema_sees_faults() -> None:
    body = made().body
    body |= {"consistency": "Perfect", "odd": 1, "progressPercent": 101, "claims": 7}
    body["intent"]["diskIDs"] *= 2
    del body["conditions"][0]["reason"]
    assert sorted(faults(body)) == [
        "status.claims is int, not string",
        "status.conditions[0] lacks reason",
        "status.consistency is 'Perfect', which is no word of the list",
        "status.intent.diskIDs has two entries of one name",
        "status.odd is unknown",
        "status.progressPercent is 101, out of bounds",
    ]


def test_times_are_utc() -> None:
    assert stamp(NOW) == "2026-03-01T12:00:00.000000Z"


def test_what_was_written_minimally_can_still_be_followed() -> None:
    two = volumes(DISKS)
    made = draft(disks=DISKS).intend(intent(disks=DISKS), two)
    made.record({disk: snapshot_of(disk) for disk in DISKS}).minimal()
    followed = made.progress({DISKS[0]: ("NORMAL", 100)}).body
    assert followed["progressPercent"] == 0
    assert status.parse(followed).snapshots == {disk: snapshot_of(disk) for disk in DISKS}


def test_what_is_said_of_the_cut_stays_true_while_the_cloud_copies_and_when_it_is_done() -> None:
    copying = recorded().waiting(Reason.CREATING, "a")
    done = Draft(copying.body, ask(), NOW).ready("b")
    for body in (copying, done):
        taken = conditions(body)["SnapshotTaken"]
        assert (taken["status"], taken["reason"]) == ("True", "Taken")


def test_a_cut_that_an_older_operator_called_creating_is_called_taken_once_ready() -> None:
    old = recorded().waiting(Reason.CREATING, "a").body
    next(c for c in old["conditions"] if c["type"] == "SnapshotTaken")["reason"] = "Creating"
    new = Draft(old, ask(), NOW).ready("b")
    assert conditions(new)["SnapshotTaken"]["reason"] == "Taken"


def test_conditions_that_others_have_written_stay_as_they_are() -> None:
    theirs = {
        "type": "example.org/Audited", "status": "True", "reason": "Seen", "message": "x" * 3000,
        "observedGeneration": 1, "lastTransitionTime": "2026-03-01T12:00:00Z",
    }  # fmt: skip
    made = draft().intend(intent(), volumes())
    made.body["conditions"].append(dict(theirs))
    later = Draft(made.body, ask(generation=2), NOW).acknowledge().minimal()
    assert theirs in later.body["conditions"]
    ours = [one for one in later.body["conditions"] if one != theirs]
    assert {one["observedGeneration"] for one in ours} == {2}
