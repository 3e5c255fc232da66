"""What the emulated cloud does when many call it at once, and when its disks are in use."""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

from lab.cbs.caller import Caller
from lab.cbs.control import Control
from lab.disks.loop import LoopDisk

CALLERS = 16


def at_once(act: Callable[[int], str]) -> list[str]:
    """Let all callers act in the same moment; give what each got, or the code of its refusal."""
    ready = threading.Barrier(CALLERS)

    def one(number: int) -> str:
        ready.wait(10)
        try:
            return act(number)
        except TencentCloudSDKException as error:
            return str(error.code)

    with ThreadPoolExecutor(CALLERS) as threads:
        return list(threads.map(one, range(CALLERS)))


def test_sixteen_kept_connections_work_side_by_side(
    new_caller: Callable[[], Caller], control: Control
) -> None:
    control.settings(creationMilliseconds=0, visibilityDelayMilliseconds=0)
    disks = [control.create_disk()["DiskId"] for _ in range(CALLERS)]
    callers = [new_caller() for _ in range(CALLERS)]

    def cut_ten_times(number: int) -> str:
        made = [
            callers[number].call("CreateSnapshot", DiskId=disks[number])["SnapshotId"]
            for _ in range(10)
        ]
        mine = [{"Name": "disk-id", "Values": [disks[number]]}]
        listed = callers[number].snapshots(Filters=mine, Order="ASC")
        return "all" if made == [one["SnapshotId"] for one in listed] else "some"

    assert at_once(cut_ten_times) == ["all"] * CALLERS
    assert len(control.snapshots()) == 10 * CALLERS


def test_of_sixteen_who_cut_one_disk_at_once_one_wins(
    new_caller: Callable[[], Caller], control: Control, disk_id: str
) -> None:
    callers = [new_caller() for _ in range(CALLERS)]
    got = at_once(
        lambda number: str(callers[number].call("CreateSnapshot", DiskId=disk_id)["SnapshotId"])
    )
    assert got.count("InvalidDisk.SnapshotCreating") == CALLERS - 1
    assert [snapshot["id"] in got for snapshot in control.snapshots()] == [True]


def test_sixteen_with_one_client_token_get_one_disk(
    new_caller: Callable[[], Caller], control: Control
) -> None:
    callers = [new_caller() for _ in range(CALLERS)]
    asked: dict[str, Any] = {
        "Placement": {"Zone": "ap-guangzhou-3"},
        "DiskChargeType": "POSTPAID_BY_HOUR",
        "DiskType": "CLOUD_PREMIUM",
        "DiskSize": 1,
        "ClientToken": "restore-1",
    }
    got = at_once(lambda number: callers[number].call("CreateDisks", **asked)["DiskIdSet"][0])
    assert [disk["DiskId"] for disk in control.disks()] == [*set(got)]


def test_what_a_mounted_disk_was_told_to_keep_is_in_the_snapshot(
    cloud: Caller, control: Control, disk_id: str, tmp_path: Path
) -> None:
    control.settings(creationMilliseconds=0)
    with LoopDisk(Path(control.disk(disk_id)["Path"])) as disk:
        disk.mount(tmp_path / "disk")
        keep(tmp_path / "disk" / "order", b"paid")
        snapshot_id = cloud.call("CreateSnapshot", DiskId=disk_id)["SnapshotId"]
        keep(tmp_path / "disk" / "order", b"sent")
    asked = {"DiskChargeType": "POSTPAID_BY_HOUR", "DiskType": "CLOUD_PREMIUM"}
    place = {"Zone": "ap-guangzhou-3"}
    made = cloud.call("CreateDisks", SnapshotId=snapshot_id, Placement=place, **asked)
    [copy_id] = made["DiskIdSet"]
    with LoopDisk(Path(control.disk(copy_id)["Path"])) as copy:
        copy.mount(tmp_path / "copy")
        assert (tmp_path / "copy" / "order").read_bytes() == b"paid"


def keep(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
