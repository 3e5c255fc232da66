"""The probe tells when a cloud cuts. It is run as a person runs it, on real loop devices."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pytest

from disksnapshot.probecut import command
from lab.cbs.control import Control
from lab.cbs.server import Emulator
from lab.disks.loop import LoopDisk, detach

from .conftest import SECRET_ID, SECRET_KEY

pytestmark = pytest.mark.filterwarnings("ignore:.* fileds are useless:UserWarning")
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
        # By device: the file of a disk that was terminated is gone, and its loop is not.
        self._devices = [self.device]
        self.by_id = folder / "by-id"
        self.by_id.mkdir()
        self._over = threading.Event()
        self._person = threading.Thread(target=self._attach, daemon=True)

    def _attach(self) -> None:
        known = {self.disk_id}
        while not self._over.wait(0.05):
            for disk in self._control.disks():
                # A disk is listed a moment before its file is there.
                file = Path(disk["Path"])
                if disk["DiskId"] not in known and file.is_file():
                    known.add(disk["DiskId"])
                    device = LoopDisk(file).attach()
                    self._devices.append(device)
                    (self.by_id / f"virtio-{disk['DiskId']}").symlink_to(device)

    def __enter__(self) -> Self:
        self._person.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._person.join()
        for device in self._devices:
            detach(device)


@pytest.fixture
def machine(control: Control, tmp_path: Path) -> Iterator[Machine]:
    with Machine(control, tmp_path) as made:
        yield made


@dataclass
class Person:
    """Runs the command on the machine, with the account in the environment."""

    machine: Machine
    shown: pytest.CaptureFixture[str]

    def probe(self, *more: str, device: Path | None = None) -> tuple[int, str]:
        """Return how it ended, and all that it said."""
        asked = ("--disk-id", self.machine.disk_id, "--device", str(device or self.machine.device))
        where = ("--by-id-folder", str(self.machine.by_id), "--write-seconds", "0.7")
        code = command.main([*asked, *where, "--timeout", "20", *more])
        told = self.shown.readouterr()
        return code, told.out + told.err

    def report(self, folder: Path, *more: str) -> dict[str, Any]:
        """Return the report, and under `said` what was told beside it."""
        file = folder / "report.json"
        code, said = self.probe("--json", str(file), *more)
        assert code == 0, said
        found = json.loads(file.read_text()) | {"said": said}
        assert found["isOnePointInTime"], said
        return dict(found)

    def refused(self, *more: str, device: Path | None = None) -> str:
        """Return why; nothing may have been cut."""
        code, said = self.probe(*more, device=device)
        assert code == 1, said
        assert "cutting" not in said
        return said


@pytest.fixture
def person(
    emulator: Emulator,
    files: Any,
    machine: Machine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Person:
    folder = tmp_path / "keys"
    folder.mkdir()
    (folder / "secretId").write_text(SECRET_ID)
    (folder / "secretKey").write_text(SECRET_KEY)
    account = {
        "REGION": "ap-guangzhou",
        "ENDPOINT": emulator.endpoint,
        "CA_BUNDLE": str(files.ca),
        "CREDENTIALS_DIR": str(folder),
    }
    for name, value in account.items():
        monkeypatch.setenv(f"DISKSNAPSHOT_{name}", value)
    return Person(machine, capsys)


def cloud_that(control: Control, **settings: Any) -> None:
    usual = {"visibilityDelayMilliseconds": 0, "creationMilliseconds": 0}
    control.settings(**usual, deletionMilliseconds=0, **settings)


def test_a_cloud_that_cuts_before_it_answers_is_told_as_one(
    person: Person, control: Control, tmp_path: Path
) -> None:
    cloud_that(control, replyDelayMilliseconds=REPLY_MILLISECONDS)
    said = person.report(tmp_path, "--skip-signature")
    assert said["cut"] == "BEFORE_REPLY"
    _, latest = said["cutMillisecondsAfterReply"]
    assert latest < 0
    assert control.snapshots() == []


def test_what_the_probe_made_and_attached_is_taken_away_again(
    person: Person, control: Control, tmp_path: Path
) -> None:
    cloud_that(control, attachMilliseconds=100)
    said = person.report(tmp_path, "--skip-signature", "--attach-to", "ins-machine1")
    assert [disk["DiskId"] for disk in control.disks()] == [person.machine.disk_id]
    assert control.snapshots() == []
    assert "LEFT IN THE CLOUD" not in said["said"]


def test_a_lost_answer_leaves_no_second_disk_behind(
    person: Person, control: Control, tmp_path: Path
) -> None:
    cloud_that(control)
    control.fault("CreateDisks", "Reset")
    said = person.report(tmp_path, "--skip-signature")
    assert "LEFT IN THE CLOUD" not in said["said"]
    assert [disk["DiskId"] for disk in control.disks()] == [person.machine.disk_id]


def test_a_cut_that_the_cloud_refuses_is_told_with_its_code(
    person: Person, control: Control
) -> None:
    control.error("CreateSnapshot", "InsufficientSnapshotQuota", times=1)
    code, said = person.probe()
    assert (code, "InsufficientSnapshotQuota" in said) == (1, True)
    assert control.snapshots() == []


def test_what_can_t_be_taken_away_is_told_by_its_id(
    person: Person, control: Control, tmp_path: Path
) -> None:
    cloud_that(control)
    control.error("TerminateDisks", "UnauthorizedOperation", times=9)
    said = person.report(tmp_path, "--skip-signature")
    disks = {disk["DiskId"] for disk in control.disks()}
    [left] = disks - {person.machine.disk_id}
    assert f"LEFT IN THE CLOUD: disk {left} (TerminateDisks: Unauthorized" in said["said"]


def test_a_cloud_that_answers_first_and_lists_once_it_has_cut_is_told_as_one(
    person: Person, control: Control, tmp_path: Path
) -> None:
    cloud_that(control, cutDelayMilliseconds=LATE_MILLISECONDS)
    said = person.report(tmp_path)
    assert said["cut"] == "AFTER_REPLY"
    earliest, latest = said["cutMillisecondsAfterReply"]
    assert LATE_MILLISECONDS / 2 < earliest <= latest < LATE_MILLISECONDS * 3
    assert said["listedMillisecondsAfterReply"][1] >= LATE_MILLISECONDS / 2
    # Time stamps have whole seconds.
    assert said["signatureSecondsPast"] == pytest.approx(300, abs=1)
    assert said["signatureSecondsFuture"] == pytest.approx(300, abs=1)


def test_a_cloud_that_lists_before_it_cuts_is_told_to_be_unsafe(
    person: Person, control: Control, tmp_path: Path
) -> None:
    cloud_that(control, cutDelayMilliseconds=LATE_MILLISECONDS, visibleBeforeCut=True)
    said = person.report(tmp_path, "--skip-signature")
    assert said["cut"] == "AFTER_LISTED"


def test_a_cut_that_comes_after_the_last_write_is_not_guessed_at(
    person: Person, control: Control, tmp_path: Path
) -> None:
    cloud_that(control, cutDelayMilliseconds=2000, visibleBeforeCut=True)
    said = person.report(tmp_path, "--skip-signature", "--write-seconds", "0.2")
    assert (said["cut"], said["cutMillisecondsAfterReply"][1]) == ("AFTER_WRITING", None)


def test_a_disk_with_something_on_it_is_refused_unless_it_may_be_lost(
    person: Person, control: Control, tmp_path: Path
) -> None:
    cloud_that(control)
    subprocess.run(["mkfs.ext4", "-q", str(person.machine.device)], check=True)
    assert "is not blank" in person.refused()
    person.report(tmp_path, "--skip-signature", "--yes-destroy")


def test_a_mounted_disk_is_refused_whatever_is_said(person: Person, tmp_path: Path) -> None:
    subprocess.run(["mkfs.ext4", "-q", str(person.machine.device)], check=True)
    mount = tmp_path / "mount"
    mount.mkdir()
    subprocess.run(["mount", person.machine.device, mount], check=True)
    try:
        said = person.refused("--yes-destroy")
    finally:
        subprocess.run(["umount", mount], check=True)
    assert "mounted or in use" in said


def test_a_device_that_is_not_the_disk_is_refused_by_its_size(
    person: Person, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    with other.open("xb") as sparse:
        sparse.truncate(8 << 20)
    loop = LoopDisk(other)
    try:
        said = person.refused(device=loop.attach())
    finally:
        loop.detach()
    assert f"{person.machine.disk_id} 1 GiB" in said


def test_a_file_is_no_device(person: Person, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = person.refused(device=tmp_path / "file")
    assert "is not a block device" in said


def test_without_a_region_the_missing_setting_is_named(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DISKSNAPSHOT_REGION")
    code, said = person.probe()
    assert (code, "DISKSNAPSHOT_REGION is not set" in said) == (2, True)


def test_it_is_a_command_of_the_operators_program_and_its_help_says_that_data_is_lost() -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "operator")}
    argv = [sys.executable, "-m", "disksnapshot", "probe-cut", "--help"]
    run = subprocess.run(argv, env=environment, capture_output=True, text=True, check=True)
    assert "ALL DATA ON THE DISK IS LOST" in run.stdout
