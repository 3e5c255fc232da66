"""How long a hold lasts beyond what server, kernel and cloud take, and how long writers wait.

Absolute times are told beside their budgets, not judged: they depend on the machine. Judged is the
ratio to a bare loop that does the same in the same run, and only where the lower end of its 90 %
interval says so.
"""

import random
from collections.abc import Callable, Sequence
from itertools import pairwise
from statistics import median, quantiles
from typing import Any

import pytest

from lab.bench.builds import Build
from lab.demo import budgets

PAIRS = 20
# Times the bare loop, whose statements are the same but which starts, asks and proves nothing.
LIMITS = {"overhead": 4.0, "pause": 1.5, "freeze": 3.0}
BUDGETS = {"overhead": budgets.OVERHEAD, "pause": budgets.PAUSE, "freeze": budgets.NONE}
CAUGHT = [
    ("freezer-opened-late", ["overhead", "pause"]),
    # What it adds to a pause drowns on a busy machine; what it adds to the freeze itself doesn't.
    ("freeze-not-warmed", ["freeze"]),
]
Tell = Callable[[str], None]
Pair = tuple[float, float]


@pytest.fixture(scope="module")
def holds(this: Build) -> list[dict[str, Any]]:
    return measured(this)


def measured(build: Build) -> list[dict[str, Any]]:
    return list(build.measured("holds", f"--pairs={PAIRS}")["holds"])


def ratio_at_least(holds: Sequence[dict[str, Any]], what: str) -> float:
    """Return the lower end of the 90 % interval of the ratio, by bootstrap."""
    pairs = [
        (float(window[what]), float(bare[what])) for window, bare in list(pairwise(holds))[::2]
    ]
    ratio = _of_quickest if what == "freeze" else _typical
    chance = random.Random(1)
    ratios = sorted(ratio(chance.choices(pairs, k=len(pairs))) for _ in range(2000))
    return ratios[100]


def _typical(pairs: Sequence[Pair]) -> float:
    return median(window / bare for window, bare in pairs)


def _of_quickest(pairs: Sequence[Pair]) -> float:
    """Compare the quicker quarter of each: a busy machine only adds to an ioctl's time."""
    window, bare = (float(quantiles(times)[0]) for times in zip(*pairs, strict=True))
    return window / bare


def told(build: Build, holds: Sequence[dict[str, Any]], what: str) -> str:
    ours = [hold[what] for hold in holds if hold["by"] == "window"]
    bare = [hold[what] for hold in holds if hold["by"] == "bare"]
    judged = BUDGETS[what].judge(median=median(ours), worst=max(ours))
    budget = f" (budget: {judged})" if judged else ""
    floor = "a kernel that is warm" if what == "freeze" else "a bare loop"
    return (
        f"{what} of {build.name}: median {median(ours):.1f} ms, worst {max(ours):.1f}{budget};"
        f" {floor}: median {median(bare):.1f}, worst {max(bare):.1f};"
        f" ratio at least {ratio_at_least(holds, what):.2f} (limit {LIMITS[what]:g})"
    )


@pytest.mark.parametrize("what", list(LIMITS))
def test_a_hold_costs_little_more_than_a_bare_loop_that_does_the_same(
    this: Build, holds: list[dict[str, Any]], tell: Tell, what: str
) -> None:
    tell(told(this, holds, what))
    assert ratio_at_least(holds, what) <= LIMITS[what]


@pytest.mark.parametrize(("name", "by"), CAUGHT)
def test_a_bad_build_is_caught(
    broken: Callable[[str], Build], tell: Tell, name: str, by: list[str]
) -> None:
    build = broken(name)
    holds = measured(build)
    for what in LIMITS:
        tell(told(build, holds, what))
    assert [what for what in by if ratio_at_least(holds, what) <= LIMITS[what]] == []
