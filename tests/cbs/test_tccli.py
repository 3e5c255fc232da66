"""Tencent Cloud's own command line, unchanged, holds a session with the emulated cloud."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from lab.cbs.control import Control
from lab.cbs.server import Emulator
from lab.cbs.tccli import Names, Tccli, installed
from lab.layout import Layout

TRANSCRIPT = Path(__file__).with_name("tccli-transcript.txt")
DISK_ID, COPY_ID, SNAPSHOT_ID = "<disk-1>", "<disk-2>", "<snap-1>"
UNTIL_NORMAL = {
    "expr": "SnapshotSet[0].SnapshotState",
    "to": "NORMAL",
    "timeout": 30,
    "interval": 1,
}
SESSION: list[list[str]] = [
    ["DescribeDisks", "--DiskIds", f'["{DISK_ID}"]'],
    [
        "CreateSnapshot", "--DiskId", DISK_ID, "--SnapshotName", "orders-before-upgrade",
        "--Tags", '[{"Key": "team", "Value": "shop"}]',
    ],
    [
        "DescribeSnapshots", "--SnapshotIds", f'["{SNAPSHOT_ID}"]',
        "--waiter", json.dumps(UNTIL_NORMAL),
    ],
    [
        "ModifySnapshotAttribute", "--SnapshotId", SNAPSHOT_ID,
        "--Deadline", "2999-01-01T00:00:00+00:00",
    ],
    ["DescribeSnapshots", "--Filters", f'[{{"Name": "disk-id", "Values": ["{DISK_ID}"]}}]'],
    ["DescribeSnapshotOverview"],
    [
        "CreateDisks", "--SnapshotId", SNAPSHOT_ID, "--DiskName", "restored",
        "--DiskType", "CLOUD_PREMIUM", "--DiskChargeType", "POSTPAID_BY_HOUR",
        "--Placement", '{"Zone": "ap-guangzhou-3"}', "--ClientToken", "restore-1",
    ],
    ["AttachDisks", "--InstanceId", "ins-lab00002", "--DiskIds", f'["{COPY_ID}"]'],
    ["TerminateDisks", "--DiskIds", f'["{COPY_ID}"]'],
    ["DetachDisks", "--DiskIds", f'["{COPY_ID}"]'],
    ["TerminateDisks", "--DiskIds", f'["{COPY_ID}"]'],
    ["CreateSnapshot", "--DiskId", "disk-00000000"],
    ["DeleteSnapshots", "--SnapshotIds", f'["{SNAPSHOT_ID}"]'],
    ["DescribeSnapshots", "--SnapshotIds", f'["{SNAPSHOT_ID}"]'],
]  # fmt: skip


@pytest.fixture
def tccli(emulator: Emulator, files: Any, tmp_path: Path) -> Tccli:
    program = installed(Layout.from_environment().cache)
    [(secret_id, key)] = json.loads(files.secrets.read_text()).items()
    made = Tccli(program, tmp_path, emulator.endpoint, files.ca)
    made.sign_with(secret_id, key)
    return made


def test_a_session_of_commands_reads_as_the_one_that_was_kept(
    tccli: Tccli, control: Control, disk_id: str, tmp_path: Path
) -> None:
    control.settings(
        visibilityDelayMilliseconds=0,
        creationMilliseconds=3000,
        deletionMilliseconds=0,
        attachMilliseconds=0,
    )
    names = Names()
    names.replaced(disk_id)
    held = ""
    for command in SESSION:
        words = [_filled(word, names.known()) for word in command]
        code, said = tccli.run("cbs", *words)
        held += _told(command, code, names.replaced(said))
    (tmp_path / "transcript.txt").write_text(held)
    assert held.splitlines() == TRANSCRIPT.read_text().splitlines(), (
        f"if this is meant to be: cp {tmp_path}/transcript.txt {TRANSCRIPT}"
    )


def _filled(word: str, known: dict[str, str]) -> str:
    for name, real in known.items():
        word = word.replace(name, real)
    return word


def _told(command: list[str], code: int, said: str) -> str:
    """Lay a command and its answer out as in a terminal; how often a waiter asked is left out."""
    answer = "".join(
        line for line in said.splitlines(keepends=True) if not line.startswith("Inquiry result")
    )
    end = "" if code == 0 else f"(exit code {code})\n"
    return f"$ tccli cbs {shlex.join(command)}\n{answer}{end}\n"
