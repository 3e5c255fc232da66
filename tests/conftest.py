"""What shares the one cluster runs one after the other; everything else runs beside it."""

import os
from typing import Final

import pytest
from xdist.scheduler import LoadScopeScheduling

CLUSTER: Final = "tests/cluster/"
# These render files or make disks, and ask no API server: other tests stop it now and then.
APART: Final = tuple(f"{CLUSTER}test_{name}.py" for name in ("chart_render", "disks_local"))
BESIDE: Final = 10  # niceness of what runs beside the cluster's tests, which wait for each other


class Beside(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """One worker has all tests of the running cluster; other files go to whoever is free."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return CLUSTER if file.startswith(CLUSTER) and file not in APART else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Beside:
    config.option.loadscopereorder = False  # the order of the collection counts, see below
    return Beside(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # Tests that take the lab down come first: nothing of another test can be lost with it. What
    # needs only its programs comes last: by then it is up again for long.
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    if "lab_taken_down" in getattr(item, "fixturenames", ()):
        return 0
    file = item.nodeid.partition("::")[0]
    return 3 if file in APART else 1 if file.startswith(CLUSTER) else 2


@pytest.hookimpl(tryfirst=True)  # before fixtures start anything
def pytest_runtest_setup(item: pytest.Item) -> None:
    of_cluster = item.nodeid.startswith(CLUSTER)
    os.setpriority(os.PRIO_PROCESS, 0, 0 if of_cluster else BESIDE)
