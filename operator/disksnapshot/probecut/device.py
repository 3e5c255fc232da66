"""A raw block device that may be overwritten: refused unless it is surely that."""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import stat
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK = 4096
CHUNK = 1 << 20
_BLKGETSIZE64 = 0x80081272  # linux/fs.h
# Every file system, partition table, LVM and RAID begins or ends within these.
_HEAD, _TAIL = 1 << 20, 1 << 16


class DeviceError(Exception):
    """The device must not be used, or can't be; the message says why."""


class Device:
    """An open block device, read and written past the page cache, in use by nobody else."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            if not stat.S_ISBLK(path.stat().st_mode):
                raise DeviceError(f"{path} is not a block device")
            # O_EXCL on a block device: refused while it, or a partition of it, is mounted, or
            # belongs to LVM, RAID or swap.
            self.fd = os.open(path, os.O_RDWR | os.O_DIRECT | os.O_EXCL | os.O_CLOEXEC)
        except OSError as error:
            why = "it is mounted or in use" if error.errno == errno.EBUSY else error.strerror
            raise DeviceError(f"{path} can't be used: {why}") from error
        number = fcntl.ioctl(self.fd, _BLKGETSIZE64, b"\0" * 8)
        self.size = int(struct.unpack("Q", number)[0])
        self.number = os.fstat(self.fd).st_rdev

    def require_disk(self, disk_id: str, size_gib: int) -> None:
        """Refuse another disk than this one, as far as the machine can tell."""
        serial = self._serial()
        if serial.startswith("disk-") and serial != disk_id:
            raise DeviceError(f"{self.path} is {serial}, not {disk_id}")
        if self.size != size_gib << 30:
            raise DeviceError(f"{self.path} has {self.size} bytes, {disk_id} {size_gib} GiB")

    def require_blank(self) -> None:
        """Refuse a device on which something begins or ends: it may be needed."""
        for start, length in ((0, _HEAD), (self.size - _TAIL, _TAIL)):
            if any(any(chunk) for chunk in self.read(start, length)):
                raise DeviceError(
                    f"{self.path} is not blank: there may be a file system on it. If all of it "
                    "may be lost, say --yes-destroy"
                )

    def read(self, start: int, length: int) -> Iterator[bytes]:
        """Give the content of a range, in pieces."""
        with mmap.mmap(-1, min(CHUNK, length)) as buffer:
            for offset in range(start, start + length, len(buffer)):
                count = os.preadv(self.fd, [buffer], offset)
                yield buffer[:count]

    def close(self) -> None:
        """Close it."""
        os.close(self.fd)

    def _serial(self) -> str:
        number = f"{os.major(self.number)}:{os.minor(self.number)}"
        try:
            return Path(f"/sys/dev/block/{number}/serial").read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            return ""  # not every driver tells

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
