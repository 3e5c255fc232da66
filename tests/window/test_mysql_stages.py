"""MariaDB's backup stages: what `lock: Auto` means there."""

from lab.holding import capture
from lab.local import Local
from lab.statements import SLOW_INNODB_INSERT, long_statement


def test_the_automatic_lock_does_not_wait_for_a_long_innodb_statement(here: Local) -> None:
    with long_statement(here.database, SLOW_INNODB_INSERT):
        facts = capture(here, here.order())
    assert facts.proven
    assert facts.steps[0].detail["lock"] == "Stages"
