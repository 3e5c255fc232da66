"""MySQL's LOCK INSTANCE FOR BACKUP, which stops changes of definitions and nothing else."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pymysql
import pytest

from disksnapshot.window.hold import Facts
from lab.holding import Holding, capture, opened, refusal
from lab.local import Local
from lab.writing import Writer

LEAST = "RELOAD, PROCESS, BACKUP_ADMIN, REFERENCES"
Account = Callable[..., tuple[str, str]]


@pytest.fixture(scope="module")
def running(mysql: Local) -> Local:
    return mysql


@pytest.fixture
def transactional(here: Local) -> Iterator[Local]:
    with here.database.connect() as root, root.cursor() as cursor:
        cursor.execute("ALTER TABLE held.old ENGINE=InnoDB")
        yield here
        cursor.execute("ALTER TABLE held.old ENGINE=MyISAM")


def test_mariadb_has_no_such_lock(mariadb: Local) -> None:
    assert refusal(mariadb.order(lock="Instance", freeze=False)).reason == "LockUnsuitable"


def test_a_server_with_a_table_that_is_not_transactional_is_refused(here: Local) -> None:
    refused = refusal(here.order(lock="Instance"))
    assert refused.reason == "LockUnsuitable"
    assert "1 table" in refused.message


def test_a_missing_right_is_named_with_its_grant(transactional: Local, account: Account) -> None:
    user = account("lacking", "RELOAD, PROCESS, REFERENCES")
    refused = refusal(transactional.order(lock="Instance", account=user))
    assert "GRANT BACKUP_ADMIN ON *.* TO 'lacking'@'%'" in refused.message


def test_an_account_that_can_not_see_the_tables_is_told_the_grant(
    transactional: Local, account: Account
) -> None:
    user = account("blind", "RELOAD, PROCESS, BACKUP_ADMIN")
    refused = refusal(transactional.order(lock="Instance", account=user))
    assert refused.reason == "MySQLAccessDenied"
    assert "GRANT REFERENCES ON *.* TO 'blind'@'%'" in refused.message


@pytest.mark.usefixtures("hidden")
def test_definitions_stand_still_while_rows_are_written(
    transactional: Local, account: Account, writer: Writer, pool: ThreadPoolExecutor
) -> None:
    here, user = transactional, account("least", LEAST)
    order = here.order(lock="Instance", freeze=False, account=user, max_hold_seconds=6)
    with opened(order) as window:
        answer = Holding(here, window, pool).until_cut(here.go())
        with here.database.connect() as other, other.cursor() as cursor:
            cursor.execute("SET lock_wait_timeout = 1")
            with pytest.raises(pymysql.err.OperationalError, match="1205"):
                cursor.execute("CREATE TABLE held.fresh (n INT)")
        facts = answer.result()
    assert isinstance(facts, Facts)
    assert facts.steps[0].proven
    assert writer.made_between(facts.times["locked"], facts.times["proven"])


def test_it_claims_nothing_of_rows_and_no_position(transactional: Local) -> None:
    facts = capture(transactional, transactional.order(lock="Instance"))
    [lock, freeze] = facts.steps
    assert (lock.proven, freeze.proven) == (True, True)
    assert not lock.stops_writes
    assert lock.detail["lock"] == "Instance"
    assert "binlogPosition" not in lock.detail
