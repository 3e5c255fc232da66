"""A disk of the lab: a file that the kernel offers as a block device."""

import fcntl
import os
from pathlib import Path
from typing import Final, Self

from lab.cluster.commands import run
from lab.cluster.errors import LabError
from lab.cluster.waiting import until
from lab.disks import filesystem

# ioctl FICLONE of linux/fs.h: share all extents of another file, copied only when written.
_FICLONE: Final = 0x40049409
_PATIENCE: Final = 5.0


def clone(source: Path, target: Path) -> None:
    """Make `target` a new file with the content that `source` has at this moment."""
    with source.open("rb") as original, target.open("xb") as copy:
        try:
            fcntl.ioctl(copy.fileno(), _FICLONE, original.fileno())
        except OSError:
            target.unlink()
            raise


def blank(file: Path, *, size_gib: int) -> None:
    """Make `file` a new, empty, sparse disk."""
    with file.open("xb") as sparse:
        os.truncate(sparse.fileno(), size_gib << 30)


class LoopDisk:
    """One file and the loop device it is behind, if it is; every act may be repeated."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._mounted: Path | None = None

    @property
    def device(self) -> Path | None:
        """The block device of this file, as the kernel knows it now."""
        found = run("losetup", "--associated", str(self.file), "--noheadings", "--output", "NAME")
        return Path(found.split()[0]) if found.strip() else None

    def attach(self) -> Path:
        """Return the block device of this file, made if there is none yet."""
        if not self.file.is_file():
            raise LabError(f"There is no disk {self.file}.")
        return self.device or Path(run("losetup", "--find", "--show", str(self.file)).strip())

    def mount(self, path: Path, *, kind: str = filesystem.EXT4) -> None:
        """Mount the disk, with a new file system of this kind if it is blank."""
        filesystem.mount(self.attach(), path, kind=kind)
        self._mounted = path

    def unmount(self) -> None:
        """Unmount what `mount` mounted."""
        if self._mounted:
            filesystem.unmount(self._mounted)
        self._mounted = None

    def detach(self) -> None:
        """Free the loop device and see it gone."""
        device = self.device if self.file.exists() else None
        if device:
            detach(device)

    def __enter__(self) -> Self:
        self.attach()
        return self

    def __exit__(self, *_: object) -> None:
        self.unmount()
        self.detach()


def detach(device: Path) -> None:
    """Free a loop device and see it gone.

    The kernel only marks a device that is still open, and frees it at the last close: a disk
    that somebody still has mounted must not count as detached.
    """
    backing = Path("/sys/block") / device.name / "loop" / "backing_file"
    if not backing.exists():
        return
    run("losetup", "--detach", str(device))
    until(lambda: not backing.exists(), f"{device} is in use: its release", seconds=_PATIENCE)


def devices_below(folder: Path) -> list[Path]:
    """List the loop devices whose files lie below a folder, also files deleted by now."""
    listed = run("losetup", "--list", "--noheadings", "--raw", "--output", "NAME,BACK-FILE")
    return [
        Path(device)
        for device, file in (line.split(" ", 1) for line in listed.splitlines())
        if _unescaped(file).is_relative_to(folder.resolve())
    ]


def _unescaped(text: str) -> Path:
    # losetup writes blanks as \x20, and marks a deleted file behind its name.
    return Path(text.replace("\\x20", " ").removesuffix(" (deleted)"))
