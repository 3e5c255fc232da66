"""How many calls of the cloud it takes to follow what it copies."""

from collections.abc import Callable
from math import ceil

import pytest

from lab.bench.builds import Build

PAGE = 100
PENDING = [1, 100, 101, 250]


def calls(build: Build, pending: int) -> int:
    return int(build.measured("sweeps", f"--pending={pending}")["calls"])


@pytest.mark.parametrize("pending", PENDING)
def test_a_sweep_asks_once_for_each_hundred(
    this: Build, tell: Callable[[str], None], pending: int
) -> None:
    made = calls(this, pending)
    tell(f"calls of a sweep over {pending}: {made} (budget {ceil(pending / PAGE)})")
    assert made == ceil(pending / PAGE)


def test_a_build_that_asks_for_each_alone_is_caught(
    broken: Callable[[str], Build], tell: Callable[[str], None]
) -> None:
    build = broken("sweep-one-by-one")
    made = calls(build, 250)
    tell(f"calls of a sweep over 250 by {build.name}: {made}")
    assert made > ceil(250 / PAGE)
