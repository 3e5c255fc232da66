"""What is left of the emulated cloud when its process is killed at any moment."""

import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

from lab.cbs.caller import Caller, client
from lab.cbs.control import Control
from lab.cbs.server import Emulator

MARK = 4096
DISK: dict[str, Any] = {
    "Placement": {"Zone": "ap-guangzhou-3"},
    "DiskChargeType": "POSTPAID_BY_HOUR",
    "DiskType": "CLOUD_SSD",
    "DiskSize": 1,
}


@contextmanager
def program(files: Any, environment: dict[str, str]) -> Iterator[tuple[Any, str, Control]]:
    """Run the emulator as a program; ended by SIGKILL, as a crash would."""
    pipe = subprocess.PIPE
    with subprocess.Popen(command(files), stdout=pipe, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            words = process.stdout.readline().replace(",", "").split()
            yield process, words[2].removeprefix("https://"), Control(words[5])
        finally:
            process.kill()


def command(files: Any) -> list[str]:
    places = {"--store": files.store, "--cert": files.cert, "--key": files.key}
    places |= {"--secrets": files.secrets, "--listen": "127.0.0.1:0", "--control": "127.0.0.1:0"}
    options = [str(word) for pair in places.items() for word in pair]
    return [sys.executable, "-m", "lab.cbs", *options]


def caller(endpoint: str, files: Any) -> Caller:
    [(secret_id, key)] = json.loads(files.secrets.read_text()).items()
    return Caller(client(endpoint, secret_id, key, files.ca))


def create(cloud: Caller, disk_id: str) -> str:
    return str(cloud.call("CreateSnapshot", DiskId=disk_id)["SnapshotId"])


def test_a_snapshot_whose_reply_was_lost_is_there_after_a_kill(
    files: Any, environment: dict[str, str]
) -> None:
    with program(files, environment) as (process, endpoint, control):
        disk_id = control.create_disk()["DiskId"]
        control.fault("CreateSnapshot", "ReplyLostAfterAct")
        with ThreadPoolExecutor() as threads:
            lost = threads.submit(create, caller(endpoint, files), disk_id)
            control.wait_call("CreateSnapshot")
            [before] = control.snapshots()
            process.kill()
            with pytest.raises(TencentCloudSDKException):
                lost.result()
    with program(files, environment) as (_, endpoint, control):
        control.settings(clockOffsetSeconds=10)
        [after] = control.snapshots()
        assert (after["id"], after["cutTime"]) == (before["id"], before["cutTime"])
        [listed] = caller(endpoint, files).snapshots()
        assert (listed["SnapshotId"], listed["SnapshotState"]) == (before["id"], "NORMAL")


def test_killed_at_any_moment_every_snapshot_is_whole_and_every_promise_kept(
    files: Any, environment: dict[str, str]
) -> None:
    """Each snapshot must hold the one marker that the disk held while it was cut."""
    promised: list[str] = []
    disk = Path()
    for run in range(8):
        with program(files, environment) as (process, endpoint, control):
            control.settings(creationMilliseconds=0)
            if run == 0:
                disk = Path(control.create_disk()["Path"])
            disk_id = disk.stem
            mark(disk, run)
            if run == 0:  # one promise, however slow the machine is
                promised.append(create(caller(endpoint, files), disk_id))
            killer = threading.Timer(random.uniform(0.02, 0.3), process.kill)
            killer.start()
            with pytest.raises(TencentCloudSDKException):
                create_for_ever(caller(endpoint, files), disk_id, promised)
            killer.join()
    with program(files, environment) as (_, _, control):
        kept = control.snapshots()
    assert set(promised) <= {snapshot["id"] for snapshot in kept}
    assert promised
    files_left = {path.stem for path in (files.store / "snapshots").iterdir()}
    assert files_left == {snapshot["id"] for snapshot in kept}
    for snapshot in kept:
        assert len(set(head(snapshot["path"]))) == 1
        assert Path(snapshot["path"]).stat().st_size == disk.stat().st_size
        assert snapshot["cutTime"] <= time.time()


def mark(disk: Path, run: int) -> None:
    with disk.open("r+b") as image:
        image.write(bytes([run + 1]) * MARK * 2)


def head(path: str) -> bytes:
    with Path(path).open("rb") as image:
        return image.read(MARK * 2)


def create_for_ever(cloud: Caller, disk_id: str, promised: list[str]) -> None:
    while True:
        promised.append(create(cloud, disk_id))


def test_disks_tags_and_tokens_survive_a_restart(files: Any, environment: dict[str, str]) -> None:
    asked = {**DISK, "Tags": [{"Key": "team", "Value": "shop"}], "ClientToken": "once"}
    with program(files, environment) as (_, endpoint, control):
        [made] = caller(endpoint, files).call("CreateDisks", **asked)["DiskIdSet"]
        control.attach(made, "ins-lab00001")
        before = control.disk(made)
    with program(files, environment) as (_, endpoint, control):
        assert control.disk(made) == before
        assert caller(endpoint, files).call("CreateDisks", **asked)["DiskIdSet"] == [made]


@pytest.mark.parametrize("copied", [True, False], ids=["after the copy", "before the copy"])
def test_a_crash_around_the_copy_leaves_a_whole_snapshot_or_none(
    files: Any, environment: dict[str, str], *, copied: bool
) -> None:
    with program(files, environment) as (_, endpoint, control):
        disk_id = control.create_disk()["DiskId"]
        snapshot_id = create(caller(endpoint, files), disk_id)
        image = Path(control.snapshots()[0]["path"])
    as_if_crashed_around_the_copy(files.store, image, copied=copied)
    with program(files, environment) as (_, endpoint, control):
        control.settings(clockOffsetSeconds=10)
        assert [known["id"] for known in control.snapshots()] == [snapshot_id] * copied
        assert [path.name for path in image.parent.iterdir()] == [image.name] * copied
        create(caller(endpoint, files), disk_id)


def as_if_crashed_around_the_copy(store: Path, image: Path, *, copied: bool) -> None:
    tear_last_line(store, kind="Snapshot")
    if not copied:
        image.rename(image.with_name(f"{image.name}.part"))


def test_a_disk_whose_making_was_killed_is_made_when_asked_for_again(
    files: Any, environment: dict[str, str]
) -> None:
    asked = {**DISK, "ClientToken": "once"}
    with program(files, environment) as (_, endpoint, _):
        [lost] = caller(endpoint, files).call("CreateDisks", **asked)["DiskIdSet"]
    tear_last_line(files.store, kind="Disk")
    (files.store / "disks" / f"{lost}.img").rename(files.store / "disks" / f"{lost}.part")
    with program(files, environment) as (_, endpoint, control):
        assert control.disks() == []
        [made] = caller(endpoint, files).call("CreateDisks", **asked)["DiskIdSet"]
        images = [path.stem for path in (files.store / "disks").iterdir()]
        assert [disk["DiskId"] for disk in control.disks()] == [made] == images


def test_a_crash_within_a_deletion_leaves_no_file_behind(
    files: Any, environment: dict[str, str]
) -> None:
    with program(files, environment) as (_, _, control):
        kept = Path(control.create_disk()["Path"])
    forgotten = files.store / "snapshots" / "snap-00000000.img"
    forgotten.write_bytes(b"dropped from the records, not yet removed")
    with program(files, environment):
        assert not forgotten.exists()
        assert kept.exists()


def tear_last_line(store: Path, *, kind: str) -> None:
    journal = store / "cbs.journal"
    *before, last = journal.read_text().splitlines(keepends=True)
    assert json.loads(last)[0][0] == kind
    journal.write_text("".join([*before, last[:-9]]))


def test_two_emulators_never_share_a_store(
    files: Any, emulator: Emulator, environment: dict[str, str]
) -> None:
    del emulator
    second = subprocess.run(
        command(files), capture_output=True, text=True, env=environment, timeout=30, check=False
    )
    assert second.returncode != 0
    assert second.stderr == f"Another emulator runs on {files.store}.\n"


def test_a_store_without_reflinks_is_refused_in_one_sentence(
    files: Any, environment: dict[str, str], tmp_path: Path
) -> None:
    plain = replace(files, store=tmp_path)
    done = subprocess.run(
        command(plain), capture_output=True, text=True, env=environment, timeout=30, check=False
    )
    assert done.returncode != 0
    assert "isn't on a file system with reflinks" in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_program_ends_when_it_is_told_to(files: Any, environment: dict[str, str]) -> None:
    with program(files, environment) as (process, _, _):
        process.terminate()
        assert process.wait(10) == 0


def test_an_address_that_is_taken_is_named_in_one_sentence(
    files: Any, emulator: Emulator, environment: dict[str, str]
) -> None:
    other = replace(files, store=files.store / "other")
    taken = [emulator.endpoint if word == "127.0.0.1:0" else word for word in command(other)]
    done = subprocess.run(
        taken, capture_output=True, text=True, env=environment, timeout=30, check=False
    )
    assert done.returncode != 0
    assert done.stderr == f"Can't listen on {emulator.endpoint}: Address already in use.\n"


def test_a_store_can_be_read_by_code_that_knows_no_newer_fields(
    files: Any, control: Control, disk_id: str
) -> None:
    control.attach(disk_id, "ins-lab00001")
    lines = (files.store / "cbs.journal").read_text().splitlines()
    [_, _, kept] = json.loads(lines[-1])[0]
    assert kept.keys() <= {
        "id", "name", "size_gib", "zone", "created",
        "instance_id", "last_instance_id", "tags", "visible_from",
    }  # fmt: skip
