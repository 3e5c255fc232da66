"""Replies that are lost, late or nonsense: one snapshot or an honest reason, by counted calls."""

import time
from datetime import timedelta
from typing import Any

import pytest

from lab.cbs.control import Control
from lab.lives.life import KEY, Life, NewLife

HOUR = timedelta(hours=1)
EXPIRY = timedelta(seconds=300 + 60)  # of the signature, and of what may take so long to be listed
SPOILT = [
    "ReplyCut", "Reset", "BrokenJson", "CutBody", "Html", "BadGateway", "NullSnapshotId",
]  # fmt: skip


def ready(one: Life) -> tuple[str, str, int, int]:
    """Return what a life came to: its end, what the copy is called, requests, snapshots."""
    assert one.api.stored
    consistency = str(one.api.stored["status"].get("consistency"))
    return (
        one.status.reason,
        consistency,
        one.calls()["CreateSnapshot"],
        len(one.in_the_cloud()),
    )


@pytest.mark.parametrize("kind", SPOILT)
def test_a_request_that_acted_is_found_by_its_window_and_never_sent_again(
    life: NewLife, control: Control, kind: str
) -> None:
    one = life()
    control.fault("CreateSnapshot", f"{kind}AfterAct")
    one.run(HOUR)
    assert ready(one) == ("Ready", "CrashConsistent", 1, 1)


@pytest.mark.parametrize("kind", ["ReplyCut", "NullSnapshotId"])
def test_a_request_that_acted_and_is_listed_late_is_adopted_and_never_sent_again(
    life: NewLife, control: Control, kind: str
) -> None:
    one = life()
    control.settings(visibilityDelayMilliseconds=30_000)
    control.fault("CreateSnapshot", f"{kind}AfterAct")
    one.run(HOUR)
    assert ready(one) == ("Ready", "Unknown", 1, 1)
    assert one.passed < EXPIRY


@pytest.mark.parametrize("kind", ["ReplyCut", "NullSnapshotId"])
def test_a_request_that_did_not_act_is_sent_again_only_when_the_first_can_act_no_more(
    life: NewLife, control: Control, kind: str
) -> None:
    one = life()
    control.fault("CreateSnapshot", f"{kind}BeforeAct")
    one.run(EXPIRY - timedelta(seconds=20))
    assert one.status.reason == "OutcomeUnknown"
    assert one.calls()["CreateSnapshot"] == 1
    one.run(HOUR)
    assert ready(one) == ("Ready", "CrashConsistent", 2, 1)
    assert one.passed > EXPIRY


def test_a_reply_that_never_comes_ends_in_one_snapshot(life: NewLife, control: Control) -> None:
    one = life()
    control.fault("CreateSnapshot", "ReplyLostBeforeAct")
    one.run(HOUR)
    assert ready(one) == ("Ready", "CrashConsistent", 2, 1)


@pytest.mark.parametrize(
    "code", ["InternalError", "InternalError.ResourceOpFailed", "ServiceUnavailable", "Never.Seen"]
)
def test_an_error_that_acted_all_the_same_is_adopted_and_never_sent_again(
    life: NewLife, control: Control, code: str
) -> None:
    one = life()
    control.error("CreateSnapshot", code, acted=True)
    one.run(HOUR)
    assert ready(one) == ("Ready", "Unknown", 1, 1)


def test_an_error_that_the_sdk_would_overlook_is_read_as_what_it_is(
    life: NewLife, control: Control
) -> None:
    one = life()
    control.fault("CreateSnapshot", "ErrorWithCharset", code="ResourceBusy")
    one.run(HOUR)
    assert ready(one) == ("Ready", "CrashConsistent", 2, 1)
    assert one.passed < EXPIRY, "the code was read, so nothing had to be looked for"


def test_a_request_that_acts_after_its_reply_was_given_up_is_found(
    life: NewLife, control: Control
) -> None:
    one = life()
    control.fault("CreateSnapshot", "ActLate", milliseconds=12_000)
    one.run(HOUR)
    assert ready(one)[2:] == (1, 1)


def test_a_listing_that_can_t_be_read_is_never_taken_for_an_empty_one(
    life: NewLife, control: Control
) -> None:
    one = life()
    control.settings(visibilityDelayMilliseconds=10_000)
    control.fault("CreateSnapshot", "ReplyCutAfterAct")
    one.run(timedelta(seconds=1))
    for kind in ("BadGateway", "Html", "BrokenJson", "CutBody", "Reset"):
        control.fault("DescribeSnapshots", kind)
    one.run(HOUR)
    assert ready(one) == ("Ready", "Unknown", 1, 1)


@pytest.mark.parametrize("minutes", [-20, 20])
def test_on_a_machine_with_a_wrong_clock_a_request_is_sent_again_no_earlier_and_no_later(
    life: NewLife, control: Control, minutes: int
) -> None:
    one = life(clock_wrong=timedelta(minutes=minutes))
    control.fault("CreateSnapshot", "NullSnapshotIdBeforeAct")
    one.run(EXPIRY - timedelta(seconds=20))
    assert one.calls()["CreateSnapshot"] == 1
    one.run(timedelta(minutes=3))
    assert ready(one) == ("Ready", "CrashConsistent", 2, 1)


def test_what_was_reserved_for_objects_that_never_come_to_their_cut_is_left_to_the_others(
    life: NewLife,
) -> None:
    one = life()
    one.admitted = False
    for _ in range(40):
        one.loop.look(KEY)
    started = time.monotonic()
    one.cloud.limits.wait("CreateSnapshot", 10)
    assert time.monotonic() - started < 0.5  # two seconds, were it not so
    one.admitted = True
    one.run(HOUR)
    assert ready(one) == ("Ready", "CrashConsistent", 1, 1)


def test_a_cut_is_recorded_although_the_look_at_its_disks_after_it_fails_in_whatever_way(
    life: NewLife,
) -> None:
    one = life(whenNotMounted="Snapshot")
    looks, disks, cloud = [], one.cloud.disks, one.cloud

    def failing(disk_ids: Any) -> Any:
        looks.append(disk_ids)
        if len(looks) > 2:  # when it is prepared, and just before the cut
            raise KeyError("something that nobody thought of")
        return disks(disk_ids)

    vars(cloud)["disks"] = failing
    one.run(timedelta(minutes=1))
    assert len(looks) > 1
    assert one.status.recorded
