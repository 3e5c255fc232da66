"""The probe tells when a cloud cuts. It is run as a person runs it, on real loop devices."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from lab.cbs.control import Control
from lab.cbs.server import Emulator
from lab.disks.loop import LoopDisk, detach

from .conftest import SECRET_ID, SECRET_KEY

LATE_MILLISECONDS = 400
# So long takes its reply after a cut that is made first, and so may a write that waits for it.
REPLY_MILLISECONDS = 150


class Machine:
    """A machine with the disk, on which a person attaches what the probe restores."""

    def __init__(self, control: Control, folder: Path) -> None:
        self._control = control
        self._folder = folder
        self.disk_id = str(control.create_disk()["DiskId"])
        self.device = LoopDisk(Path(control.disk(self.disk_id)["Path"])).attach()
        self._devices = [self.device]
        self.by_id = folder / "by-id"
        self.by_id.mkdir()
        self._over = threading.Event()
        self._person = threading.Thread(target=self._attach, daemon=True)

    def _attach(self) -> None:
        known = {self.disk_id}
        while not self._over.wait(0.05):
            for disk in self._control.disks():
                if disk["DiskId"] not in known:
                    known.add(disk["DiskId"])
                    device = LoopDisk(Path(disk["Path"])).attach()
                    self._devices.append(device)
                    (self.by_id / f"virtio-{disk['DiskId']}").symlink_to(device)

    def __enter__(self) -> Self:
        self._person.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._person.join()
        for device in self._devices:
            detach(device)  # by its name: the probe has deleted what it restored


@pytest.fixture
def machine(control: Control, tmp_path: Path) -> Iterator[Machine]:
    with Machine(control, tmp_path) as made:
        yield made


@pytest.fixture
def account(emulator: Emulator, files: Any, tmp_path: Path) -> dict[str, str]:
    """Give the environment of a person: where the cloud is, and the keys."""
    folder = tmp_path / "keys"
    folder.mkdir()
    (folder / "secretId").write_text(SECRET_ID)
    (folder / "secretKey").write_text(SECRET_KEY)
    return {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parents[2] / "operator"),
        "DISKSNAPSHOT_REGION": "ap-guangzhou",
        "DISKSNAPSHOT_ENDPOINT": emulator.endpoint,
        "DISKSNAPSHOT_CA_BUNDLE": str(files.ca),
        "DISKSNAPSHOT_CREDENTIALS_DIR": str(folder),
    }


def probe(
    account: dict[str, str], machine: Machine, *more: str, device: Path | None = None
) -> subprocess.CompletedProcess[str]:
    asked = ("--disk-id", machine.disk_id, "--device", str(device or machine.device))
    where = ("--by-id-folder", str(machine.by_id), "--write-seconds", "1", "--timeout", "20")
    argv = [sys.executable, "-m", "disksnapshot", "probe-cut", *asked, *where, *more]
    return subprocess.run(
        argv, env=account, capture_output=True, text=True, timeout=60, check=False
    )


def report(account: dict[str, str], machine: Machine, tmp_path: Path, *more: str) -> Any:
    file = tmp_path / "report.json"
    run = probe(account, machine, "--json", str(file), *more)
    assert run.returncode == 0, run.stderr
    said = json.loads(file.read_text())
    assert said["isOnePointInTime"], run.stdout
    return said


def cloud_that(control: Control, **settings: Any) -> None:
    usual = {"visibilityDelayMilliseconds": 0, "creationMilliseconds": 0}
    control.settings(**usual, deletionMilliseconds=0, **settings)


def test_a_cloud_that_cuts_before_it_answers_is_told_as_one(
    account: dict[str, str], machine: Machine, control: Control, tmp_path: Path
) -> None:
    cloud_that(control, replyDelayMilliseconds=REPLY_MILLISECONDS)
    said = report(account, machine, tmp_path, "--skip-signature")
    assert said["cut"] == "BEFORE_REPLY"
    _, latest = said["cutMillisecondsAfterReply"]
    assert latest < 0
    assert control.snapshots() == []


def test_a_cloud_that_answers_first_and_lists_once_it_has_cut_is_told_as_one(
    account: dict[str, str], machine: Machine, control: Control, tmp_path: Path
) -> None:
    cloud_that(control, cutDelayMilliseconds=LATE_MILLISECONDS)
    said = report(account, machine, tmp_path)
    assert said["cut"] == "AFTER_REPLY"
    earliest, latest = said["cutMillisecondsAfterReply"]
    assert LATE_MILLISECONDS / 2 < earliest <= latest < LATE_MILLISECONDS * 3
    assert said["listedMillisecondsAfterReply"][1] >= LATE_MILLISECONDS / 2
    # Time stamps have whole seconds.
    assert said["signatureSecondsPast"] == pytest.approx(300, abs=1)
    assert said["signatureSecondsFuture"] == pytest.approx(300, abs=1)


def test_a_cloud_that_lists_before_it_cuts_is_told_to_be_unsafe(
    account: dict[str, str], machine: Machine, control: Control, tmp_path: Path
) -> None:
    cloud_that(control, cutDelayMilliseconds=LATE_MILLISECONDS, visibleBeforeCut=True)
    said = report(account, machine, tmp_path, "--skip-signature")
    assert said["cut"] == "AFTER_LISTED"


def test_a_cut_that_comes_after_the_last_write_is_not_guessed_at(
    account: dict[str, str], machine: Machine, control: Control, tmp_path: Path
) -> None:
    cloud_that(control, cutDelayMilliseconds=2000, visibleBeforeCut=True)
    said = report(account, machine, tmp_path, "--skip-signature", "--write-seconds", "0.2")
    assert (said["cut"], said["cutMillisecondsAfterReply"][1]) == ("AFTER_WRITING", None)


def refused(run: subprocess.CompletedProcess[str], control: Control) -> str:
    assert run.returncode == 1, run.stdout
    assert control.snapshots() == []
    return run.stderr


def test_a_disk_with_something_on_it_is_refused_unless_it_may_be_lost(
    account: dict[str, str], machine: Machine, control: Control, tmp_path: Path
) -> None:
    cloud_that(control)
    subprocess.run(["mkfs.ext4", "-q", str(machine.device)], check=True)
    assert "is not blank" in refused(probe(account, machine), control)
    report(account, machine, tmp_path, "--skip-signature", "--yes-destroy")


def test_a_mounted_disk_is_refused_whatever_is_said(
    account: dict[str, str], machine: Machine, control: Control, tmp_path: Path
) -> None:
    subprocess.run(["mkfs.ext4", "-q", str(machine.device)], check=True)
    mount = tmp_path / "mount"
    mount.mkdir()
    subprocess.run(["mount", machine.device, mount], check=True)
    try:
        said = refused(probe(account, machine, "--yes-destroy"), control)
    finally:
        subprocess.run(["umount", mount], check=True)
    assert "mounted or in use" in said


def test_a_device_that_is_not_the_disk_is_refused_by_its_size(
    account: dict[str, str], machine: Machine, control: Control, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    with other.open("xb") as sparse:
        sparse.truncate(8 << 20)
    loop = LoopDisk(other)
    try:
        said = refused(probe(account, machine, device=loop.attach()), control)
    finally:
        loop.detach()
    assert f"{machine.disk_id} 1 GiB" in said


def test_a_file_is_no_device(
    account: dict[str, str], machine: Machine, control: Control, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    said = refused(probe(account, machine, device=tmp_path / "file"), control)
    assert "is not a block device" in said


def test_without_a_region_the_missing_setting_is_named(
    account: dict[str, str], machine: Machine
) -> None:
    run = probe({**account, "DISKSNAPSHOT_REGION": ""}, machine)
    assert (run.returncode, "DISKSNAPSHOT_REGION is not set" in run.stderr) == (2, True)


def test_the_help_says_that_all_data_is_lost(account: dict[str, str], machine: Machine) -> None:
    run = probe(account, machine, "--help")
    assert run.returncode == 0
    assert "ALL DATA ON THE DISK IS LOST" in run.stdout
