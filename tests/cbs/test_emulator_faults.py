"""What the emulated cloud can be told to do wrong, and what it tells of its calls."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

from lab.cbs.caller import Caller, client
from lab.cbs.control import Control, ControlError
from lab.cbs.server import Emulator


def no_reply() -> Any:
    return pytest.raises(
        TencentCloudSDKException, check=lambda error: error.code == "ClientNetworkError"
    )


def impatient(emulator: Emulator, files: Any, seconds: float) -> Caller:
    [(secret_id, key)] = json.loads(files.secrets.read_text()).items()
    return Caller(client(emulator.endpoint, secret_id, key, files.ca, timeout_seconds=seconds))


def test_a_lost_reply_leaves_a_snapshot_and_silence(
    emulator: Emulator, files: Any, control: Control, disk_id: str
) -> None:
    control.fault("CreateSnapshot", "ReplyLostAfterAct")
    started = time.monotonic()
    with no_reply():
        impatient(emulator, files, 0.5).call("CreateSnapshot", DiskId=disk_id)
    assert time.monotonic() - started > 0.5
    [snapshot] = control.snapshots()
    call = control.wait_call("CreateSnapshot")
    assert (call["snapshotId"], call["fault"]) == (snapshot["id"], "ReplyLostAfterAct")


def test_a_cut_reply_leaves_a_snapshot_and_a_closed_connection(
    cloud: Caller, control: Control, disk_id: str
) -> None:
    control.fault("CreateSnapshot", "ReplyCutAfterAct")
    started = time.monotonic()
    with no_reply():
        cloud.call("CreateSnapshot", DiskId=disk_id)
    assert time.monotonic() - started < 5
    assert len(control.snapshots()) == 1


def test_a_fault_hits_as_often_as_asked_and_only_its_action(
    cloud: Caller, control: Control
) -> None:
    control.fault("DescribeDisks", "ReplyCutAfterAct", times=2)
    cloud.snapshots()
    for _ in range(2):
        with no_reply():
            cloud.disks()
    cloud.disks()


def test_a_refused_call_uses_up_no_fault(cloud: Caller, control: Control, disk_id: str) -> None:
    control.fault("CreateSnapshot", "ReplyCutAfterAct")
    with pytest.raises(TencentCloudSDKException, match="isn't found"):
        cloud.call("CreateSnapshot", DiskId="disk-00000000")
    with no_reply():
        cloud.call("CreateSnapshot", DiskId=disk_id)


def test_faults_can_be_called_off(cloud: Caller, control: Control) -> None:
    control.fault("DescribeDisks", "ReplyLostAfterAct", times=9)
    control.clear_faults()
    cloud.disks()


def test_an_unknown_fault_or_setting_is_refused(control: Control) -> None:
    with pytest.raises(ControlError, match="Meteor"):
        control.fault("CreateSnapshot", "Meteor")
    with pytest.raises(ControlError, match="creationMilliseconds"):
        control.settings(creationSeconds=3)
    with pytest.raises(ControlError, match="type int"):
        control.settings(creationMilliseconds=True)


def test_a_call_is_known_while_its_reply_is_under_way(
    cloud: Caller, control: Control, disk_id: str
) -> None:
    control.settings(replyDelayMilliseconds=1500)
    replied = threading.Event()
    with ThreadPoolExecutor() as threads:
        reply = threads.submit(cloud.call, "CreateSnapshot", DiskId=disk_id)
        reply.add_done_callback(lambda _: replied.set())
        call = control.wait_call("CreateSnapshot", timeout=10)
        assert not replied.is_set()
        assert reply.result()["SnapshotId"] == call["snapshotId"]


def test_waiting_for_a_call_ends_at_its_time_out(control: Control) -> None:
    with pytest.raises(TimeoutError, match="No CreateSnapshot acted"):
        control.wait_call("CreateSnapshot", timeout=0.1)


def test_calls_are_numbered_and_told_from_a_number_on(
    cloud: Caller, control: Control, disk_id: str
) -> None:
    cloud.disks(DiskIds=[disk_id])
    with pytest.raises(TencentCloudSDKException):
        cloud.call("CreateSnapshot", DiskId="disk-00000000")
    calls, following = control.calls()
    assert [(call["n"], call["action"], call["code"]) for call in calls] == [
        (0, "DescribeDisks", None),
        (1, "CreateSnapshot", "InvalidDiskId.NotFound"),
    ]
    assert calls[0]["params"] == {"DiskIds": [disk_id]}
    assert control.calls(since=following) == ([], 2)
    cloud.call("CreateSnapshot", DiskId=disk_id)
    assert control.wait_call("CreateSnapshot", since=0)["n"] == 2


def test_calls_are_logged_a_line_each_without_the_key(files: Any, tmp_path: Path) -> None:
    [(secret_id, key)] = json.loads(files.secrets.read_text()).items()
    log = tmp_path / "calls.log"
    with Emulator(
        files.store,
        "127.0.0.1:0",
        files.cert,
        files.key,
        "127.0.0.1:0",
        {secret_id: key},
        log,
    ) as emulator:
        impatient(emulator, files, 5).disks()
    [line] = log.read_text().splitlines()
    assert json.loads(line)["action"] == "DescribeDisks"
    assert key not in line


def test_an_emulator_that_stops_cuts_those_who_still_wait(
    files: Any,
) -> None:
    secrets = json.loads(files.secrets.read_text())
    with ThreadPoolExecutor() as threads:
        with Emulator(
            files.store, "127.0.0.1:0", files.cert, files.key, "127.0.0.1:0", secrets
        ) as emulator:
            control = Control(emulator.control_url)
            control.fault("DescribeDisks", "ReplyLostAfterAct")
            waiting = threads.submit(impatient(emulator, files, 50).disks)
            control.wait_call("DescribeDisks")
            started = time.monotonic()
        assert time.monotonic() - started < 5
        with no_reply():
            waiting.result()


def test_a_question_that_nobody_answers_is_refused(control: Control) -> None:
    with pytest.raises(ControlError, match="isn't found"):
        control.vanish("snap-00000000")
    with pytest.raises(ControlError, match="isn't found"):
        control.attach("disk-00000000", "ins-lab00001")
    assert control.health() == {"status": "ok"}
