"""What containerd leaves running when it dies: shims and the containers below them."""

import shutil
import signal
from pathlib import Path
from typing import Final

from lab.cluster import process
from lab.cluster.commands import run
from lab.layout import CONTAINERD_NAMESPACE, Layout

_SHIM: Final = "containerd-shim-runc-v2"
_PATIENCE: Final = 10


def forget_containers(layout: Layout) -> None:
    """Let containerd forget its dead containers, but not its images; it must still run."""
    for container in _known(layout):
        run(*_ctr(layout), "tasks", "rm", "--force", container, check=False)
        run(*_ctr(layout), "containers", "rm", container, check=False)


def end_strangers(layout: Layout) -> None:
    """End containers that the running containerd does not know: they would hold disks for ever."""
    # Read before the list of the known: one that is made meanwhile is then in that list.
    shims = _shims(layout)
    known = _known(layout)
    for pid, container in shims.items():
        if container not in known:
            for member in (*_children(pid), pid):
                _end(member)


def end_shims(layout: Layout) -> None:
    """Kill the shims of this lab's containerd, and remove what they and their pods leave."""
    for pid in _shims(layout):
        _end(pid)
    for note in state(layout).glob("io.containerd.runtime.v2.task/*/*/address"):
        Path(note.read_text().removeprefix("unix://")).unlink(missing_ok=True)
    # What is left of pods beside the images; containerd makes the folder anew.
    shutil.rmtree(layout.containerd / "io.containerd.grpc.v1.cri", ignore_errors=True)


def state(layout: Layout) -> Path:
    """Return containerd's folder of what runs."""
    return layout.run / "containerd"


def _known(layout: Layout) -> list[str]:
    return run(*_ctr(layout), "containers", "ls", "--quiet").split()


def _ctr(layout: Layout) -> tuple[str, ...]:
    return ("ctr", "--address", str(layout.containerd_socket), "-n", CONTAINERD_NAMESPACE)


def _shims(layout: Layout) -> dict[int, str]:
    """Map each shim of this lab's containerd, known by its socket, to its container."""
    lines = {pid: process.command_line(pid) for pid in process.everything()}
    return {
        pid: line[line.index("-id") + 1]
        for pid, line in lines.items()
        if line and Path(line[0]).name == _SHIM and str(layout.containerd_socket) in line
    }


def _children(pid: int) -> list[int]:
    # Each thread has children of its own.
    lists = [_read(task / "children") for task in Path(f"/proc/{pid}/task").glob("*")]
    return [int(child) for children in lists for child in children.split()]


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""  # It ended in between.


def _end(pid: int) -> None:
    found = process.running(pid)
    if found:
        process.send(found, signal.SIGKILL)
        process.wait_gone(found, seconds=_PATIENCE)
