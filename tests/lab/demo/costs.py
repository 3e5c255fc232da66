"""What a hold cost, whose time it was, and what a hundred of them come to. No I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Self

from lab.demo import budgets
from lab.demo.budgets import OVERHEAD, PAUSE, Budget
from lab.demo.load import Pause
from lab.demo.timeline import Split

_TENTHS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """One hold, by everybody's own clock."""

    name: str
    events: Mapping[str, int]
    parts: Split
    flush: int  # of what is ours, the database's own part, in ns
    pauses: Sequence[Pause]  # the longest of each writer

    @property
    def pause(self) -> int:
        """How long the writer that waited longest stood still, less the cloud's part, in ns."""
        return max(pause.ended - pause.begun for pause in self.pauses) - self.parts.cloud


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What many holds came to in one respect, in ms."""

    words: str
    median: float
    p90: float
    worst: float
    budget: Budget

    @property
    def judged(self) -> str:
        """Whether the budget was kept, bound by bound; nothing where there is none."""
        return self.budget.judge(median=self.median, worst=self.worst)

    @classmethod
    def of(cls, words: str, nanoseconds: Sequence[int], budget: Budget = budgets.NONE) -> Self:
        return cls(
            budget=budget,
            words=words,
            median=median(nanoseconds) / 1e6,
            p90=quantiles(nanoseconds, n=_TENTHS, method="inclusive")[-1] / 1e6,
            worst=max(nanoseconds) / 1e6,
        )


def rows(costs: Sequence[Cost]) -> list[Row]:
    """Sum up, from what is ours to what is everybody's."""
    parts = [cost.parts for cost in costs]
    return [
        Row.of("ours: hold - lock - freeze - cloud", [part.ours for part in parts], OVERHEAD),
        Row.of("of it, FLUSH ENGINE LOGS under the lock", [cost.flush for cost in costs]),
        Row.of("lock: the database's own timer", [part.lock for part in parts]),
        Row.of("freeze and thaw: the freezer's own timer", [part.freeze for part in parts]),
        Row.of("cloud: request sent until listed", [part.cloud for part in parts]),
        Row.of("hold: lock sent until unlocked", [part.hold for part in parts]),
        Row.of("longest pause of any writer, less cloud", [cost.pause for cost in costs], PAUSE),
    ]


def typical(costs: Sequence[Cost]) -> Cost:
    """Return the hold whose own part is the median of all: no lucky one, no unlucky one."""
    ordered = sorted(costs, key=lambda cost: cost.parts.ours)
    return ordered[len(ordered) // 2]
