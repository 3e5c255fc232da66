"""What shares the one cluster runs one after the other; everything else runs beside it."""

import os
from pathlib import Path
from typing import Final

import pytest

CLUSTER: Final = Path(__file__).parent / "cluster"
BESIDE: Final = 5  # niceness of what runs beside the cluster's tests, which wait for each other


def _of_the_cluster(item: pytest.Item) -> bool:
    return CLUSTER in item.path.parents


@pytest.hookimpl(tryfirst=True)  # before xdist writes the groups into the tests' ids
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if _of_the_cluster(item):
            item.add_marker(pytest.mark.xdist_group("cluster"))


@pytest.hookimpl(tryfirst=True)  # before fixtures start anything
def pytest_runtest_setup(item: pytest.Item) -> None:
    os.setpriority(os.PRIO_PROCESS, 0, 0 if _of_the_cluster(item) else BESIDE)
