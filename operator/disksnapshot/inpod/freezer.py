"""Freeze file systems for a short, bounded time, and thaw them whatever happens to anybody.

    freezer.py hold  --records DIR --kubelet DIR --nonce N [--idle-seconds S] -- PATH...
    freezer.py sync  --records DIR --kubelet DIR [--idle-seconds S] -- PATH...
    freezer.py watch --records DIR --kubelet DIR

`hold` speaks lines on standard input and output. It reads `warm`, `freeze MILLISECONDS`, `thaw`;
it answers with one JSON object a line. The file systems are thawed on `thaw`, at the end of the
input, on any error, or at the deadline by a second thread. `sync` freezes nothing: it writes dirty
pages out, once to get ready and then at each line `sync`. `watch` is the freezer pod's main
process: it thaws what a dead owner left frozen.

A freeze has no owner in the kernel, so each is recorded, by device number, in a file of DIR (a
tmpfs that all freezer pods of the node share). The owner holds the file's flock: who can get it
knows that the owner is dead. Files are truncated and never unlinked; an empty one means that
nobody owns a freeze.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import errno
import fcntl
import json
import os
import re
import select
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

FIFREEZE = 0xC0045877  # _IOWR('X', 119, int), linux/fs.h
FITHAW = 0xC0045878  # _IOWR('X', 120, int), linux/fs.h

REHEARSAL_SECONDS = 2.0
WARM_PAUSE_SECONDS = 0.004  # a freeze is cheap only within 10 ms of the last thaw
WARM_CYCLE_SECONDS = 1.0
WARM_LIMIT_SECONDS = 5.0
SHORT_SYNC_SECONDS = 0.25  # a freeze can't be aborted: don't start one that has much to write
SYNC_LIMIT_SECONDS = 20.0
RETRY_SECONDS = 0.01
LOOK_SECONDS = 1.0
OVERDUE_SECONDS = 0.5  # after this the watcher no longer trusts an owner that is alive but stopped

_LIBC = ctypes.CDLL(None, use_errno=True)
_T = TypeVar("_T")


class FreezeError(Exception):
    """A refusal, with the reason that the operator shows and a sentence for people."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Mount(NamedTuple):
    """A line of /proc/self/mountinfo: the device as `major:minor`, and where it is mounted."""

    device: str
    path: str


def mounts() -> list[Mount]:
    """Return the mounts that this process sees."""
    lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    fields = (line.split(" ") for line in lines)
    # The kernel writes blank, tab, newline and backslash as octal escapes.
    return [Mount(f[2], re.sub(r"\\([0-7]{3})", _unescape, f[4])) for f in fields]


def _unescape(match: re.Match[str]) -> str:
    return chr(int(match[1], 8))


