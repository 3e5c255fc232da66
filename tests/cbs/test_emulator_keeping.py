"""What keeps a snapshot from being deleted, and how a snapshot that is there is modified."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

from lab.cbs.caller import Caller
from lab.cbs.control import Control, ControlError

SOON = (datetime.now(UTC) + timedelta(days=2)).replace(microsecond=0)


def refused(code: str) -> Any:
    return pytest.raises(TencentCloudSDKException, check=lambda error: error.code == code)


@pytest.fixture
def snapshot_id(cloud: Caller, control: Control, disk_id: str) -> str:
    control.settings(visibilityDelayMilliseconds=0, creationMilliseconds=0, deletionMilliseconds=0)
    return str(cloud.call("CreateSnapshot", DiskId=disk_id, SnapshotName="first")["SnapshotId"])


def shown(cloud: Caller) -> dict[str, Any]:
    [snapshot] = cloud.snapshots()
    return snapshot


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"images": ["img-lab00001"]}, "UnsupportedOperation.SnapshotHasBindedImage"),
        ({"shares": 1}, "UnsupportedOperation.SnapHasShared"),
        ({"locked": True}, "InvalidSnapshot.NotSupported"),
        ({"state": "CREATING"}, "ResourceUnavailable.SnapshotCreating"),
        ({"state": "ROLLBACKING"}, "InvalidSnapshot.NotSupported"),
        ({"state": "TORECYCLE"}, "InvalidSnapshot.NotSupported"),
    ],
)
def test_a_snapshot_that_is_needed_is_kept_and_its_whole_batch_with_it(
    cloud: Caller,
    control: Control,
    disk_id: str,
    snapshot_id: str,
    changes: dict[str, Any],
    code: str,
) -> None:
    other = cloud.call("CreateSnapshot", DiskId=disk_id)["SnapshotId"]
    control.change_snapshot(snapshot_id, **changes)
    with refused(code):
        cloud.call("DeleteSnapshots", SnapshotIds=[other, snapshot_id])
    assert len(cloud.snapshots()) == 2


def test_a_snapshot_is_deleted_with_its_images_if_asked(
    cloud: Caller, control: Control, snapshot_id: str
) -> None:
    control.change_snapshot(snapshot_id, images=["img-lab00001"])
    assert shown(cloud)["ImageCount"] == 1
    cloud.call("DeleteSnapshots", SnapshotIds=[snapshot_id], DeleteBindImages=True)
    assert cloud.snapshots() == []


def test_a_snapshot_gets_another_name(cloud: Caller, snapshot_id: str) -> None:
    cloud.call("ModifySnapshotAttribute", SnapshotId=snapshot_id, SnapshotName="second")
    assert shown(cloud)["SnapshotName"] == "second"
    with refused("InvalidParameterValue"):
        cloud.call("ModifySnapshotAttribute", SnapshotId=snapshot_id, SnapshotName="n" * 61)


def test_a_deadline_gives_a_snapshot_an_end_and_permanence_takes_it(
    cloud: Caller, control: Control, snapshot_id: str
) -> None:
    cloud.call("ModifySnapshotAttribute", SnapshotId=snapshot_id, Deadline=SOON.isoformat())
    beijing = SOON + timedelta(hours=8)
    seen = shown(cloud)
    assert (seen["IsPermanent"], seen["DeadlineTime"]) == (False, f"{beijing:%Y-%m-%d %H:%M:%S}")
    assert control.snapshots()[0]["deadline"] == SOON.timestamp()
    cloud.call("ModifySnapshotAttribute", SnapshotId=snapshot_id, IsPermanent=True)
    assert (shown(cloud)["IsPermanent"], shown(cloud)["DeadlineTime"]) == (True, "")


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({}, "MissingParameter"),
        ({"IsPermanent": False}, "MissingParameter"),
        ({"Deadline": "tomorrow"}, "InvalidParameterValue"),
        ({"Tags": []}, "UnknownParameter"),
        ({"SnapshotId": "snap-00000000", "SnapshotName": "n"}, "InvalidSnapshotId.NotFound"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(
    cloud: Caller, snapshot_id: str, asked: dict[str, Any], code: str
) -> None:
    with refused(code):
        cloud.call("ModifySnapshotAttribute", **{"SnapshotId": snapshot_id, **asked})


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"images": ["img-lab00001"]}, "UnsupportedOperation.SnapshotHasBindedImage"),
        ({"shares": 1}, "UnsupportedOperation.SnapHasShared"),
    ],
)
def test_a_snapshot_that_others_need_gets_no_end(
    cloud: Caller, control: Control, snapshot_id: str, changes: dict[str, Any], code: str
) -> None:
    control.change_snapshot(snapshot_id, **changes)
    with refused(code):
        cloud.call("ModifySnapshotAttribute", SnapshotId=snapshot_id, Deadline=SOON.isoformat())


def test_what_a_snapshot_doesn_t_have_can_t_be_changed(control: Control, snapshot_id: str) -> None:
    with pytest.raises(ControlError, match="mood can't be changed"):
        control.change_snapshot(snapshot_id, mood="good")
