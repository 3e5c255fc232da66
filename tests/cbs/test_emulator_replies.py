"""What the SDK meets when the emulated cloud answers badly, and what is true behind it."""

import json
import time
from typing import Any

import pytest
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

from lab.cbs.caller import Caller, client
from lab.cbs.control import Control, ControlError
from lab.cbs.server import Emulator


def refused(code: str) -> Any:
    """Expect the SDK's code; by its untyped call, the SDK lets others' errors through as such."""
    return pytest.raises(
        Exception, check=lambda error: getattr(error, "code", type(error).__name__) == code
    )


def impatient(emulator: Emulator, files: Any, seconds: float) -> Caller:
    [(secret_id, key)] = json.loads(files.secrets.read_text()).items()
    return Caller(client(emulator.endpoint, secret_id, key, files.ca, timeout_seconds=seconds))


def test_an_error_that_was_asked_for_comes_once_and_nothing_is_done(
    cloud: Caller, control: Control, disk_id: str
) -> None:
    control.error("CreateSnapshot", "InternalError.ComponentError", "a part is out of order")
    with refused("InternalError.ComponentError") as refusal:
        cloud.call("CreateSnapshot", DiskId=disk_id)
    assert refusal.value.message == "a part is out of order"
    assert control.snapshots() == []
    cloud.call("CreateSnapshot", DiskId=disk_id)


def test_an_error_can_hide_that_the_call_acted(
    cloud: Caller, control: Control, disk_id: str
) -> None:
    control.error("CreateSnapshot", "InternalError", acted=True)
    with refused("InternalError"):
        cloud.call("CreateSnapshot", DiskId=disk_id)
    [made] = control.snapshots()
    call = control.wait_call("CreateSnapshot")
    assert (call["acted"], call["code"], call["snapshotId"]) == (True, "InternalError", made["id"])


def test_an_error_comes_as_often_as_asked_for_any_action(cloud: Caller, control: Control) -> None:
    control.error("*", "RequestLimitExceeded", times=2)
    for ask in (cloud.disks, cloud.snapshots):
        with refused("RequestLimitExceeded"):
            ask()
    cloud.disks()


def test_an_error_for_a_time_hits_every_call_until_then(cloud: Caller, control: Control) -> None:
    control.error("DescribeDisks", "ServiceUnavailable", seconds=2)
    end = time.monotonic() + 2
    for _ in range(3):  # in far less than the time
        with refused("ServiceUnavailable"):
            cloud.disks()
    time.sleep(max(0.0, end - time.monotonic()))
    cloud.disks()


def test_faults_of_one_action_hit_in_the_order_in_which_they_were_asked_for(
    cloud: Caller, control: Control
) -> None:
    control.fault("DescribeDisks", "NullSnapshotId")
    control.error("DescribeDisks", "ResourceBusy")
    control.fault("DescribeDisks", "Html")
    seen: list[Any] = []
    for _ in range(3):
        try:
            seen.append(cloud.call("DescribeDisks").get("SnapshotId", "missing"))
        except (TencentCloudSDKException, ValueError) as error:
            seen.append(getattr(error, "code", "no JSON"))
    assert seen == [None, "ResourceBusy", "no JSON"]


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("ReplyLost", "ClientNetworkError"),
        ("ReplyCut", "ClientNetworkError"),
        ("Reset", "ClientNetworkError"),
        ("BrokenJson", "JSONDecodeError"),
        ("CutBody", "ChunkedEncodingError"),
        ("Html", "JSONDecodeError"),
        ("BadGateway", "ServerNetworkError"),
    ],
)
@pytest.mark.parametrize("end", ["BeforeAct", "AfterAct"])
def test_a_bad_reply_looks_the_same_whether_the_call_acted_or_not(
    emulator: Emulator, files: Any, control: Control, disk_id: str, kind: str, code: str, end: str
) -> None:
    control.fault("CreateSnapshot", kind + end)
    with refused(code):
        impatient(emulator, files, 0.5).call("CreateSnapshot", DiskId=disk_id)
    assert len(control.snapshots()) == (end == "AfterAct")
    [call] = [one for one in control.calls()[0] if one["action"] == "CreateSnapshot"]
    assert (call["acted"], call["fault"]) == (end == "AfterAct", kind + end)