def boot_id() -> str:
    """Return the kernel's id of this boot: a freeze doesn't outlive it."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def device_of(fd: int) -> str:
    """Return the device of an open file as `major:minor`."""
    number = os.fstat(fd).st_dev
    return f"{os.major(number)}:{os.minor(number)}"


def try_thaw(fd: int) -> bool:
    """Thaw the file system of `fd`; False when it was not frozen."""
    try:
        fcntl.ioctl(fd, FITHAW, 0)
    except OSError as error:
        if error.errno == errno.EINVAL:
            return False
        raise
    return True


class Claim(NamedTuple):
    """What an owner wrote: the boot that the freeze is of, and when it must be over."""

    boot: str
    deadline: float


class Record:
    """The written claim to a freeze of one device, valid while its flock is held."""

    def __init__(self, folder: Path, device: str) -> None:
        self.fd = os.open(folder / device, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def lock(self, seconds: float = 0.0) -> bool:
        """Take the flock; for `seconds` retry, as a watcher holds it for an instant to look."""
        end = time.monotonic() + seconds
        while True:
            try:
                fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= end:
                    return False
                time.sleep(RETRY_SECONDS)
            else:
                return True

    def read(self) -> Claim | None:
        """Return what the owner wrote; None when nobody owns a freeze."""
        text = os.pread(self.fd, 4096, 0).decode("utf-8", "replace").strip("\0 \n")
        if not text:
            return None
        try:
            claim = json.loads(text)
            return Claim(str(claim["boot"]), float(claim["deadline"]))
        except (ValueError, KeyError, TypeError):
            return Claim(boot_id(), 0.0)  # unreadable: take it for an overdue freeze of this boot

    def write(self, nonce: str, deadline: float) -> None:
        """Claim a freeze until `deadline` (CLOCK_MONOTONIC, one for all processes of the node)."""
        claim = {"nonce": nonce, "boot": boot_id(), "deadline": deadline, "pid": os.getpid()}
        text = json.dumps(claim).encode()
        os.pwrite(self.fd, text.ljust(256), 0)

    def clear(self) -> None:
        """Say that nobody owns a freeze."""
        os.ftruncate(self.fd, 0)

    def close(self) -> None:
        """Drop the file, and the flock with it."""
        os.close(self.fd)


class FileSystem:
    """One mounted file system, its root held open so that it can't be unmounted while frozen."""

    def __init__(self, path: str, kubelet: Path, records: Path, nonce: str) -> None:
        self.path = path
        self.fd = _open_root(path, kubelet, records)
        self.device = device_of(self.fd)
        self.nonce = nonce
        self.record = Record(records, self.device)
        self.claimed = False
        # True from before the kernel is asked: a freeze that may have happened has to be undone.
        self.frozen = False
        self.freeze_nanoseconds = 0
        self.writes_at_freeze: tuple[str, ...] = ()

    def claim(self) -> None:
        """Become the only owner of freezes of this device; undo what a dead owner left."""
        if not self.record.lock(seconds=0.5):
            raise FreezeError("HoldBusy", f"another hold owns the freeze of device {self.device}")
        self.claimed = True
        left = self.record.read()
        if left and left.boot == boot_id():
            try_thaw(self.fd)
        self.record.clear()

    def sync(self) -> float:
        """Write dirty pages out until little is left; return the last sync's seconds."""
        end = time.monotonic() + SYNC_LIMIT_SECONDS
        while True:
            took = self.sync_once()
            if took < SHORT_SYNC_SECONDS:
                return took
            if time.monotonic() > end:
                raise FreezeError(
                    "FlushTooSlow",
                    f"writing dirty pages of {self.path} out still takes {took:.1f} s",
                )

    def sync_once(self) -> float:
        """Write out what is dirty now; return the seconds that it took."""
        start = time.monotonic()
        if _LIBC.syncfs(self.fd) != 0:
            number = ctypes.get_errno()
            raise FreezeError("FreezeRefused", f"syncfs: {os.strerror(number)}")
        return time.monotonic() - start

    def freeze(self) -> None:
        """Freeze; the caller has armed the deadline and written the record."""
        start = time.monotonic_ns()
        self.frozen = True
        try:
            fcntl.ioctl(self.fd, FIFREEZE, 0)
        except OSError as error:
            self.frozen = False
            if error.errno == errno.EBUSY:
                # Not ours: never thaw it.
                raise FreezeError(
                    "FreezeRefused", f"somebody else has frozen {self.path}"
                ) from error
            raise FreezeError(
                "FreezeRefused", f"FIFREEZE {self.path}: {error.strerror}"
            ) from error
        self.freeze_nanoseconds = time.monotonic_ns() - start
        self.writes_at_freeze = self.writes()

    def thaw(self) -> bool:
        """Thaw our freeze; False when it was gone already, so nothing is proven."""
        if not self.frozen:
            return False
        thawed = try_thaw(self.fd)
        self.frozen = False
        return thawed

    def thaw_overdue(self) -> None:
        """Thaw our freeze from the second thread; one still on its way stays to be thawed."""
        if self.frozen and try_thaw(self.fd):
            self.frozen = False

    def writes(self) -> tuple[str, ...]:
        """Return the device's write counters, I/Os and sectors: a foreign thaw moves them."""
        fields = Path(f"/sys/dev/block/{self.device}/stat").read_text(encoding="ascii").split()
        return fields[4], fields[6]

    def close(self) -> None:
        """Give the claim and the mount back."""
        # The record of another owner isn't ours to clear, and what we could not thaw, even by
        # trying again, is left to the watcher.
        if self.claimed and not self.frozen:
            self.record.clear()
        self.record.close()
        os.close(self.fd)


