"""Cut a local database under load in one way, by the operator's own window, and judge the copy."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from disksnapshot.snapshot.proof import verdict
from disksnapshot.window.hold import Facts
from lab.cluster.waiting import until
from lab.damage.ways import Way
from lab.demo.facts import Position
from lab.demo.load import Load
from lab.demo.localcut import as_cut, cut_once, judge_copy, truth_of
from lab.demo.verdict import Verdict
from lab.local import Local

_ROWS: Final = 20


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One copy: what the operator would call it by its proofs, and what the copy is."""

    called: str
    proven: bool
    verdict: Verdict


def cut(here: Local, load: Load, way: Way, title: str) -> Judged:
    """Cut once; the copy is gone when it is judged."""
    usual = {"creationMilliseconds": 0, "cutDelayMilliseconds": 0, "visibleBeforeCut": False}
    here.control.settings(**(usual | dict(way.cloud)))
    load.wait_for_rows(_ROWS, since=_now(load))
    facts = cut_once(here, way.order(here))
    snapshot_id = facts.disks[0].snapshot_id
    until(lambda: bool(truth_of(here, snapshot_id)["cutTime"]), "the cloud's cut", seconds=20)
    truth = truth_of(here, snapshot_id)
    made = as_cut(facts, truth, _noted(here, facts))
    load.wait_for_rows(_ROWS, since=max(made.ended, int(truth["cutTime"] * 1e9)))
    try:
        return Judged(
            called=_called(facts),
            proven=facts.proven,
            verdict=judge_copy(here, title, Path(truth["path"]), made),
        )
    finally:
        here.control.vanish(snapshot_id)


def _called(facts: Facts) -> str:
    proven = [step.kind for step in facts.steps if facts.cut_while_held and step.proven]
    said = verdict(proven)
    return f"{said.consistency}, {said.file_system}, {said.application}"


def _noted(here: Local, facts: Facts) -> Position | None:
    """Read what the user's own command wrote down under its lock, where there is one."""
    if not any(step.kind == "exec" for step in facts.steps):
        return None
    status, gtid = (here.folder / "position").read_text().splitlines()
    file, size, *_ = status.split("\t")
    return Position(file, int(size), gtid)


def _now(load: Load) -> int:
    return max(max(ledger.acknowledged.values(), default=0) for ledger in load.read())