def test_an_error_with_a_charset_is_taken_for_a_success_by_the_sdk(
    cloud: Caller, control: Control, disk_id: str
) -> None:
    control.fault("CreateSnapshot", "ErrorWithCharset", code="InternalError")
    answer = cloud.call("CreateSnapshot", DiskId=disk_id)
    assert answer["Error"]["Code"] == "InternalError"
    assert control.snapshots() == []


def test_a_snapshot_can_be_made_and_answered_for_without_its_id(
    cloud: Caller, control: Control, disk_id: str
) -> None:
    control.fault("CreateSnapshot", "NullSnapshotId")
    assert cloud.call("CreateSnapshot", DiskId=disk_id)["SnapshotId"] is None
    [made] = control.snapshots()
    assert control.wait_call("CreateSnapshot")["snapshotId"] == made["id"]


def test_a_reply_that_comes_byte_by_byte_outlasts_the_time_out_of_each_read(
    emulator: Emulator, files: Any, control: Control
) -> None:
    control.fault("DescribeDisks", "Slow", milliseconds=5)
    started = time.monotonic()
    impatient(emulator, files, 0.5).disks()
    assert time.monotonic() - started > 0.5


def test_a_call_can_act_after_its_caller_has_given_up(
    emulator: Emulator, files: Any, control: Control, disk_id: str
) -> None:
    control.fault("CreateSnapshot", "ActLate", milliseconds=2500)
    with refused("ClientNetworkError"):
        impatient(emulator, files, 0.5).call("CreateSnapshot", DiskId=disk_id)
    assert control.snapshots() == []
    control.wait_call("CreateSnapshot")
    assert len(control.snapshots()) == 1


def test_a_reply_can_be_late(emulator: Emulator, files: Any, control: Control) -> None:
    control.fault("DescribeDisks", "ReplyLate", milliseconds=600)
    with refused("ClientNetworkError"):
        impatient(emulator, files, 0.2).disks()


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        ("StuckCreating", [("CREATING", 42)]),
        ("ToRecycle", [("TORECYCLE", 100)]),
        ("UnknownState", [("MELTING", 100)]),
        ("Vanish", []),
    ],
)
def test_a_snapshot_can_be_made_with_a_bad_fate(
    cloud: Caller, control: Control, disk_id: str, kind: str, shown: list[tuple[str, int]]
) -> None:
    control.settings(visibilityDelayMilliseconds=0, creationMilliseconds=0)
    control.fault("CreateSnapshot", kind)
    snapshot_id = cloud.call("CreateSnapshot", DiskId=disk_id)["SnapshotId"]
    assert snapshot_id.startswith("snap-")
    found = cloud.snapshots(SnapshotIds=[snapshot_id])
    assert [(one["SnapshotState"], one["Percent"]) for one in found] == shown


def test_a_snapshot_that_is_there_can_change_its_state_and_change_it_back(
    cloud: Caller, control: Control, disk_id: str
) -> None:
    control.settings(visibilityDelayMilliseconds=0, creationMilliseconds=0)
    snapshot_id = cloud.call("CreateSnapshot", DiskId=disk_id)["SnapshotId"]
    seen = []
    for state in ("TORECYCLE", "ROLLBACKING", ""):
        control.change_snapshot(snapshot_id, state=state)
        seen.append(cloud.snapshots()[0]["SnapshotState"])
    assert seen == ["TORECYCLE", "ROLLBACKING", "NORMAL"]


def test_a_fault_that_makes_no_sense_is_refused(control: Control) -> None:
    for kind in ("SlowBeforeAct", "ActLateAfterAct", "VanishBeforeAct", "BeforeAct"):
        with pytest.raises(ControlError, match=kind):
            control.fault("CreateSnapshot", kind)
    with pytest.raises(ControlError, match="needs the code"):
        control.fault("CreateSnapshot", "Error")
