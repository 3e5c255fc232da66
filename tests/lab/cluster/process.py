"""A process that outlives its starter and is found again by its pid file."""

import os
import select
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# The process writes its own identity before it becomes the program. So there is no moment at
# which it runs and no file names it, even if the starter is killed right after the spawn.
_LAUNCH = (
    'cat /proc/sys/kernel/random/boot_id /proc/$$/stat >"$1.$$" && mv "$1.$$" "$1" '
    '&& shift && exec "$@"'
)
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_PROXY_VARIABLES = frozenset({"http_proxy", "https_proxy", "all_proxy", "no_proxy"})


@dataclass(frozen=True, slots=True)
class Identity:
    """A pid alone may be reused; with its start time and the boot it names one process."""

    boot: str
    pid: int
    started: str


def spawn(
    argv: Sequence[str], *, pid_file: Path, log: Path, environment: Mapping[str, str]
) -> None:
    """Start a program in a session of its own; its output goes to the log."""
    pid_file.unlink(missing_ok=True)
    inherited = {k: v for k, v in os.environ.items() if k.lower() not in _PROXY_VARIABLES}
    appending = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    os.posix_spawn(
        "/bin/sh",
        ["sh", "-c", _LAUNCH, "sh", str(pid_file), *argv],
        {**inherited, **environment},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), appending, 0o644),
            (os.POSIX_SPAWN_DUP2, 1, 2),
            # What the starter inherited, say a lock, would be held for as long as this runs.
            *((os.POSIX_SPAWN_CLOSE, number) for number in _inherited()),
        ],
        setsid=True,
        # Python ignores SIGPIPE, and a program would inherit that.
        setsigdef=[signal.SIGPIPE, signal.SIGINT],
    )


def _inherited() -> list[int]:
    """Return our open files but the three of every program."""
    return [int(entry) for entry in os.listdir("/proc/self/fd") if int(entry) > 2]  # noqa: PTH208 - names, of the standard three and others


def find(pid_file: Path) -> Identity | None:
    """Return the process that the file names, if it still runs."""
    try:
        boot, stat = pid_file.read_text().splitlines()[:2]
    except (FileNotFoundError, ValueError):
        return None
    recorded = _identity(boot, stat)
    return recorded if _current(recorded.pid) == recorded else None


def running(pid: int) -> Identity | None:
    """Return the process that has this pid now."""
    return _current(pid)


def command_line(pid: int) -> tuple[str, ...]:
    try:
        return tuple(Path(f"/proc/{pid}/cmdline").read_text(errors="replace").split("\0")[:-1])
    except (FileNotFoundError, ProcessLookupError):
        return ()


def everything() -> list[int]:
    """Return the pids of all processes."""
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def send(process: Identity, number: signal.Signals) -> None:
    """Signal this very process; never another one that got its pid."""
    try:
        handle = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return
    try:
        # Checked after the handle is open: the handle can't change its process any more.
        if _current(process.pid) == process:
            signal.pidfd_send_signal(handle, number)
    except ProcessLookupError:
        return
    finally:
        os.close(handle)


def wait_gone(process: Identity, *, seconds: float) -> bool:
    """Wait for the end of a process, ours or not; say whether it came."""
    try:
        handle = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return True
    try:
        # A zombie may have threads left, which still hold its sockets: only the handle tells.
        if _stated(process.pid) != process:
            return True
        readable, _, _ = select.select([handle], [], [], seconds)
        return bool(readable)
    finally:
        os.close(handle)
        _reap(process.pid)


def _identity(boot: str, stat: str) -> Identity:
    # The command name (field 2) may hold blanks; fields are counted from its bracket.
    pid = int(stat.split(" ", 1)[0])
    return Identity(boot, pid, stat.rpartition(")")[2].split()[19])


def _stat(pid: int) -> str | None:
    try:
        return Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None


def _stated(pid: int) -> Identity | None:
    """Return the process of this pid, also one that has ended and was not reaped."""
    stat = _stat(pid)
    return _identity(_BOOT_ID.read_text().strip(), stat) if stat else None


def _current(pid: int) -> Identity | None:
    stat = _stat(pid)
    if stat and stat.rpartition(")")[2].split()[0] == "Z":
        _reap(pid)
        return None
    return _identity(_BOOT_ID.read_text().strip(), stat) if stat else None


def _reap(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return  # Started by an earlier command: init reaps it.
