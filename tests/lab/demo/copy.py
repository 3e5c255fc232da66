"""Read a copy's disk without a database: the file system before any mount, then what lies on it.

The copy itself is never written to nor mounted: what needs that is done in a clone of it.
"""

import os
import re
import subprocess
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from lab.cluster.errors import LabError
from lab.demo import xfslog
from lab.demo.facts import Disk, FileSystem, Rows, Run
from lab.demo.ledger import Engine, Writer
from lab.demo.writer import checksum_of
from lab.disks import filesystem
from lab.disks.loop import LoopDisk, clone

_BINLOG: Final = re.compile(r"^(?!.*relay).+\.\d{6,}$")
_PLAIN_ROWS: Final = re.compile(r"^rows-(\d+)\.txt$")
_FIELDS_OF_A_PLAIN_ROW: Final = 3
_UNCORRECTED: Final = 4
_SECONDS_TO_CHECK: Final = 300
_WRITTEN: Final = re.compile(r"^v3.inumber = (\d+)\nv3.lsn = (0x[0-9a-f]+)$", re.MULTILINE)
_FEW: Final = 20


def examine(copy: Path, scratch: Path, *, datadir: str = ".", folder: str = ".") -> Disk:
    """Gather the facts of one copy; `datadir` and `folder` are paths in its file system.

    `scratch` is a folder on the same reflink store, for clones that are removed at the end.
    """
    file_system = _check(copy, scratch)
    try:
        with mounted_clone(copy, scratch) as root:
            return Disk(
                file_system=file_system,
                binlogs=_binlogs(root / datadir),
                plain_rows=_plain_rows(root / folder),
            )
    except (OSError, LabError) as error:
        # A copy too damaged to be read is a finding like any other.
        return Disk(file_system=file_system, unreadable=str(error))


@contextmanager
def mounted_clone(copy: Path, scratch: Path) -> Iterator[Path]:
    """Mount a clone of the copy, and forget it afterwards."""
    with _clone(copy, scratch) as file, _mounted(file) as root:
        yield root


@contextmanager
def _mounted(file: Path) -> Iterator[Path]:
    root = file.with_suffix(".mount")
    with LoopDisk(file) as disk:
        try:
            disk.mount(root)
            yield root
        finally:
            disk.unmount()
            if root.exists():
                root.rmdir()


@contextmanager
def _clone(copy: Path, scratch: Path) -> Iterator[Path]:
    scratch.mkdir(parents=True, exist_ok=True)
    file = scratch / f"{copy.stem}-{uuid.uuid4().hex[:8]}.img"
    clone(copy, file)
    try:
        yield file
    finally:
        file.unlink()


def _check(copy: Path, scratch: Path) -> FileSystem:
    return (_check_xfs if filesystem.kind_of(copy) == filesystem.XFS else _check_ext4)(
        copy, scratch
    )


def _check_xfs(copy: Path, scratch: Path) -> FileSystem:
    log, check = _run(["xfs_logprint", "-t", str(copy)]), _run(["xfs_repair", "-n", str(copy)])
    with _clone(copy, scratch) as file:
        try:
            with _mounted(file):
                mounting = Run(0, "")
        except LabError as error:
            mounting = Run(1, str(error))
        after = _run(["xfs_repair", "-n", str(file)])
    return FileSystem(
        kind=filesystem.XFS,
        written=_written(copy, {inode for inode, _ in xfslog.logged(log.output)}),
        superblock=log.output,
        check=check,
        clearing=mounting,
        check_after=after,
    )


def _written(copy: Path, inodes: Collection[int]) -> Mapping[int, int]:
    """Read which record of the log each inode was written after, where these are few."""
    if not 0 < len(inodes) <= _FEW:
        return {}
    asked = [word for inode in inodes if inode > 0 for word in _question(inode)]
    said = _run(["xfs_db", "-r", "-f", *asked, str(copy)]).output
    return {int(inode): int(record, 16) for inode, record in _WRITTEN.findall(said)}


def _question(inode: int) -> list[str]:
    return ["-c", f"inode {inode}", "-c", "print v3.inumber v3.lsn"]


def _check_ext4(copy: Path, scratch: Path) -> FileSystem:
    superblock = _run(["dumpe2fs", "-h", str(copy)]).output
    check = _run(["e2fsck", "-fn", str(copy)])
    if check.status != _UNCORRECTED:
        return FileSystem(superblock=superblock, check=check)
    with _clone(copy, scratch) as file:
        clearing = _run(["e2fsck", "-p", str(file)])
        after = _run(["e2fsck", "-fn", str(file)])
    return FileSystem(superblock=superblock, check=check, clearing=clearing, check_after=after)


def _run(argv: Sequence[str]) -> Run:
    done = subprocess.run(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=os.environ | {"LC_ALL": "C"},  # its words are looked for
        timeout=_SECONDS_TO_CHECK,
        text=True,
        errors="replace",
        check=False,
    )
    return Run(done.returncode, done.stdout)


def _binlogs(datadir: Path) -> Mapping[str, int]:
    return {
        file.name: file.stat().st_size
        for file in datadir.iterdir()
        if file.is_file() and _BINLOG.match(file.name)
    }


def _plain_rows(folder: Path) -> Rows:
    if not folder.is_dir():
        return {}
    files = ((file, _PLAIN_ROWS.match(file.name)) for file in folder.iterdir())
    return {
        Writer(Engine.FILE, int(match[1])): dict(_rows_of(file)) for file, match in files if match
    }


def _rows_of(file: Path) -> Iterator[tuple[int, str]]:
    """Read the rows that have a number; what else lies there holds no row to find."""
    for line in file.read_text(errors="replace").splitlines():
        fields = line.split("\t")
        if len(fields) == _FIELDS_OF_A_PLAIN_ROW and fields[0].isdigit():
            yield int(fields[0]), checksum_of(fields[2])
