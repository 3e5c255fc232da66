"""What others were told by the cloud counts for all calls, as far as it concerns them."""

import json
from typing import Any

import pytest
from tencentcloud.common.credential import Credential

from disksnapshot.cbs.client import Cloud
from disksnapshot.cbs.limits import Limits
from disksnapshot.errors import Problem

QUOTA = "InsufficientSnapshotQuota"


class Noted(Limits):
    """Limits that note what slows them down."""

    def __init__(self) -> None:
        super().__init__()
        self.slowed: list[tuple[str, bool]] = []

    def slow_down(self, action: str, *, whole_account: bool = False) -> None:
        self.slowed.append((action, whole_account))


def deaf() -> tuple[Cloud, Noted]:
    """Return a client that calls nobody."""
    limits, nowhere = Noted(), "127.0.0.1:1"
    return Cloud(Credential("AKIDx", "key"), "ap-guangzhou", nowhere, None, limits), limits


def test_a_throttle_is_about_one_action_and_its_details_about_the_account() -> None:
    cloud, limits = deaf()
    for code in ("RequestLimitExceeded", "RequestLimitExceeded.UinLimitExceeded"):
        cloud.hear("DescribeSnapshots", code)
    assert limits.slowed == [("DescribeSnapshots", False), ("DescribeSnapshots", True)]


def test_only_a_refused_snapshot_closes_the_region_for_others() -> None:
    cloud, _ = deaf()
    cloud.hear("ResizeDisk", QUOTA)
    cloud.require_room()
    cloud.hear("CreateSnapshot", QUOTA, "no more")
    with pytest.raises(Problem, match=QUOTA):
        cloud.require_room()


def test_the_look_up_of_the_window_asks_for_the_newest_first() -> None:
    cloud, _ = deaf()
    _, _, body = cloud.sign_lookup(["disk-00000000"], cloud.clock.now()).partition(b"\r\n\r\n")
    asked: dict[str, Any] = json.loads(body)
    assert (asked["Order"], asked["OrderField"]) == ("DESC", "CREATE_TIME")
