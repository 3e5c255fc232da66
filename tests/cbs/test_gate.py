"""No room for snapshots in a region: nobody holds writers for nothing, and it ends by itself."""

from datetime import UTC, datetime, timedelta

import pytest

from disksnapshot.cbs.errors import meaning
from disksnapshot.cbs.gate import PROBE_ENDS, PROBE_PAUSE, Admission, Gate
from lab.cbs.control import Control
from lab.lives.life import NewLife

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
CODE = "InsufficientSnapshotQuota"


def closed() -> Gate:
    gate = Gate()
    gate.refuse(meaning(CODE), f"{CODE}: no more", NOW)
    return gate


def entries(gate: Gate, now: datetime, asked: int = 100) -> int:
    return sum(gate.ask(now) is Admission.ENTER for _ in range(asked))


def test_everybody_enters_while_nothing_was_refused() -> None:
    assert entries(Gate(), NOW) == 100
    assert Gate().why is None


def test_a_refusal_keeps_all_out_and_says_why() -> None:
    gate = closed()
    assert entries(gate, NOW) == 0
    assert gate.why
    assert (gate.why.reason, gate.why.slow) == ("SnapshotQuotaExceeded", True)
    assert CODE in str(gate.why)


def test_the_number_of_snapshots_is_asked_for_once_in_a_while_and_not_by_each() -> None:
    gate = closed()
    moments = [NOW + timedelta(seconds=10) * number for number in range(360)]
    looks = sum(gate.ask(moment) is Admission.LOOK_FIRST for moment in moments)
    assert looks == 12


def test_one_may_enter_when_there_are_fewer_than_when_there_was_no_room() -> None:
    gate = closed()
    assert [gate.count(total) for total in (64, 64, 65, 63)] == [False, False, False, True]


def test_one_may_try_now_and_then_since_a_raised_quota_shows_in_no_number() -> None:
    gate = closed()
    assert entries(gate, NOW + PROBE_PAUSE) == 1
    gate.refuse(meaning(CODE), "no more", NOW + PROBE_PAUSE)
    assert entries(gate, NOW + PROBE_PAUSE + timedelta(minutes=30)) == 0
    assert entries(gate, NOW + 2 * PROBE_PAUSE) == 1


def test_a_try_that_came_to_no_cut_is_made_up_for_within_a_minute() -> None:
    gate = closed()
    assert entries(gate, NOW + PROBE_PAUSE) == 1
    assert entries(gate, NOW + PROBE_PAUSE + PROBE_ENDS) == 1


def test_each_success_lets_two_more_in_and_a_few_let_all_in() -> None:
    gate = closed()
    gate.succeed()
    assert entries(gate, NOW) == 2
    gate.succeed()
    gate.succeed()
    assert entries(gate, NOW) == 4
    gate.succeed()
    gate.succeed()
    assert entries(gate, NOW) == 100


def test_a_refusal_on_the_way_back_keeps_all_out_again() -> None:
    gate = closed()
    gate.succeed()
    gate.refuse(meaning(CODE), "no more", NOW)
    assert entries(gate, NOW) == 0


def test_entries_that_came_to_nothing_are_made_up_for() -> None:
    gate = closed()
    gate.succeed()
    assert entries(gate, NOW) == 2
    assert entries(gate, NOW + PROBE_ENDS) == 1


@pytest.mark.parametrize("code", [CODE, "InvalidAccount.InsufficientBalance"])
def test_a_second_object_holds_nobody_while_the_first_was_refused(
    life: NewLife, control: Control, code: str
) -> None:
    one = life()
    control.error("CreateSnapshot", code, seconds=300)
    one.run(timedelta(seconds=1))
    assert one.calls()["CreateSnapshot"] == 1
    other = life(beside=one)
    other.run(HOUR / 2)
    assert other.status.reason == meaning(code).reason
    assert other.calls()["CreateSnapshot"] == 0


def test_a_snapshot_that_somebody_deletes_makes_room_within_minutes(
    life: NewLife, control: Control
) -> None:
    control.settings(quota=1)
    other = life()
    other.run(HOUR)
    [old] = other.in_the_cloud()
    one = life()
    one.run(timedelta(minutes=6))
    assert one.status.reason == "SnapshotQuotaExceeded"
    control.vanish(old["id"])
    before = one.passed
    one.run(HOUR)
    assert one.status.ready == "True"
    assert one.calls()["CreateSnapshot"] == 2
    assert one.passed - before < timedelta(minutes=15)


def test_of_several_disks_one_that_was_cut_opens_no_gate_that_another_closed(
    life: NewLife, control: Control
) -> None:
    disks = [str(control.create_disk()["DiskId"]) for _ in range(2)]
    control.settings(quota=1)
    one = life(disk_ids=disks)
    one.run(timedelta(seconds=1))
    assert one.status.reason == "SnapshotQuotaExceeded"
    other = life(beside=one)
    other.run(timedelta(minutes=4))
    assert other.status.reason == "SnapshotQuotaExceeded"
    assert other.calls()["CreateSnapshot"] == 0


def test_room_for_some_of_the_disks_only_is_told_as_that_to_the_end_and_leaves_nothing(
    life: NewLife, control: Control
) -> None:
    control.settings(quota=1)
    one = life(disk_ids=[str(control.create_disk()["DiskId"]) for _ in range(2)])
    reasons = set()
    while not one.settled:
        one.run(timedelta(seconds=1))
        reasons.add(one.status.reason)
    assert reasons == {"SnapshotQuotaExceeded"}
    assert "given up after 3 attempts" in one.status.message
    assert (one.in_the_cloud(), one.calls()["CreateSnapshot"]) == ([], 6)