def _open_root(path: str, kubelet: Path, records: Path) -> int:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    device = device_of(fd)
    below = f"{kubelet}/"
    seen = mounts()
    # After an unmount the same path lies on the node's root disk: freezing it would stop the node.
    own = {m.device for m in seen if not m.path.startswith(below)}
    number = records.stat().st_dev
    own.add(f"{os.major(number)}:{os.minor(number)}")
    mounted = path.startswith(below) and any(m.path == path and m.device == device for m in seen)
    if not mounted or device in own:
        os.close(fd)
        raise FreezeError("FreezeRefused", f"{path} is not the mount of a volume of its own")
    return fd


class Guard(threading.Thread):
    """The second thread: it thaws at the deadline, and retries until nothing is frozen."""

    def __init__(self, systems: list[FileSystem]) -> None:
        super().__init__(daemon=True)
        self._systems = systems
        self._change = threading.Condition()
        self._deadline: float | None = None
        self.expired = False

    def arm(self, seconds: float) -> None:
        """Thaw in `seconds` from now unless disarmed; record it before anything is frozen."""
        with self._change:
            self._deadline = time.monotonic() + seconds
            for system in self._systems:
                system.record.write(system.nonce, self._deadline)
            self._change.notify()

    def disarm(self) -> None:
        """Nothing is frozen any more: no deadline, and no claim that could make others thaw."""
        with self._change:
            self._deadline = None
            for system in self._systems:
                system.record.clear()
            self._change.notify()

    def run(self) -> None:
        """Wait for the deadline in force; thaw when it passes."""
        while True:
            with self._change:
                while self._deadline is None:
                    self._change.wait()
                left = self._deadline - time.monotonic()
                if left > 0:
                    self._change.wait(left)
                    continue
                self.expired = True
            # A freeze may still be on its way into the kernel: keep thawing until we are disarmed.
            for system in self._systems:
                with contextlib.suppress(OSError):
                    system.thaw_overdue()
            time.sleep(RETRY_SECONDS)


