"""A window that is stopped at a bad moment: no writer stands still for longer than the bound.

`make bounded` has every moment of every method; these are those at which most can go wrong.
"""

import pytest

from lab.bounded.methods import COMMANDS, STAGES, TABLES, Method
from lab.bounded.moments import FROZEN, PENDING, THAWED, Moment
from lab.bounded.striking import strike
from lab.local import Local


@pytest.fixture
def running(request: pytest.FixtureRequest) -> Local:
    server: Local = request.getfixturevalue(request.param)
    return server


@pytest.mark.parametrize(
    ("running", "method", "moment"),
    [
        # After its time-out MySQL keeps the first half of the lock, and nobody gives it back.
        pytest.param("mysql", TABLES, PENDING, id="mysql-lock-pending"),
        # Nothing but the guards in the pod knows of either hold.
        pytest.param("mysql", COMMANDS, FROZEN, id="mysql-commands-frozen"),
        # The freeze is over and its proof is lost; the server alone can end the lock.
        pytest.param("mariadb", STAGES, THAWED, id="mariadb-thawed-not-unlocked"),
    ],
    indirect=["running"],
)
def test_a_stopped_window_holds_no_writer_for_longer_than_the_bound(
    here: Local, method: Method, moment: Moment
) -> None:
    outcome = strike(here, method, moment, stop=True)
    assert not outcome.broken, outcome
