"""What the budgets are measured with, and how their figures are told."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lab.bench.builds import Build

FIGURES = pytest.StashKey[list[str]]()


@pytest.fixture
def tell(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Give a way to print a line at the end, whether the test passes or not."""
    return pytestconfig.stash.setdefault(FIGURES, []).append


@pytest.fixture(scope="session")
def this() -> Build:
    return Build.true()


@pytest.fixture
def broken(tmp_path: Path) -> Callable[[str], Build]:
    """Give a way to make a bad build by the name of its patch in tests/broken."""
    return lambda name: Build.broken(name, tmp_path)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    lines = config.stash.get(FIGURES, [])
    if lines:
        terminalreporter.section("figures")
    for line in lines:
        terminalreporter.line(line)
