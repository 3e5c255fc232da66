"""Disks that aren't as they should be, and how disks change hands through the API."""

from typing import Any

import pytest
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

from lab.cbs.caller import Caller
from lab.cbs.control import Control, ControlError

INSTANCE = "ins-lab00001"


def refused(code: str) -> Any:
    return pytest.raises(TencentCloudSDKException, check=lambda error: error.code == code)


def free_disk(control: Control) -> str:
    return str(control.create_disk()["DiskId"])


def state(cloud: Caller, disk_id: str) -> str:
    [disk] = cloud.disks(DiskIds=[disk_id])
    return str(disk["DiskState"])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"DiskState": "ROLLBACKING"}, "ResourceInUse.DiskRollbacking"),
        ({"DiskState": "EXPANDING"}, "InvalidDisk.Busy"),
        ({"DiskState": "DUMPING"}, "InvalidDisk.Busy"),
        ({"DiskState": "TORECYCLE"}, "InvalidDisk.NotSupported"),
        ({"Migrating": True}, "ResourceInUse.DiskMigrating"),
        ({"Shareable": True}, "UnsupportedOperation.ShareDiskNotSupportSnap"),
        ({"SnapshotAbility": False}, "InvalidDisk.NotSupportSnapshot"),
    ],
)
def test_a_disk_that_can_t_be_cut_shows_why_and_refuses(
    cloud: Caller, control: Control, disk_id: str, changes: dict[str, Any], code: str
) -> None:
    control.change_disk(disk_id, **changes)
    [shown] = cloud.disks(DiskIds=[disk_id])
    assert {name: shown[name] for name in changes} == changes
    with refused(code):
        cloud.call("CreateSnapshot", DiskId=disk_id)
    assert control.snapshots() == []


@pytest.mark.parametrize("held", ["UNATTACHED", "ATTACHING", "ATTACHED", "DETACHING"])
def test_a_disk_can_be_cut_whoever_has_it(
    cloud: Caller, control: Control, disk_id: str, held: str
) -> None:
    control.change_disk(disk_id, DiskState=held)
    assert state(cloud, disk_id) == held
    cloud.call("CreateSnapshot", DiskId=disk_id)


def test_a_disk_shows_its_true_state_again(cloud: Caller, control: Control, disk_id: str) -> None:
    for shown, seen in (("EXPANDING", "EXPANDING"), ("", "ATTACHED")):
        control.change_disk(disk_id, DiskState=shown)
        assert state(cloud, disk_id) == seen


def test_a_snapshot_is_encrypted_as_its_disk_is_and_of_its_use(
    cloud: Caller, control: Control, disk_id: str
) -> None:
    control.settings(visibilityDelayMilliseconds=0)
    control.change_disk(disk_id, Encrypt=True, DiskUsage="SYSTEM_DISK")
    cloud.call("CreateSnapshot", DiskId=disk_id)
    [snapshot] = cloud.snapshots()
    assert (snapshot["Encrypt"], snapshot["DiskUsage"]) == (True, "SYSTEM_DISK")


def test_what_a_disk_doesn_t_have_can_t_be_changed(control: Control, disk_id: str) -> None:
    with pytest.raises(ControlError, match="Colour can't be changed"):
        control.change_disk(disk_id, Colour="red")
    with pytest.raises(ControlError, match="type bool"):
        control.change_disk(disk_id, Migrating="yes")


def test_disks_are_attached_and_detached_a_while_after_they_are_asked_to(
    cloud: Caller, control: Control
) -> None:
    control.settings(attachMilliseconds=60_000)
    disk_id, seen = free_disk(control), []
    cloud.call("AttachDisks", InstanceId=INSTANCE, DiskIds=[disk_id])
    seen.append(state(cloud, disk_id))
    control.settings(clockOffsetSeconds=61)
    seen.append(state(cloud, disk_id))
    cloud.call("DetachDisks", DiskIds=[disk_id])
    seen.append(state(cloud, disk_id))
    control.settings(clockOffsetSeconds=122)
    seen.append(state(cloud, disk_id))
    assert seen == ["ATTACHING", "ATTACHED", "DETACHING", "UNATTACHED"]
    [shown] = cloud.disks(DiskIds=[disk_id])
    assert (shown["InstanceId"], shown["LastAttachInsId"]) == ("", INSTANCE)


def test_disks_are_attached_all_or_none(cloud: Caller, control: Control, disk_id: str) -> None:
    free = free_disk(control)
    with refused("ResourceUnavailable.Attached"):
        cloud.call("AttachDisks", InstanceId=INSTANCE, DiskIds=[free, disk_id])
    assert state(cloud, free) == "UNATTACHED"


@pytest.mark.parametrize(
    ("action", "asked", "code"),
    [
        ("AttachDisks", {"InstanceId": "node-1"}, "InvalidInstanceId.NotFound"),
        ("AttachDisks", {"InstanceId": INSTANCE, "DiskIds": []}, "MissingParameter"),
        (
            "AttachDisks",
            {"InstanceId": INSTANCE, "DiskIds": ["disk-00000000"] * 11},
            "InvalidParameterValue.LimitExceeded",
        ),
        (
            "AttachDisks",
            {"InstanceId": INSTANCE, "DiskIds": ["disk-00000000"]},
            "InvalidDiskId.NotFound",
        ),
        ("DetachDisks", {}, "InvalidDisk.NotSupported"),
        ("TerminateDisks", {"DiskIds": ["disk-00000000"]}, "InvalidDiskId.NotFound"),
    ],
)
def test_a_disk_that_can_t_change_hands_is_refused(
    cloud: Caller, control: Control, action: str, asked: dict[str, Any], code: str
) -> None:
    with refused(code):
        cloud.call(action, **{"DiskIds": [free_disk(control)], **asked})


def test_an_instance_takes_twenty_disks(cloud: Caller, control: Control) -> None:
    for _ in range(20):
        control.attach(free_disk(control), INSTANCE)
    with refused("LimitExceeded.InstanceAttachedDisk"):
        cloud.call("AttachDisks", InstanceId=INSTANCE, DiskIds=[free_disk(control)])


def test_a_disk_isn_t_taken_from_another_instance(cloud: Caller, disk_id: str) -> None:
    with refused("InvalidParameterValue"):
        cloud.call("DetachDisks", DiskIds=[disk_id], InstanceId="ins-other001")


def test_a_disk_that_is_used_isn_t_terminated(cloud: Caller, control: Control) -> None:
    free, used = free_disk(control), free_disk(control)
    control.attach(used, INSTANCE)
    with refused("InvalidDisk.NotSupported"):
        cloud.call("TerminateDisks", DiskIds=[free, used])
    assert len(cloud.disks()) == 2
    cloud.call("TerminateDisks", DiskIds=[free])
    assert [disk["DiskId"] for disk in cloud.disks()] == [used]


@pytest.mark.parametrize(("along", "left"), [(0, 2), (1, 1)])
def test_snapshots_outlive_their_disk_but_for_those_with_an_end_if_asked(
    cloud: Caller, control: Control, along: int, left: int
) -> None:
    control.settings(visibilityDelayMilliseconds=0, creationMilliseconds=0, deletionMilliseconds=0)
    disk_id = free_disk(control)
    for asked in ({}, {"Deadline": "2999-01-01T00:00:00+00:00"}):
        cloud.call("CreateSnapshot", DiskId=disk_id, **asked)
    cloud.call("TerminateDisks", DiskIds=[disk_id], DeleteSnapshot=along)
    assert len(cloud.snapshots()) == left