class Session:
    """One hold: the conversation with the operator's window, and the thaw on every way out."""

    def __init__(self, systems: list[FileSystem]) -> None:
        self.systems = systems
        self.guard = Guard(systems)
        self._pool = ThreadPoolExecutor(max_workers=len(systems))
        self._input = b""

    def run(self, idle_seconds: float) -> None:
        """Answer lines until the input ends or nothing has been said for `idle_seconds`."""
        self.guard.start()
        try:
            say("ready", **self._rehearse())
            while line := self._read_line(idle_seconds):
                self._obey(line.split())
        finally:
            # The end of the input, an error or a dead pipe: whatever it was, let go.
            self._thaw()

    def run_sync(self, idle_seconds: float) -> None:
        """Write out once to get ready, then at each line; nothing is frozen or claimed."""
        self._each(FileSystem.sync)
        say("ready")
        while line := self._read_line(idle_seconds):
            if line.split() != ["sync"]:
                raise FreezeError("FreezeRefused", f"unknown line: {line[:80]}")
            say("synced", seconds=self._each(FileSystem.sync_once))

    def _obey(self, words: list[str]) -> None:
        match words:
            case ["warm"]:
                self._warm()
            case ["freeze", milliseconds]:
                self._freeze(int(milliseconds) / 1000)
            case ["thaw"]:
                say("thawed", **self._thaw())
            case _:
                raise FreezeError("FreezeRefused", f"unknown line: {' '.join(words)[:80]}")

    def _rehearse(self) -> dict[str, object]:
        synced = self._each(FileSystem.sync)
        self.guard.arm(REHEARSAL_SECONDS)
        start = time.monotonic()
        self._freeze_and_thaw()
        took = time.monotonic() - start
        self.guard.disarm()
        if self.guard.expired:
            raise FreezeError("FlushTooSlow", f"a freeze and thaw took {took:.1f} s")
        return {
            "devices": [system.device for system in self.systems],
            "syncMilliseconds": [round(seconds * 1e3, 3) for seconds in synced],
            "rehearsalMilliseconds": round(took * 1e3, 3),
        }

    def _warm(self) -> None:
        """Freeze and thaw until the next line: the kernel's first freeze alone costs 34-48 ms."""
        end = time.monotonic() + WARM_LIMIT_SECONDS
        self._warm_once()  # the expensive one
        say("warm")
        while time.monotonic() < end and not self._input_waits(WARM_PAUSE_SECONDS):
            self._warm_once()
        self.guard.disarm()

    def _warm_once(self) -> None:
        # Each time anew: the hold's own bound doesn't run yet, and we may be stopped in here.
        self.guard.arm(WARM_CYCLE_SECONDS)
        self._freeze_and_thaw()

    def _freeze(self, seconds: float) -> None:
        self.guard.arm(seconds)
        self._each(FileSystem.freeze)
        if self.guard.expired:
            raise FreezeError("FlushTooSlow", "the freeze took longer than the time that was left")
        say(
            "frozen",
            freezeMilliseconds=[round(s.freeze_nanoseconds / 1e6, 3) for s in self.systems],
        )

    def _thaw(self) -> dict[str, object]:
        start = time.monotonic_ns()
        unchanged = [s.frozen and s.writes() == s.writes_at_freeze for s in self.systems]
        thawed = self._each(FileSystem.thaw)
        took = time.monotonic_ns() - start
        self.guard.disarm()
        return {
            "writesUnchanged": unchanged,
            "thawed": thawed,
            "expired": self.guard.expired,
            "thawMilliseconds": round(took / 1e6, 3),
        }

    def _freeze_and_thaw(self) -> None:
        self._each(FileSystem.freeze)
        self._each(FileSystem.thaw)

    def _each(self, act: Callable[[FileSystem], _T]) -> list[_T]:
        """Do the same to every file system, in parallel where there is more than one."""
        if len(self.systems) == 1:
            return [act(self.systems[0])]
        futures = [self._pool.submit(act, system) for system in self.systems]
        wait(futures)  # also those behind a failure: one may still be freezing
        return [future.result() for future in futures]

    def _input_waits(self, seconds: float) -> bool:
        return b"\n" in self._input or bool(select.select([0], [], [], seconds)[0])

    def _read_line(self, seconds: float) -> str:
        while b"\n" not in self._input:
            if not select.select([0], [], [], seconds)[0]:
                if any(system.frozen for system in self.systems):
                    continue  # a freeze has its own deadline
                return ""
            chunk = os.read(0, 4096)
            if not chunk:
                return ""
            self._input += chunk
        line, _, self._input = self._input.partition(b"\n")
        return line.decode("ascii", "replace")


def say(event: str, **facts: object) -> None:
    """Write one line with a time stamp; a pipe takes it whole."""
    os.write(1, json.dumps({"event": event, "time": time.time_ns(), **facts}).encode() + b"\n")


def hold(options: argparse.Namespace) -> int:
    """Run one hold, or one sync; 0 when it ended in order."""
    _end_input_on(signal.SIGTERM, signal.SIGINT)
    systems: list[FileSystem] = []
    try:
        for path in options.paths:
            system = FileSystem(path, options.kubelet, options.records, options.nonce)
            systems.append(system)
            if options.command == "hold":
                system.claim()
        session = Session(systems)
        run = session.run if options.command == "hold" else session.run_sync
        run(options.idle_seconds)
    except FreezeError as error:
        _refuse(error.reason, str(error))
        return 1
    except OSError as error:
        _refuse("FreezeRefused", f"{error.strerror}: {error.filename or ''}")
        return 1
    finally:
        for system in systems:
            system.close()
    return 0


