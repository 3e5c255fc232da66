"""What shares the one cluster runs one after the other; everything else runs beside it."""

import os
from typing import Final

import pytest
from xdist.scheduler import LoadScopeScheduling

CLUSTER: Final = "tests/cluster/"
BESIDE: Final = 5  # niceness of what runs beside the cluster's tests, which wait for each other


class Beside(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """One worker has all tests of the cluster; files of other tests go to whoever is free."""

    def _split_scope(self, nodeid: str) -> str:
        return CLUSTER if nodeid.startswith(CLUSTER) else nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Beside:
    return Beside(config, log)


@pytest.hookimpl(tryfirst=True)  # before fixtures start anything
def pytest_runtest_setup(item: pytest.Item) -> None:
    of_cluster = item.nodeid.startswith(CLUSTER)
    os.setpriority(os.PRIO_PROCESS, 0, 0 if of_cluster else BESIDE)
