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
