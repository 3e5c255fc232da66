"""What CreateSnapshot, DescribeSnapshots and DeleteSnapshots of the emulated cloud do."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tencentcloud.cbs.v20170312 import models
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

from lab.cbs.caller import Caller
from lab.cbs.control import Control


def refused(code: str) -> Any:
    return pytest.raises(TencentCloudSDKException, check=lambda error: error.code == code)


def create(cloud: Caller, disk_id: str, **asked: Any) -> str:
    return str(cloud.call("CreateSnapshot", DiskId=disk_id, **asked)["SnapshotId"])


def visible_at_once(control: Control, *, creation_seconds: int = 0) -> None:
    control.settings(visibilityDelayMilliseconds=0, creationMilliseconds=creation_seconds * 1000)


def many(cloud: Caller, control: Control, disk_id: str, count: int) -> list[str]:
    visible_at_once(control)
    return [create(cloud, disk_id, SnapshotName=f"number-{index}") for index in range(count)]


def test_the_sdks_own_models_speak_with_the_emulator(
    sdk: Any, disk_id: str, control: Control
) -> None:
    visible_at_once(control)
    create_request = models.CreateSnapshotRequest()
    create_request.DiskId, create_request.SnapshotName = disk_id, "by-model"
    snapshot_id = sdk.CreateSnapshot(create_request).SnapshotId
    describe_request = models.DescribeSnapshotsRequest()
    describe_request.SnapshotIds = [snapshot_id]
    # The emulator sends a key that no model knows, as the service does; the SDK warns of it.
    with pytest.warns(UserWarning, match="fileds are useless"):
        found = sdk.DescribeSnapshots(describe_request).SnapshotSet
    assert [(one.SnapshotId, one.SnapshotName, one.DiskId) for one in found] == [
        (snapshot_id, "by-model", disk_id)
    ]


def test_a_snapshot_holds_what_the_disk_held_at_the_cut_and_nothing_later(
    cloud: Caller, control: Control, disk_id: str
) -> None:
    disk = Path(control.disk(disk_id)["Path"])
    with disk.open("r+b") as image:
        image.write(b"before")
    create(cloud, disk_id)
    with disk.open("r+b") as image:
        image.write(b"behind")
    [snapshot] = control.snapshots()
    with Path(snapshot["path"]).open("rb") as image:
        assert image.read(6) == b"before"


def test_the_cut_is_over_before_the_reply(cloud: Caller, control: Control, disk_id: str) -> None:
    sent = datetime.now(UTC).timestamp()
    create(cloud, disk_id)
    replied = datetime.now(UTC).timestamp()
    [snapshot] = control.snapshots()
    assert sent < snapshot["cutStartTime"] <= snapshot["cutTime"] < replied


def test_a_snapshot_is_real_before_it_is_visible(
    cloud: Caller, control: Control, disk_id: str
) -> None:
    control.settings(visibilityDelayMilliseconds=60_000)
    snapshot_id = create(cloud, disk_id)
    assert cloud.snapshots(SnapshotIds=[snapshot_id]) == []
    assert [truth["visible"] for truth in control.snapshots()] == [False]
    control.settings(clockOffsetSeconds=61)
    assert [one["SnapshotId"] for one in cloud.snapshots()] == [snapshot_id]


def test_percent_grows_until_the_snapshot_is_normal(
    cloud: Caller, control: Control, disk_id: str
) -> None:
    visible_at_once(control, creation_seconds=100)
    create(cloud, disk_id)
    seen = []
    for offset in (0, 50, 99, 101):
        control.settings(clockOffsetSeconds=offset)
        [snapshot] = cloud.snapshots()
        seen.append((snapshot["SnapshotState"], snapshot["Percent"]))
    assert seen == [("CREATING", 0), ("CREATING", 50), ("CREATING", 99), ("NORMAL", 100)]


def test_a_disk_has_one_creation_at_a_time(cloud: Caller, control: Control, disk_id: str) -> None:
    visible_at_once(control, creation_seconds=100)
    create(cloud, disk_id)
    with refused("InvalidDisk.SnapshotCreating"):
        create(cloud, disk_id)
    control.settings(clockOffsetSeconds=101)
    create(cloud, disk_id)
    assert len(control.snapshots()) == 2


def test_two_disks_have_their_creations_side_by_side(
    cloud: Caller, control: Control, disk_id: str
) -> None:
    create(cloud, disk_id)
    create(cloud, control.create_disk()["DiskId"])
    assert len(control.snapshots()) == 2


def test_a_disk_without_the_ability_is_refused(cloud: Caller, control: Control) -> None:
    disk_id = control.create_disk(snapshot_ability=False)["DiskId"]
    with refused("InvalidDisk.NotSupportSnapshot"):
        create(cloud, disk_id)


def test_an_unknown_disk_is_refused(cloud: Caller) -> None:
    with refused("InvalidDiskId.NotFound"):
        create(cloud, "disk-00000000")


def test_a_create_without_a_disk_is_refused(cloud: Caller) -> None:
    with refused("MissingParameter"):
        cloud.call("CreateSnapshot", SnapshotName="of-nothing")


def test_tags_and_name_are_kept(cloud: Caller, control: Control, disk_id: str) -> None:
    visible_at_once(control)
    tags = [
        {"Key": "disksnapshot.io/uid", "Value": "5f0c"},
        {"Key": "team", "Value": "shop (a/b) @ c=d"},
    ]
    create(cloud, disk_id, SnapshotName="shop-orders-0123456789-1", Tags=tags)
    [snapshot] = cloud.snapshots()
    assert snapshot["Tags"] == tags
    assert snapshot["SnapshotName"] == "shop-orders-0123456789-1"


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        ([{"Key": "qcs:mine", "Value": ""}], "InvalidParameterValue"),
        ([{"Key": "project:mine", "Value": ""}], "InvalidParameterValue"),
        ([{"Key": "k" * 128, "Value": ""}], "InvalidParameterValue"),
        ([{"Key": "k", "Value": "v" * 256}], "InvalidParameterValue"),
        ([{"Key": "k", "Value": "a;b"}], "InvalidParameterValue"),
        ([{"Key": "k", "Value": "1"}, {"Key": "k", "Value": "2"}], "InvalidParameterValue"),
        (
            [{"Key": f"k{index}", "Value": ""} for index in range(51)],
            "LimitExceeded.TagQuotaLimitExceeded",
        ),
    ],
)
def test_tags_that_the_tag_service_refuses_are_refused(
    cloud: Caller, disk_id: str, tags: list[dict[str, str]], code: str
) -> None:
    with refused(code):
        create(cloud, disk_id, Tags=tags)


def test_a_name_of_60_characters_is_taken_and_one_of_61_refused(
    cloud: Caller, disk_id: str
) -> None:
    with refused("InvalidParameterValue"):
        create(cloud, disk_id, SnapshotName="n" * 61)
    create(cloud, disk_id, SnapshotName="n" * 60)


def test_a_snapshot_without_a_deadline_is_permanent(
    cloud: Caller, control: Control, disk_id: str
) -> None:
    visible_at_once(control)
    create(cloud, disk_id)
    [snapshot] = cloud.snapshots()
    assert (snapshot["IsPermanent"], snapshot["DeadlineTime"]) == (True, "")


def test_a_snapshot_is_gone_at_its_deadline(cloud: Caller, control: Control, disk_id: str) -> None:
    visible_at_once(control)
    deadline = (datetime.now(UTC) + timedelta(days=2)).replace(microsecond=0)
    create(cloud, disk_id, Deadline=deadline.isoformat())
    [snapshot] = cloud.snapshots()
    beijing = deadline + timedelta(hours=8)
    assert snapshot["IsPermanent"] is False
    assert snapshot["DeadlineTime"] == beijing.strftime("%Y-%m-%d %H:%M:%S")
    control.settings(clockOffsetSeconds=2 * 86400 + 1)
    assert control.snapshots() == []


@pytest.mark.parametrize(
    "deadline",
    [
        (datetime.now(UTC) + timedelta(hours=23)).isoformat(),
        (datetime.now(UTC) + timedelta(days=9)).replace(tzinfo=None).isoformat(),
        "next week",
    ],
    ids=["too soon", "without a zone", "no time at all"],
)
def test_a_deadline_must_be_a_time_at_least_a_day_ahead(
    cloud: Caller, disk_id: str, deadline: str
) -> None:
    with refused("InvalidParameterValue"):
        create(cloud, disk_id, Deadline=deadline)


def test_times_are_of_beijing_and_carry_no_zone(
    cloud: Caller, control: Control, disk_id: str
) -> None:
    visible_at_once(control)
    create(cloud, disk_id)
    [snapshot] = cloud.snapshots()
    shown = datetime.strptime(snapshot["CreateTime"] + "+0800", "%Y-%m-%d %H:%M:%S%z")
    assert abs(datetime.now(UTC) - shown) < timedelta(seconds=5)


def test_an_unknown_id_gives_an_empty_set_and_no_error(cloud: Caller) -> None:
    found = cloud.call("DescribeSnapshots", SnapshotIds=["snap-00000000"])
    assert (found["TotalCount"], found["SnapshotSet"]) == (0, [])


def test_a_malformed_id_is_refused(cloud: Caller) -> None:
    with refused("InvalidParameterValue"):
        cloud.snapshots(SnapshotIds=["snapshot-1"])


def test_ids_and_filters_together_are_refused(cloud: Caller) -> None:
    named = [{"Name": "snapshot-name", "Values": ["a"]}]
    with refused("InvalidParameterValue"):
        cloud.snapshots(SnapshotIds=["snap-00000000"], Filters=named)


def test_filters_narrow_each_other_and_the_values_of_one_widen_it(
    cloud: Caller, control: Control, disk_id: str
) -> None:
    visible_at_once(control)
    other = control.create_disk()["DiskId"]
    first = create(cloud, disk_id, SnapshotName="first")
    second = create(cloud, disk_id, SnapshotName="second")
    create(cloud, other, SnapshotName="first")
    filters = [
        {"Name": "disk-id", "Values": [disk_id]},
        {"Name": "snapshot-name", "Values": ["first", "second"]},
        {"Name": "snapshot-state", "Values": ["NORMAL"]},
        {"Name": "encrypt", "Values": ["FALSE"]},
    ]
    found = cloud.snapshots(Filters=filters, Order="ASC")
    assert [one["SnapshotId"] for one in found] == [first, second]


@pytest.mark.parametrize(
    "entry",
    [
        {"Name": "tag:team", "Values": ["shop"]},
        {"Name": "snapshot-nam", "Values": ["a"]},
        {"Name": "snapshot-name", "Values": []},
        {"Name": "disk-id", "Values": ["disk-00000000"] * 11},
    ],
    ids=["snapshots have no tag filter", "unknown", "no value", "11 disks"],
)
def test_a_filter_that_is_not_documented_is_refused(cloud: Caller, entry: dict[str, Any]) -> None:
    with refused("InvalidFilter"):
        cloud.snapshots(Filters=[entry])


@pytest.mark.parametrize(("fuzzy", "found"), [(False, []), (True, ["orders-12"])])
def test_a_name_matches_exactly_unless_the_cloud_is_set_to_fuzzy(
    cloud: Caller, control: Control, disk_id: str, *, fuzzy: bool, found: list[str]
) -> None:
    visible_at_once(control)
    control.settings(fuzzyNames=fuzzy)
    create(cloud, disk_id, SnapshotName="orders-12")
    listed = cloud.snapshots(Filters=[{"Name": "snapshot-name", "Values": ["orders-1"]}])
    assert [one["SnapshotName"] for one in listed] == found


def test_pages_cover_all_and_each_tells_the_true_total(
    cloud: Caller, control: Control, disk_id: str
) -> None:
    made = many(cloud, control, disk_id, 5)
    listed = []
    for offset in (0, 2, 4, 6):
        page = cloud.call("DescribeSnapshots", Offset=offset, Limit=2)
        assert page["TotalCount"] == 5
        listed += [one["SnapshotId"] for one in page["SnapshotSet"]]
    assert listed == made[::-1]


def test_a_page_has_20_unless_another_limit_is_asked_for(
    cloud: Caller, control: Control, disk_id: str
) -> None:
    many(cloud, control, disk_id, 21)
    assert len(cloud.snapshots()) == 20
    assert len(cloud.snapshots(Limit=100)) == 21


@pytest.mark.parametrize("page", [{"Limit": 0}, {"Limit": 101}, {"Offset": -1}, {"Order": "UP"}])
def test_a_page_out_of_range_is_refused(cloud: Caller, page: dict[str, Any]) -> None:
    with refused("InvalidParameterValue"):
        cloud.snapshots(**page)


@pytest.mark.parametrize(
    "asked",
    [
        {"Nmae": "misspelled"},
        {"Tags": [{"Key": "k", "Value": "v", "Valeu": "w"}]},
    ],
    ids=["at the top", "nested"],
)
def test_a_parameter_that_is_not_documented_is_refused(
    cloud: Caller, disk_id: str, asked: dict[str, Any]
) -> None:
    with refused("UnknownParameter"):
        create(cloud, disk_id, **asked)


@pytest.mark.parametrize("asked", [{"Limit": "20"}, {"Limit": True}, {"SnapshotIds": "snap-1"}])
def test_a_parameter_of_another_type_is_refused(cloud: Caller, asked: dict[str, Any]) -> None:
    with refused("InvalidParameter"):
        cloud.snapshots(**asked)


def test_a_deleted_snapshot_is_listed_a_little_longer(
    cloud: Caller, control: Control, disk_id: str
) -> None:
    visible_at_once(control)
    control.settings(deletionMilliseconds=60_000)
    snapshot_id = create(cloud, disk_id)
    cloud.call("DeleteSnapshots", SnapshotIds=[snapshot_id])
    assert len(cloud.snapshots()) == 1
    path = Path(control.snapshots()[0]["path"])
    control.settings(clockOffsetSeconds=61)
    assert cloud.snapshots() == []
    assert not path.exists()
    with refused("InvalidSnapshotId.NotFound"):
        cloud.call("DeleteSnapshots", SnapshotIds=[snapshot_id])


def test_a_deletion_that_is_asked_for_twice_ends_no_later(
    cloud: Caller, control: Control, disk_id: str
) -> None:
    visible_at_once(control)
    control.settings(deletionMilliseconds=60_000)
    snapshot_id = create(cloud, disk_id)
    for offset in (0, 50):
        control.settings(clockOffsetSeconds=offset)
        cloud.call("DeleteSnapshots", SnapshotIds=[snapshot_id])
    control.settings(clockOffsetSeconds=61)
    assert cloud.snapshots() == []


def test_a_snapshot_that_is_being_created_cannot_be_deleted(
    cloud: Caller, control: Control, disk_id: str
) -> None:
    visible_at_once(control, creation_seconds=100)
    snapshot_id = create(cloud, disk_id)
    with refused("ResourceUnavailable.SnapshotCreating"):
        cloud.call("DeleteSnapshots", SnapshotIds=[snapshot_id])


def test_a_batch_is_deleted_whole_or_not_at_all(
    cloud: Caller, control: Control, disk_id: str
) -> None:
    snapshot_id = many(cloud, control, disk_id, 1)[0]
    control.settings(deletionMilliseconds=0)
    with refused("InvalidSnapshotId.NotFound"):
        cloud.call("DeleteSnapshots", SnapshotIds=[snapshot_id, "snap-00000000"])
    assert len(control.snapshots()) == 1


def test_deleting_nothing_is_refused(cloud: Caller) -> None:
    with refused("MissingParameter"):
        cloud.call("DeleteSnapshots")
    with refused("MissingParameter"):
        cloud.call("DeleteSnapshots", SnapshotIds=[])


def test_a_snapshot_can_vanish_while_it_is_created(
    cloud: Caller, control: Control, disk_id: str
) -> None:
    visible_at_once(control, creation_seconds=100)
    control.vanish(create(cloud, disk_id))
    assert cloud.snapshots() == []
    assert control.snapshots() == []
