"""Each documented code, through the SDK: what it is told as, and what comes of it in a life."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from disksnapshot.cbs import errors
from disksnapshot.cbs.calls import CloudProblem
from disksnapshot.cbs.client import Cloud
from disksnapshot.cbs.limits import Limits
from lab.cbs.control import Control
from lab.cbs.server import Emulator
from lab.lives import page, walk
from lab.lives.life import KEY, NewLife

HOUR = timedelta(hours=1)
PAGE = Path(__file__).resolve().parents[2] / "docs" / "cloud-errors-seen.md"

pytestmark = pytest.mark.filterwarnings("ignore:.* fileds are useless:UserWarning")


class Free(Limits):
    """Limits that nobody waits for."""

    def wait(self, action: str, count: int = 1) -> None:
        pass


@pytest.fixture
def ours(emulator: Emulator, files: Any, sdk: Any) -> Cloud:
    return Cloud(sdk.credential, "ap-guangzhou", emulator.endpoint, str(files.ca), Free())


def test_every_code_comes_through_the_sdk_as_what_the_table_says(
    ours: Cloud, control: Control
) -> None:
    for code, known in errors.TABLE.items():
        control.error("DescribeSnapshots", code, "because")
        with pytest.raises(CloudProblem, match=f"DescribeSnapshots: {code}: because") as problem:
            ours.snapshots(["snap-00000000"])
        told = problem.value
        # Nothing is unknown of what only asks: it is the cloud that can't answer.
        reason = "CloudError" if known.reason == "OutcomeUnknown" else known.reason
        assert (told.code, told.reason, told.slow) == (code, reason, known.needs_person)


# One code of each meaning; `make cloud-errors` walks all of them.
ONE_OF_EACH = {known: code for code, known in reversed(errors.TABLE.items())}


@pytest.mark.parametrize("code", sorted(ONE_OF_EACH.values()))
def test_a_life_that_meets_it_for_an_hour_ends_or_waits_as_the_table_says(
    life: NewLife, code: str
) -> None:
    seen = walk.meet(life, code)
    assert seen.reason == errors.TABLE[code].reason
    assert seen.end == walk.expected(code)
    assert seen.snapshots == (1 if seen.reason == "DeletionBlocked" else 0)
    assert seen.requests <= 3
    assert page.row(seen) in PAGE.read_text(), "run `make cloud-errors`"


@pytest.mark.parametrize(
    ("action", "code"),
    [
        ("DescribeDisks", "AuthFailure.SecretIdNotFound"),
        ("DescribeDisks", "UnauthorizedOperation"),
        ("DescribeDisks", "UnsupportedRegion"),
        ("DescribeSnapshots", "UnauthorizedOperation"),
        ("DescribeSnapshots", "InvalidParameterValue"),
        ("CreateSnapshot", "UnauthorizedOperation"),
        ("CreateSnapshot", "InsufficientSnapshotQuota"),
        ("CreateSnapshot", "InvalidAccount.InsufficientBalance"),
        ("DescribeSnapshotOverview", "UnauthorizedOperation"),
    ],
)
def test_a_permanent_error_costs_at_most_a_dozen_calls_in_an_hour(
    life: NewLife, control: Control, action: str, code: str
) -> None:
    one = life()
    control.error(action, code, seconds=300)
    if action == "DescribeSnapshotOverview":
        control.error("CreateSnapshot", "InsufficientSnapshotQuota", seconds=300)
    one.run(HOUR)
    assert 1 <= one.calls()[action] <= 12
    assert one.status.ready == "False"


def test_a_snapshot_that_can_t_be_deleted_is_tried_at_most_a_dozen_times_in_an_hour(
    life: NewLife, control: Control
) -> None:
    one = life(deletionPolicy="Delete")
    one.run(HOUR)
    control.error("DeleteSnapshots", "UnsupportedOperation.SnapHasShared", seconds=300)
    one.api.delete()
    one.run(HOUR)
    assert 1 <= one.calls()["DeleteSnapshots"] <= 12
    assert one.status.reason == "DeletionBlocked"
    control.clear_faults()
    one.run(HOUR)
    assert one.api.stored is None
    assert one.in_the_cloud() == []


def test_an_error_that_keeps_a_snapshot_in_creation_from_being_seen_is_said_once_and_its_end(
    life: NewLife, control: Control
) -> None:
    control.settings(creationMilliseconds=1_600_000)
    one = life()
    one.loop.look(KEY)
    assert one.status.reason == "Creating"
    control.error("DescribeSnapshots", "UnauthorizedOperation", seconds=300)
    before = one.api.writes
    one.run(timedelta(minutes=10))
    assert one.status.reason == "CloudForbidden"
    assert "UnauthorizedOperation" in one.status.message
    assert one.api.writes == before + 1
    control.clear_faults()
    while one.status.reason == "CloudForbidden":
        one.run(timedelta(seconds=1))
    assert one.status.reason == "Creating"
    one.run(HOUR)
    assert one.status.ready == "True"


@pytest.mark.parametrize("action", ["DescribeDisks", "DescribeSnapshots"])
def test_no_outcome_is_called_unknown_before_anything_was_asked_for(
    life: NewLife, control: Control, action: str
) -> None:
    one = life()
    control.error(action, "InternalError", seconds=300)
    one.run(timedelta(minutes=10))
    assert one.calls()["CreateSnapshot"] == 0
    assert one.status.reason == "CloudError"
    assert f"{action}: InternalError" in one.status.message


def test_a_right_that_is_given_later_lets_the_object_go_on(
    life: NewLife, control: Control
) -> None:
    one = life()
    control.error("DescribeDisks", "UnauthorizedOperation", times=3)
    one.run(HOUR)
    assert one.status.ready == "True"


def test_the_page_of_what_was_seen_has_a_row_for_each_code() -> None:
    rows = [line.split(" | ") for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    seen = {row[0].strip("| `"): row[2].strip("`") for row in rows}
    assert seen == {code: known.reason for code, known in errors.TABLE.items()}, (
        "run `make cloud-errors`"
    )
