"""What DescribeDisks and CreateDisks of the emulated cloud do, and how disks are attached."""

from pathlib import Path
from typing import Any

import pytest
from tencentcloud.cbs.v20170312 import models
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

from lab.cbs.caller import Caller
from lab.cbs.control import Control, ControlError

ASKED: dict[str, Any] = {
    "Placement": {"Zone": "ap-guangzhou-3"},
    "DiskChargeType": "POSTPAID_BY_HOUR",
    "DiskType": "CLOUD_PREMIUM",
}


def refused(code: str) -> Any:
    return pytest.raises(TencentCloudSDKException, check=lambda error: error.code == code)


def create(cloud: Caller, **asked: Any) -> list[str]:
    return list(cloud.call("CreateDisks", **{**ASKED, **asked})["DiskIdSet"])


def snapshot_of(cloud: Caller, control: Control, disk_id: str, content: bytes = b"") -> str:
    control.settings(visibilityDelayMilliseconds=0, creationMilliseconds=0)
    with Path(control.disk(disk_id)["Path"]).open("r+b") as image:
        image.write(content)
    return str(cloud.call("CreateSnapshot", DiskId=disk_id)["SnapshotId"])


def test_the_sdks_own_model_reads_a_disk(sdk: Any, disk_id: str) -> None:
    request = models.DescribeDisksRequest()
    request.DiskIds = [disk_id]
    with pytest.warns(UserWarning, match="fileds are useless"):
        [disk] = sdk.DescribeDisks(request).DiskSet
    assert (disk.DiskId, disk.DiskSize, disk.SnapshotAbility) == (disk_id, 1, True)
    assert (disk.Placement.Zone, disk.Encrypt) == ("ap-guangzhou-3", False)


def test_a_disk_is_attached_and_detached(cloud: Caller, control: Control) -> None:
    disk_id = control.create_disk(name="orders")["DiskId"]
    seen = []
    for act in (
        lambda: None,
        lambda: control.attach(disk_id, "ins-lab00001"),
        lambda: control.detach(disk_id),
    ):
        act()
        [disk] = cloud.disks(DiskIds=[disk_id])
        seen.append((disk["DiskState"], disk["Attached"], disk["InstanceId"]))
    attached = ("ATTACHED", True, "ins-lab00001")
    assert seen == [("UNATTACHED", False, ""), attached, ("UNATTACHED", False, "")]


def test_a_disk_has_one_instance_at_a_time(control: Control, disk_id: str) -> None:
    with pytest.raises(ControlError, match="is attached"):
        control.attach(disk_id, "ins-other001")
    control.attach(disk_id, "ins-lab00001")


def test_a_disk_that_is_attached_cannot_be_deleted(control: Control, disk_id: str) -> None:
    path = Path(control.disk(disk_id)["Path"])
    with pytest.raises(ControlError, match="is attached"):
        control.delete_disk(disk_id)
    control.detach(disk_id)
    control.delete_disk(disk_id)
    assert not path.exists()
    with pytest.raises(ControlError, match="isn't found"):
        control.disk(disk_id)


def test_an_unknown_disk_gives_an_empty_set_and_no_error(cloud: Caller) -> None:
    found = cloud.call("DescribeDisks", DiskIds=["disk-00000000"])
    assert (found["TotalCount"], found["DiskSet"]) == (0, [])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("disk-name", "orders"),
        ("disk-state", "ATTACHED"),
        ("instance-id", "ins-lab00009"),
        ("portable", "TRUE"),
        ("zone", "ap-guangzhou-9"),
    ],
)
def test_disks_are_found_by_filter(cloud: Caller, control: Control, name: str, value: str) -> None:
    disk_id = control.create_disk(name="orders", zone="ap-guangzhou-9")["DiskId"]
    control.attach(disk_id, "ins-lab00009")
    control.create_disk(name="others")
    found = cloud.disks(Filters=[{"Name": name, "Values": [value]}])
    assert disk_id in [disk["DiskId"] for disk in found]
    assert len(found) == (2 if name == "portable" else 1)


@pytest.mark.parametrize(
    "name", ["instance-ip-address", "instance-name", "dedicated-cluster-id", "cluster-group-id"]
)
def test_filters_for_what_is_not_emulated_are_known_and_find_nothing(
    cloud: Caller, control: Control, name: str
) -> None:
    control.create_disk()
    assert cloud.disks(Filters=[{"Name": name, "Values": ["x"]}]) == []


def test_disks_are_found_by_tag(cloud: Caller, control: Control) -> None:
    control.settings(visibilityDelayMilliseconds=0)
    create(cloud, DiskSize=1)
    tagged = create(cloud, DiskSize=1, Tags=[{"Key": "team", "Value": "shop"}])
    for name, value in (("tag:team", "shop"), ("tag-key", "team"), ("tag-value", "shop")):
        found = cloud.disks(Filters=[{"Name": name, "Values": [value]}])
        assert [disk["DiskId"] for disk in found] == tagged
    assert cloud.disks(Filters=[{"Name": "tag:team", "Values": ["team"]}]) == []


