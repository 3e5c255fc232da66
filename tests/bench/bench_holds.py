"""How long a hold lasts beyond what server, kernel and cloud take, and how long writers wait.

Absolute times are told, not judged: they depend on the machine. Judged is the ratio to a bare loop
that does the same in the same run, and only where the lower end of its 90 % interval says so.
"""

import random
from collections.abc import Callable, Sequence
from itertools import pairwise
from statistics import median
from typing import Any

import pytest

from lab.bench.builds import Build

PAIRS = 20
# Times the bare loop, whose statements are the same but which starts, asks and proves nothing.
LIMITS = {"overhead": 4.0, "pause": 1.5}
# What the design grants on the machine where it was measured.
BUDGETS = {"overhead": 6.0, "pause": 50.0}
Tell = Callable[[str], None]


@pytest.fixture(scope="module")
def holds(this: Build) -> list[dict[str, Any]]:
    return measured(this)


def measured(build: Build) -> list[dict[str, Any]]:
    return list(build.measured("holds", f"--pairs={PAIRS}")["holds"])


def ratio_at_least(holds: Sequence[dict[str, Any]], what: str) -> float:
    """Return the lower end of the 90 % interval of the median ratio, by bootstrap."""
    pairs = list(pairwise(holds))[::2]
    ratios = [float(window[what]) / float(bare[what]) for window, bare in pairs]
    chance = random.Random(1)
    medians = sorted(median(chance.choices(ratios, k=len(ratios))) for _ in range(2000))
    return medians[100]


def told(build: Build, holds: Sequence[dict[str, Any]], what: str) -> str:
    ours = [hold[what] for hold in holds if hold["by"] == "window"]
    bare = [hold[what] for hold in holds if hold["by"] == "bare"]
    return (
        f"{what} of {build.name}: median {median(ours):.1f} ms (budget {BUDGETS[what]:g}),"
        f" worst {max(ours):.1f}; a bare loop: median {median(bare):.1f}, worst {max(bare):.1f};"
        f" ratio at least {ratio_at_least(holds, what):.2f} (limit {LIMITS[what]:g})"
    )


@pytest.mark.parametrize("what", list(LIMITS))
def test_a_hold_costs_little_more_than_a_bare_loop_that_does_the_same(
    this: Build, holds: list[dict[str, Any]], tell: Tell, what: str
) -> None:
    tell(told(this, holds, what))
    assert ratio_at_least(holds, what) <= LIMITS[what]


@pytest.mark.parametrize(
    ("name", "what"), [("freezer-opened-late", "overhead"), ("freeze-not-warmed", "pause")]
)
def test_a_bad_build_is_caught(
    broken: Callable[[str], Build], tell: Tell, name: str, what: str
) -> None:
    build = broken(name)
    holds = measured(build)
    tell(told(build, holds, what))
    assert ratio_at_least(holds, what) > LIMITS[what]