def _end_input_on(*signals: signal.Signals) -> None:
    """Let a signal be the end of the input.

    An exception out of a handler could come between the kernel's freeze and our note of it.
    """
    nothing = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    for number in signals:
        signal.signal(number, lambda *_: os.dup2(nothing, 0))


def _refuse(reason: str, message: str) -> None:
    with contextlib.suppress(OSError):  # nobody may be there to hear it
        say("error", reason=reason, message=message)


class Watcher:
    """The freezer pod's main process: it undoes what dead or stopped owners left frozen."""

    def __init__(self, records: Path, kubelet: Path) -> None:
        self._records = records
        self._kubelet = kubelet
        self._stop = threading.Event()
        self._pause = LOOK_SECONDS
        self._undone: dict[str, Claim] = {}

    def run(self) -> int:
        """Look at once, each second and after each deadline; on SIGTERM thaw all recorded."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop.set())
        while True:
            self.look()
            if self._stop.wait(self._pause):
                self.look(everything=True)
                return 0

    def look(self, *, everything: bool = False) -> None:
        """Thaw recorded freezes whose owner is dead or overdue, or all of them."""
        self._pause = LOOK_SECONDS
        for path in sorted(self._records.iterdir()):
            try:
                self._judge(path.name, everything=everything)
            except OSError as error:  # one bad device must not keep the others frozen
                print(f"{path.name}: {error}", file=sys.stderr, flush=True)

    def _judge(self, device: str, *, everything: bool) -> None:
        record = Record(self._records, device)
        try:
            dead = record.lock()
            claim = record.read()
            if not claim:
                return
            left = claim.deadline + OVERDUE_SECONDS - time.monotonic()
            if claim.boot != boot_id():
                settled = True  # the freeze died with its boot
            elif left > 0 and not dead and not everything:
                self._pause = min(self._pause, left)
                return
            elif self._undone.get(device) == claim and not dead:
                return  # thawed once already: what is frozen now is somebody else's
            else:
                settled = self._thaw(device)
                if settled:
                    self._undone[device] = claim
            # Without a mount there is nothing to thaw through yet: keep the record, look again.
            if dead and settled:
                record.clear()
        finally:
            record.close()

    def _thaw(self, device: str) -> bool:
        """Thaw through any mount of the device; False when it is mounted nowhere that we see."""
        below = f"{self._kubelet}/"
        paths = [m.path for m in mounts() if m.device == device and m.path.startswith(below)]
        return any(_thaw_through(path, device) for path in paths)


def _thaw_through(path: str, device: str) -> bool:
    """Thaw by way of one mount; False when it leads to that device no more."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        if device_of(fd) != device:  # something else is mounted over it
            return False
        if try_thaw(fd):
            print(f"{device}: thawed, its owner is gone", file=sys.stderr, flush=True)
    finally:
        os.close(fd)
    return True


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line and run one of the two programs."""
    parser = argparse.ArgumentParser(prog="freezer")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("hold", "sync", "watch"):
        command = commands.add_parser(name)
        command.add_argument("--records", type=Path, required=True)
        command.add_argument("--kubelet", type=Path, required=True)
        if name != "watch":
            command.add_argument("--nonce", required=name == "hold", default="")
            command.add_argument("--idle-seconds", type=float, default=30.0)
            command.add_argument("paths", nargs="+", metavar="PATH")
    options = parser.parse_args(arguments)
    if options.command == "watch":
        return Watcher(options.records, options.kubelet).run()
    return hold(options)


if __name__ == "__main__":
    sys.exit(main())