def test_a_disk_from_a_snapshot_holds_what_the_snapshot_holds(
    cloud: Caller, control: Control, disk_id: str
) -> None:
    snapshot_id = snapshot_of(cloud, control, disk_id, b"as it was")
    [copy] = create(cloud, SnapshotId=snapshot_id, DiskName="copy")
    path = Path(control.disk(copy)["Path"])
    with path.open("r+b") as image:
        assert image.read(9) == b"as it was"
        image.seek(0)
        image.write(b"as it is!")
    [snapshot] = control.snapshots()
    with Path(snapshot["path"]).open("rb") as image:
        assert image.read(9) == b"as it was"


def test_a_disk_may_be_larger_than_its_snapshot_but_not_smaller(
    cloud: Caller, control: Control
) -> None:
    disk_id = control.create_disk(size_gib=2)["DiskId"]
    snapshot_id = snapshot_of(cloud, control, disk_id)
    with refused("InvalidParameterValue"):
        create(cloud, SnapshotId=snapshot_id, DiskSize=1)
    [larger] = create(cloud, SnapshotId=snapshot_id, DiskSize=3)
    [equal] = create(cloud, SnapshotId=snapshot_id)
    sizes = [Path(control.disk(made)["Path"]).stat().st_size >> 30 for made in (larger, equal)]
    assert sizes == [3, 2]


def test_no_disk_is_made_of_a_snapshot_that_is_being_created(
    cloud: Caller, control: Control, disk_id: str
) -> None:
    control.settings(creationMilliseconds=100_000)
    snapshot_id = cloud.call("CreateSnapshot", DiskId=disk_id)["SnapshotId"]
    with refused("InvalidSnapshot.NotSupported"):
        create(cloud, SnapshotId=snapshot_id)


def test_a_new_disk_is_listed_a_little_later(cloud: Caller, control: Control) -> None:
    control.settings(visibilityDelayMilliseconds=60_000)
    made = create(cloud, DiskSize=1, DiskCount=3)
    assert cloud.disks(DiskIds=made) == []
    control.settings(clockOffsetSeconds=61)
    assert {disk["DiskState"] for disk in cloud.disks(DiskIds=made)} == {"UNATTACHED"}


def test_the_same_client_token_gives_the_same_disk(cloud: Caller, control: Control) -> None:
    first = create(cloud, DiskSize=1, ClientToken="restore-1")
    assert create(cloud, DiskSize=1, ClientToken="restore-1") == first
    assert create(cloud, DiskSize=1, ClientToken="restore-2") != first
    assert len(control.disks()) == 2


def test_a_client_token_is_good_when_its_snapshot_is_gone(
    cloud: Caller, control: Control, disk_id: str
) -> None:
    snapshot_id = snapshot_of(cloud, control, disk_id)
    first = create(cloud, SnapshotId=snapshot_id, ClientToken="restore-1")
    control.vanish(snapshot_id)
    assert create(cloud, SnapshotId=snapshot_id, ClientToken="restore-1") == first


def test_a_client_token_stands_for_one_request(cloud: Caller) -> None:
    create(cloud, DiskSize=1, ClientToken="restore-1")
    with refused("InvalidParameter.InvalidClientToken"):
        create(cloud, DiskSize=2, ClientToken="restore-1")
    with refused("InvalidParameter.InvalidClientToken"):
        create(cloud, DiskSize=1, ClientToken="t" * 65)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({}, "MissingParameter"),
        ({"DiskSize": 0}, "InvalidParameterValue"),
        ({"DiskSize": 1, "DiskType": "CLOUD_TAPE"}, "InvalidParameterValue"),
        ({"DiskSize": 1, "DiskChargeType": "FREE"}, "InvalidParameterValue"),
        ({"DiskSize": 1, "Placement": {}}, "MissingParameter"),
        ({"DiskSize": 1, "DiskCount": 51}, "InvalidParameterValue.LimitExceeded"),
        ({"DiskSize": 1, "Encrypt": "ENCRYPT"}, "UnsupportedOperation"),
        ({"DiskSize": 1, "DiskSise": 1}, "UnknownParameter"),
        ({"SnapshotId": "snap-00000000"}, "InvalidSnapshotId.NotFound"),
    ],
)
def test_a_disk_that_cannot_be_made_is_refused(
    cloud: Caller, control: Control, asked: dict[str, Any], code: str
) -> None:
    with refused(code):
        create(cloud, **asked)
    assert control.disks() == []
