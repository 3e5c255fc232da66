"""Where documents are silent or disagree, the emulated cloud can be read both ways."""

from datetime import UTC, datetime
from typing import Any

import pytest
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

from lab.cbs.caller import Caller
from lab.cbs.control import Control


def refused(code: str) -> Any:
    return pytest.raises(TencentCloudSDKException, check=lambda error: error.code == code)


@pytest.fixture(autouse=True)
def at_once(control: Control) -> None:
    control.settings(visibilityDelayMilliseconds=0, creationMilliseconds=0)


def create(cloud: Caller, disk_id: str, **asked: Any) -> dict[str, Any]:
    """Make a snapshot and show it."""
    made = cloud.call("CreateSnapshot", DiskId=disk_id, **asked)["SnapshotId"]
    [shown] = cloud.snapshots(SnapshotIds=[made])
    return shown


def test_tags_may_not_stick(cloud: Caller, control: Control, disk_id: str) -> None:
    tags = [{"Key": "team", "Value": "shop"}]
    assert create(cloud, disk_id, Tags=tags)["Tags"] == tags
    control.settings(tagsStick=False)
    assert create(cloud, disk_id, Tags=tags)["Tags"] == []


def test_a_second_creation_may_be_refused_by_another_code(
    cloud: Caller, control: Control, disk_id: str
) -> None:
    control.settings(creationMilliseconds=60_000, busyCode="ResourceBusy")
    create(cloud, disk_id)
    with refused("ResourceBusy"):
        create(cloud, disk_id)


def test_a_permanent_snapshot_may_show_a_deadline_all_the_same(
    cloud: Caller, control: Control, disk_id: str
) -> None:
    control.settings(deadlineWhenPermanent=True)
    shown = create(cloud, disk_id)
    assert shown["IsPermanent"] is True
    assert datetime.strptime(shown["DeadlineTime"] + "Z", "%Y-%m-%d %H:%M:%S%z")


def test_times_may_be_of_another_zone(cloud: Caller, control: Control, disk_id: str) -> None:
    control.settings(timeZoneHours=0)
    shown = create(cloud, disk_id)["CreateTime"] + "+0000"
    moment = datetime.strptime(shown, "%Y-%m-%d %H:%M:%S%z")
    assert abs((datetime.now(UTC) - moment).total_seconds()) < 5


def test_newer_keys_may_be_there_or_not(cloud: Caller, control: Control, disk_id: str) -> None:
    newer = {"IsLocked", "LatestModifyTime", "AutoSnapshotPolicyId", "SnapshotMode"}
    assert not newer & create(cloud, disk_id).keys()
    control.settings(newerKeys=True)
    shown = create(cloud, disk_id)
    assert newer <= shown.keys()
    assert datetime.fromisoformat(shown["LatestModifyTime"]).tzinfo is not None


def test_the_zone_filter_may_be_known_or_not(
    cloud: Caller, control: Control, disk_id: str
) -> None:
    create(cloud, disk_id)
    filters = [{"Name": "zone", "Values": ["ap-guangzhou-3"]}]
    with refused("InvalidFilter"):
        cloud.snapshots(Filters=filters)
    control.settings(zoneFilter=True)
    assert len(cloud.snapshots(Filters=filters)) == 1


def test_the_first_may_be_listed_first(cloud: Caller, control: Control, disk_id: str) -> None:
    made = [create(cloud, disk_id)["SnapshotId"] for _ in range(2)]
    assert [one["SnapshotId"] for one in cloud.snapshots()] == made[::-1]
    control.settings(newestFirst=False)
    assert [one["SnapshotId"] for one in cloud.snapshots()] == made


def test_filters_are_few_and_have_few_values(cloud: Caller, control: Control) -> None:
    many = [{"Name": "snapshot-name", "Values": ["n"]}] * 11
    wide = [{"Name": "snapshot-name", "Values": [f"n{number}" for number in range(6)]}]
    for filters in (many, wide):
        with refused("InvalidFilter"):
            cloud.snapshots(Filters=filters)
    control.settings(maxFilters=20, maxFilterValues=20)
    for filters in (many, wide):
        assert cloud.snapshots(Filters=filters) == []


def test_unknown_parameters_may_be_ignored(cloud: Caller, control: Control, disk_id: str) -> None:
    with refused("UnknownParameter"):
        create(cloud, disk_id, Nmae="misspelled")
    control.settings(unknownParameters=True)
    assert create(cloud, disk_id, Nmae="misspelled")["SnapshotName"] == "Unnamed"


def test_the_list_of_instances_may_be_empty(cloud: Caller, control: Control, disk_id: str) -> None:
    seen = []
    for filled in (True, False):
        control.settings(instanceIdLists=filled)
        seen.append(cloud.disks(DiskIds=[disk_id])[0]["InstanceIdList"])
    assert seen == [["ins-lab00001"], []]
