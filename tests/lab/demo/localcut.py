"""One cut of a local database by the operator's own window, and the verdict on its copy."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from disksnapshot.window.hold import Facts, Order
from disksnapshot.window.launch import WindowProcess
from lab.cluster.errors import LabError
from lab.demo.facts import Cut, Position
from lab.demo.inspection import inspect, served_here
from lab.demo.verdict import Verdict
from lab.local import Local

_SECONDS: Final = 60.0
# Of a sync there is none: it holds nothing.
_ENDS: Final = ("thawed", "unlocked", "0-exec released")


def cut_once(here: Local, order: Order) -> Facts:
    with WindowProcess(order) as window:
        window.ready(_SECONDS)
        facts = window.go(here.go(), _SECONDS)
    if not isinstance(facts, Facts) or not facts.disks[0].snapshot_id:
        raise LabError(f"The window made no snapshot: {facts}")
    return facts


def as_cut(facts: Facts, truth: Mapping[str, Any], position: Position | None = None) -> Cut:
    """Return what the window claims; where it held nothing, when the cloud says that it cut.

    `position` is what was recorded where the window doesn't know it: by a user's own command.
    """
    begun = facts.times.get("lockSent")
    ended = max((facts.times[name] for name in _ENDS if name in facts.times), default=0)
    if begun is None or not ended:
        start, end = (int(truth[name] * 1e9) for name in ("cutStartTime", "cutTime"))
        return Cut(begun=start, ended=end, position=None)
    said = next((step.detail for step in facts.steps if step.kind == "mysql"), None)
    if said:
        position = Position(
            str(said["binlogFile"]), int(str(said["binlogPosition"])), str(said["gtid"])
        )
    return Cut(begun=begun, ended=ended, position=position)


def judge_copy(here: Local, title: str, copy: Path, made: Cut) -> Verdict:
    scratch = here.folder / "store" / "scratch"
    scratch.mkdir(exist_ok=True)
    run, server = here.folder / "copy", here.database
    options = {"password": server.password, "programs": server.programs, "options": server.options}
    return inspect(
        title,
        copy,
        made,
        here.folder / "ledgers",
        lambda: served_here(copy, scratch, run, datadir="data", **options),
        scratch=scratch,
        datadir="data",
        folder="files",
    )


def truth_of(here: Local, snapshot_id: str) -> dict[str, Any]:
    return dict(next(s for s in here.control.snapshots() if s["id"] == snapshot_id))
