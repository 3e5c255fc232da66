"""The files behind disks and snapshots: sparse images, copied by reflink and never altered."""

import errno
import fcntl
import os
from collections.abc import Collection
from pathlib import Path

from lab.cbs.errors import StartError

_FICLONE = 0x40049409
GIB = 1 << 30


class Content:
    """The images in one store. A file under its final name is always complete."""

    def __init__(self, store: Path) -> None:
        self._disks = store / "disks"
        self._snapshots = store / "snapshots"
        for folder in (self._disks, self._snapshots):
            folder.mkdir(parents=True, exist_ok=True)
            for leftover in folder.glob("*.part"):
                leftover.unlink()
        self._probe()

    def disk(self, disk_id: str) -> Path:
        """Name the file that is the disk."""
        return self._disks / f"{disk_id}.img"

    def snapshot(self, snapshot_id: str) -> Path:
        """Name the file that is the snapshot."""
        return self._snapshots / f"{snapshot_id}.img"

    def cut(self, disk_id: str, snapshot_id: str) -> None:
        """Copy the disk as it is now; FICLONE itself flushes what a loop device has written."""
        _clone(self.disk(disk_id), self.snapshot(snapshot_id))

    def make_disk(self, disk_id: str, size_gib: int, snapshot_id: str) -> None:
        """Make a disk: blank, or with a snapshot's content and empty space behind it."""
        part = self.disk(disk_id).with_suffix(".part")
        if snapshot_id:
            _clone(self.snapshot(snapshot_id), part)
        with part.open("ab") as image:
            image.truncate(size_gib * GIB)
        part.replace(self.disk(disk_id))

    def remove_all_but(self, known: Collection[str]) -> None:
        """Remove images that no record speaks of: a crash came between the two."""
        for folder in (self._disks, self._snapshots):
            for image in folder.glob("*.img"):
                if image.stem not in known:
                    image.unlink()

    def _probe(self) -> None:
        source, target = self._disks / "source.part", self._disks / "target.part"
        source.write_bytes(b"0" * 4096)
        try:
            _clone(source, target)
        except OSError as error:
            if error.errno not in {errno.EOPNOTSUPP, errno.EXDEV, errno.EINVAL, errno.ENOTTY}:
                raise
            raise StartError(
                f"{self._disks.parent} isn't on a file system with reflinks; "
                "use an XFS made with -m reflink=1."
            ) from error
        finally:
            source.unlink()
            target.unlink(missing_ok=True)


def _clone(source: Path, target: Path) -> None:
    # Killed in the middle, FICLONE may leave a copy of half the file: hence the name of its own.
    part = target.with_name(f"{target.name}.part")
    with source.open("rb") as image, part.open("wb") as copy:
        fcntl.ioctl(copy.fileno(), _FICLONE, image.fileno())
    os.replace(part, target)  # noqa: PTH105 - reads as the step that makes the copy exist
