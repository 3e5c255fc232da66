"""How the emulated cloud limits its callers: calls a second, quotas, arrears."""

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

from lab.cbs.caller import Caller
from lab.cbs.control import Control


def refused(code: str) -> Any:
    return pytest.raises(TencentCloudSDKException, check=lambda error: error.code == code)


def create(cloud: Caller, disk_id: str) -> str:
    return str(cloud.call("CreateSnapshot", DiskId=disk_id)["SnapshotId"])


def use_up(ask: Callable[[], object], limit: int) -> TencentCloudSDKException:
    """Ask as fast as possible until it is refused, which must be after `limit` calls or more."""
    for number in range(100):
        try:
            ask()
        except TencentCloudSDKException as error:
            assert number >= limit
            return error
    raise AssertionError("never refused")


def test_calls_that_come_too_fast_are_refused_in_the_services_words(
    cloud: Caller, control: Control
) -> None:
    control.settings(callsPerSecond=3)
    refusal = use_up(cloud.snapshots, 3)
    assert refusal.code == "RequestLimitExceeded"
    assert refusal.message == (
        "Your current request times equals to `4` in a second, which exceeds the frequency limit "
        "`3` for a second. Please reduce the frequency of calls."
    )


def test_each_action_has_a_limit_of_its_own(cloud: Caller, control: Control, disk_id: str) -> None:
    control.settings(callsPerSecond=2, describeDisksPerSecond=5)
    use_up(cloud.snapshots, 2)
    create(cloud, disk_id)
    use_up(cloud.disks, 5)


def test_a_call_that_waits_for_its_turn_is_let_in(cloud: Caller, control: Control) -> None:
    control.settings(callsPerSecond=2)
    use_up(cloud.snapshots, 2)
    time.sleep(0.55)
    cloud.snapshots()


def test_a_call_that_was_too_fast_does_nothing(
    cloud: Caller, control: Control, disk_id: str
) -> None:
    control.settings(callsPerSecond=1, creationMilliseconds=0)
    use_up(lambda: create(cloud, disk_id), 1)
    acted = [call for call in control.calls()[0] if call["acted"]]
    assert len(control.snapshots()) == len(acted)


def test_a_fault_that_answers_a_limit_needs_no_speed(cloud: Caller, control: Control) -> None:
    control.error("DescribeSnapshots", "RequestLimitExceeded.UinLimitExceeded")
    with refused("RequestLimitExceeded.UinLimitExceeded"):
        cloud.snapshots()


@pytest.mark.parametrize(
    ("quotas", "allowed"),
    [
        ({"quota": 2}, 2),
        ({"quota": 1, "quotaPerDisk": 1}, 2),
        ({"diskQuota": 3}, 3),
        ({"quotaGib": 2}, 2),
    ],
    ids=["of the region", "for each disk of the region", "of the disk", "by size"],
)
def test_a_quota_ends_the_creation_of_snapshots_until_one_is_deleted(
    cloud: Caller, control: Control, disk_id: str, quotas: dict[str, int], allowed: int
) -> None:
    control.settings(creationMilliseconds=0, deletionMilliseconds=0, **quotas)
    made = [create(cloud, disk_id) for _ in range(allowed)]
    with refused("InsufficientSnapshotQuota"):
        create(cloud, disk_id)
    cloud.call("DeleteSnapshots", SnapshotIds=made[:1])
    create(cloud, disk_id)


def test_a_quota_can_be_told_by_the_other_code(
    cloud: Caller, control: Control, disk_id: str
) -> None:
    control.settings(creationMilliseconds=0, quota=1, quotaCode="ResourceInsufficient.OverQuota")
    create(cloud, disk_id)
    with refused("ResourceInsufficient.OverQuota"):
        create(cloud, disk_id)


def test_an_account_in_arrears_can_look_and_delete_but_make_nothing(
    cloud: Caller, control: Control, disk_id: str
) -> None:
    control.settings(creationMilliseconds=0, visibilityDelayMilliseconds=0)
    made = create(cloud, disk_id)
    control.settings(inArrears=True)
    with refused("InvalidAccount.InsufficientBalance"):
        create(cloud, disk_id)
    assert len(cloud.snapshots()) == 1
    cloud.call("DeleteSnapshots", SnapshotIds=[made])


def test_the_overview_counts_and_says_what_is_billed(
    cloud: Caller, control: Control, disk_id: str
) -> None:
    control.settings(creationMilliseconds=0, visibilityDelayMilliseconds=0, freeGib=2)
    for _ in range(3):
        create(cloud, disk_id)
    seen = cloud.call("DescribeSnapshotOverview")
    del seen["RequestId"]
    assert seen == {"TotalNums": 3, "TotalSize": 3.0, "FreeQuota": 2.0, "RealTradeSize": 1.0}


def test_the_documented_limits_can_be_had_in_one_word(
    cloud: Caller, control: Control, disk_id: str
) -> None:
    control.settings(creationMilliseconds=0)
    control.add_snapshots(64 + 64 - 1, disk_id)
    control.limit_as_documented()
    create(cloud, disk_id)
    with refused("InsufficientSnapshotQuota"):
        create(cloud, disk_id)


def test_an_account_can_be_full_of_others_snapshots(
    cloud: Caller, control: Control, disk_id: str
) -> None:
    ids = control.add_snapshots(10_001, "disk-foreign1", name="shop-orders")
    assert len(set(ids)) == 10_001
    assert all(re.fullmatch(r"snap-[0-9a-z]{8}", one) for one in ids)
    last = cloud.call("DescribeSnapshots", Offset=10_000, Limit=100)
    assert (last["TotalCount"], len(last["SnapshotSet"])) == (10_001, 1)
    create(cloud, disk_id)
