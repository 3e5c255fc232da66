"""The control group that holds every container of the lab, and nothing else."""

import os
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from lab.cluster import process
from lab.cluster.waiting import until

NAME: Final = "dslab"
_ROOT: Final = Path("/sys/fs/cgroup")


def ensure() -> None:
    """Make the group in every hierarchy: the kubelet wants its root to exist."""
    for hierarchy in _hierarchies():
        group = hierarchy / NAME
        group.mkdir(exist_ok=True)
        _delegate(hierarchy, group)


def empty(*, meanwhile: Callable[[], None]) -> None:
    """Kill every process in the group; `meanwhile` runs between tries, to unblock them."""
    until(lambda: _killed_all(meanwhile), "The end of the lab's containers", seconds=60)


def remove() -> None:
    for hierarchy in _hierarchies():
        for folder in reversed(_folders(hierarchy / NAME)):
            until(partial(_removed, folder), f"Removing {folder}", seconds=10)


def _hierarchies() -> list[Path]:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    mounts = [line.split() for line in lines if " - cgroup" in line]
    return [Path(fields[4]) for fields in mounts if Path(fields[4]).is_relative_to(_ROOT)]


def _delegate(hierarchy: Path, group: Path) -> None:
    controllers = hierarchy / "cgroup.controllers"
    if controllers.exists():
        wanted = " ".join(f"+{name}" for name in controllers.read_text().split())
        (hierarchy / "cgroup.subtree_control").write_text(wanted)
    # Version 1: a new cpuset is empty, and nothing can run in an empty one.
    for name in ("cpuset.cpus", "cpuset.mems"):
        if (group / name).exists() and not controllers.exists():
            (group / name).write_text((hierarchy / name).read_text())


def _folders(group: Path) -> list[Path]:
    return [Path(folder) for folder, _, _ in os.walk(group)]


def _members() -> set[int]:
    groups = [folder for h in _hierarchies() for folder in _folders(h / NAME)]
    return {int(pid) for folder in groups for pid in _lines(folder / "cgroup.procs")}


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text().split()
    except OSError:
        return []  # Gone in between, or a threaded group, whose members its parent lists.


def _killed_all(meanwhile: Callable[[], None]) -> bool:
    meanwhile()
    members = [found for pid in _members() if (found := process.running(pid))]
    for member in members:
        process.send(member, signal.SIGKILL)
    return not members


def _removed(folder: Path) -> bool:
    try:
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False  # Its last process is still being buried.
    return True
