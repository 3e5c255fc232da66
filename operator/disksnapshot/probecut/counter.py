"""Write a counter to a disk without a pause, and find in a copy how far it had come."""

from __future__ import annotations

import mmap
import os
import struct
import threading
import time
import zlib
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from disksnapshot.probecut.device import BLOCK

if TYPE_CHECKING:
    from collections.abc import Iterable

    from disksnapshot.probecut.device import Device

START = 1 << 20  # behind what says that a disk isn't blank, so that it can be used again
SLOTS = 8192  # the counter goes round in these: 32 MiB
# A pause between writes, so that this thread doesn't delay the one that notes the reply.
PAUSE_SECONDS = 0.0005
_FORM = struct.Struct("<16s16sQ")
_MAGIC = b"disksnapshot-cut"


def encoded(run: bytes, number: int) -> bytes:
    """Return the block that says `number`."""
    body = _FORM.pack(_MAGIC, run, number)
    return (body + struct.pack("<I", zlib.crc32(body))).ljust(BLOCK, b"\0")


def decoded(run: bytes, block: bytes) -> int | None:
    """Return what a block says; None unless it was written, as a whole, by this run."""
    body, (check,) = block[: _FORM.size], struct.unpack_from("<I", block, _FORM.size)
    if zlib.crc32(body) != check:
        return None
    magic, writer, number = _FORM.unpack(body)
    return int(number) if (magic, writer) == (_MAGIC, run) else None


@dataclass(frozen=True, slots=True)
class Found:
    """What a copy holds: the greatest number, and how many smaller ones are missing before it."""

    greatest: int
    missing: int


def found(run: bytes, blocks: Iterable[bytes]) -> Found | None:
    """Judge a copy's slots; None if nothing of this run is there."""
    numbers = [decoded(run, block) for block in blocks]
    known = [number for number in numbers if number is not None]
    if not known:
        return None
    greatest, count = max(known), len(numbers)
    expected = (newest_at(slot, greatest, count) for slot in range(count))
    pairs = zip(numbers, expected, strict=True)
    return Found(greatest, sum(want is not None and have != want for have, want in pairs))


def newest_at(slot: int, greatest: int, slots: int) -> int | None:
    """Return the number that a slot holds once `greatest` was written; None if none yet."""
    number = greatest - (greatest - slot) % slots
    return number if number >= 0 else None


class Writer(threading.Thread):
    """Writes 0, 1, 2 ..., each after the last was on the disk, and notes both ends of each."""

    def __init__(self, device: Device, run: bytes) -> None:
        super().__init__(name="counter", daemon=True)
        self._device = device
        self._run_id = run
        self._stopping = threading.Event()
        self.began: array[int] = array("Q")  # monotonic nanoseconds, by number
        self.ended: array[int] = array("Q")
        self.error: OSError | None = None

    def run(self) -> None:
        """Write until stopped."""
        with mmap.mmap(-1, BLOCK) as buffer:
            number = 0
            while not self._stopping.is_set():
                buffer[:] = encoded(self._run_id, number)
                self.began.append(time.monotonic_ns())
                try:
                    os.pwritev(self._device.fd, [buffer], START + number % SLOTS * BLOCK)
                except OSError as error:
                    self.error = error
                    return
                self.ended.append(time.monotonic_ns())
                number += 1
                time.sleep(PAUSE_SECONDS)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self.join()
