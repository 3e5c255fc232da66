"""Cut a local database under load in one way, by the operator's own window, and judge the copy."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from disksnapshot.window.hold import Facts, Order
from disksnapshot.window.launch import WindowProcess
from lab.cluster.errors import LabError
from lab.cluster.waiting import until
from lab.demo.facts import Cut, Position
from lab.demo.inspection import inspect, served_here
from lab.demo.load import Load
from lab.demo.verdict import Verdict
from lab.local import Local

_SECONDS: Final = 60.0
_ROWS: Final = 20


@dataclass(frozen=True, kw_only=True)
class Way:
    """How a cut is held, and what cloud it is made by (the control port's settings)."""

    words: str
    order: Mapping[str, Any]
    cloud: Mapping[str, int | bool] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One copy: what the window took for proven, and what the copy is."""

    proven: bool
    verdict: Verdict


def cut(here: Local, load: Load, way: Way, title: str) -> Judged:
    """Cut once; the copy is gone when it is judged."""
    usual = {"creationMilliseconds": 0, "cutDelayMilliseconds": 0, "visibleBeforeCut": False}
    here.control.settings(**(usual | dict(way.cloud)))
    load.wait_for_rows(_ROWS, since=_now(load))
    facts = _window(here, here.order(**way.order))
    snapshot_id = facts.disks[0].snapshot_id
    until(lambda: bool(_truth(here, snapshot_id)["cutTime"]), "the cloud's cut", seconds=20)
    truth = _truth(here, snapshot_id)
    made = _cut(facts, truth)
    load.wait_for_rows(_ROWS, since=max(made.ended, int(truth["cutTime"] * 1e9)))
    try:
        return Judged(proven=facts.proven, verdict=_judge(here, title, Path(truth["path"]), made))
    finally:
        here.control.vanish(snapshot_id)


def _now(load: Load) -> int:
    return max(max(ledger.acknowledged.values(), default=0) for ledger in load.read())


def _window(here: Local, order: Order) -> Facts:
    with WindowProcess(order) as window:
        window.ready(_SECONDS)
        facts = window.go(here.go(), _SECONDS)
    if not isinstance(facts, Facts) or not facts.disks[0].snapshot_id:
        raise LabError(f"The window made no snapshot: {facts}")
    return facts


def _cut(facts: Facts, truth: Mapping[str, Any]) -> Cut:
    """Return what the window claims; where it held nothing, when the cloud says that it cut."""
    begun = facts.times.get("lockSent")
    ended = max((facts.times[n] for n in ("thawed", "unlocked") if n in facts.times), default=0)
    if begun is None:
        start, end = (int(truth[name] * 1e9) for name in ("cutStartTime", "cutTime"))
        return Cut(begun=start, ended=end, position=None)
    said = next((step.detail for step in facts.steps if step.kind == "mysql"), None)
    position = None
    if said:
        position = Position(
            str(said["binlogFile"]), int(str(said["binlogPosition"])), str(said["gtid"])
        )
    return Cut(begun=begun, ended=ended, position=position)


def _judge(here: Local, title: str, copy: Path, made: Cut) -> Verdict:
    scratch = here.folder / "store" / "scratch"
    scratch.mkdir(exist_ok=True)
    run, password = here.folder / "copy", here.database.password
    return inspect(
        title,
        copy,
        made,
        here.folder / "ledgers",
        lambda: served_here(copy, scratch, run, datadir="data", password=password),
        scratch=scratch,
        datadir="data",
        folder="files",
    )


def _truth(here: Local, snapshot_id: str) -> dict[str, Any]:
    return dict(next(s for s in here.control.snapshots() if s["id"] == snapshot_id))
