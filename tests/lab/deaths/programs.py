"""Find the programs of a hold among the node's processes."""

from pathlib import Path

from lab.cluster import Lab, process
from lab.cluster.errors import LabError
from lab.demo import kill

_FREEZER = "/app/disksnapshot/inpod/freezer.py"


def window(lab: Lab) -> int:
    """Return the window of the one hold that is on: a child of the operator's fork server."""
    operator = kill.operator_pid(lab)
    parents = {pid: _parent(pid) for pid in process.everything()}
    children = {pid for pid, parent in parents.items() if parent == operator}
    return _only([pid for pid, parent in parents.items() if parent in children], "window")


def freezer() -> int:
    """Return the program that freezes in the one hold that is going on."""
    commands = {pid: process.command_line(pid) for pid in process.everything()}
    found = [pid for pid, argv in commands.items() if _FREEZER in argv and "hold" in argv]
    return _only(found, "freezer")


def _only(found: list[int], what: str) -> int:
    if len(found) != 1:
        raise LabError(f"There should be one {what} now, there are {len(found)}.")
    return found[0]


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0
