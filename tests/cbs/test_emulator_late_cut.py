"""The emulator's second mode: the cloud answers first and cuts a set time later."""

import json
import time
from pathlib import Path
from typing import Any

from lab.cbs.caller import Caller
from lab.cbs.control import Control
from lab.cbs.server import Emulator
from lab.cluster.waiting import until

LATE_MILLISECONDS = 400
FAR_MILLISECONDS = 600_000
ANY_PORT = "127.0.0.1:0"


def late(control: Control, milliseconds: int = LATE_MILLISECONDS, **settings: Any) -> None:
    usual = {"visibilityDelayMilliseconds": 0, "creationMilliseconds": 0}
    control.settings(**usual, cutDelayMilliseconds=milliseconds, **settings)


def write(control: Control, disk_id: str, words: bytes) -> None:
    with Path(control.disk(disk_id)["Path"]).open("r+b") as image:
        image.write(words)


def create(cloud: Caller, disk_id: str) -> str:
    return str(cloud.call("CreateSnapshot", DiskId=disk_id)["SnapshotId"])


def cut_time(control: Control) -> float | None:
    [snapshot] = control.snapshots()
    return None if snapshot["cutTime"] is None else float(snapshot["cutTime"])


def wait_for_the_cut(control: Control) -> float:
    until(lambda: cut_time(control) is not None, "a cut that was due", seconds=10)
    return cut_time(control) or 0.0


def first_bytes(control: Control, count: int) -> bytes:
    [snapshot] = control.snapshots()
    with Path(snapshot["path"]).open("rb") as image:
        return image.read(count)


def test_the_cut_comes_after_the_reply_and_holds_what_was_written_in_between(
    cloud: Caller, control: Control, disk_id: str
) -> None:
    late(control)
    write(control, disk_id, b"before")
    create(cloud, disk_id)
    answered = time.time()
    write(control, disk_id, b"behind")
    assert wait_for_the_cut(control) >= answered
    assert first_bytes(control, 6) == b"behind"


def test_a_snapshot_is_listed_only_once_it_is_cut(
    cloud: Caller, control: Control, disk_id: str
) -> None:
    late(control)
    snapshot_id = create(cloud, disk_id)
    assert cloud.snapshots() == []
    wait_for_the_cut(control)
    [listed] = cloud.snapshots()
    assert (listed["SnapshotId"], listed["SnapshotState"]) == (snapshot_id, "NORMAL")


def test_where_asked_for_a_snapshot_is_listed_before_it_is_cut(
    cloud: Caller, control: Control, disk_id: str
) -> None:
    late(control, FAR_MILLISECONDS, visibleBeforeCut=True)
    snapshot_id = create(cloud, disk_id)
    [listed] = cloud.snapshots()
    assert (listed["SnapshotId"], listed["SnapshotState"]) == (snapshot_id, "CREATING")
    assert cut_time(control) is None


def test_without_a_delay_the_cut_comes_before_the_reply_again(
    cloud: Caller, control: Control, disk_id: str
) -> None:
    late(control)
    control.settings(cutDelayMilliseconds=0)
    create(cloud, disk_id)
    assert (cut_time(control) or time.time()) < time.time()


def test_a_cut_that_was_due_in_a_crash_is_made_by_the_next_emulator(
    cloud: Caller, control: Control, disk_id: str, emulator: Emulator, files: Any
) -> None:
    late(control, 2000)
    snapshot_id = create(cloud, disk_id)
    emulator.__exit__()
    pairs = json.loads(files.secrets.read_text())
    with Emulator(files.store, ANY_PORT, files.cert, files.key, ANY_PORT, pairs) as second:
        again = Control(second.control_url)
        wait_for_the_cut(again)
        [snapshot] = again.snapshots()
        assert snapshot["id"] == snapshot_id
        assert Path(snapshot["path"]).exists()


def test_a_snapshot_that_vanishes_before_its_cut_is_never_made(
    cloud: Caller, control: Control, disk_id: str, files: Any
) -> None:
    late(control)
    control.vanish(create(cloud, disk_id))
    control.settings(cutDelayMilliseconds=LATE_MILLISECONDS)
    other = create(cloud, disk_id)
    wait_for_the_cut(control)
    images = [image.stem for image in (files.store / "snapshots").iterdir()]
    assert images == [other]


def test_a_disk_that_is_deleted_before_the_cut_takes_its_snapshot_along(
    cloud: Caller, control: Control
) -> None:
    late(control)
    disk_id = control.create_disk()["DiskId"]
    create(cloud, disk_id)
    control.delete_disk(disk_id)
    until(lambda: control.snapshots() == [], "the loss of the snapshot", seconds=10)
