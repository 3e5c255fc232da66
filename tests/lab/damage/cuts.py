"""Cut a local database under load in one way, by the operator's own window, and judge the copy."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from lab.cluster.waiting import until
from lab.demo.load import Load
from lab.demo.localcut import as_cut, cut_once, judge_copy, truth_of
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
    facts = cut_once(here, here.order(**way.order))
    snapshot_id = facts.disks[0].snapshot_id
    until(lambda: bool(truth_of(here, snapshot_id)["cutTime"]), "the cloud's cut", seconds=20)
    truth = truth_of(here, snapshot_id)
    made = as_cut(facts, truth)
    load.wait_for_rows(_ROWS, since=max(made.ended, int(truth["cutTime"] * 1e9)))
    try:
        return Judged(
            proven=facts.proven, verdict=judge_copy(here, title, Path(truth["path"]), made)
        )
    finally:
        here.control.vanish(snapshot_id)


def _now(load: Load) -> int:
    return max(max(ledger.acknowledged.values(), default=0) for ledger in load.read())
