"""What every test on the cluster stands on: the running lab."""

import pytest

from lab.cluster import Lab, LabError


@pytest.fixture(scope="session")
def lab() -> Lab:
    try:
        return Lab.running()
    except LabError as error:
        # A failure, never a skip: a test that did not run has shown nothing.
        pytest.fail(str(error), pytrace=False)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # Tests that take the lab down come first: nothing of another test can be lost with it.
    items.sort(key=lambda item: not _takes_the_lab_down(item))


def _takes_the_lab_down(item: pytest.Item) -> bool:
    return "lab_taken_down" in getattr(item, "fixturenames", ())
