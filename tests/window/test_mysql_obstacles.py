"""What runs in the server already: waited for before anything is held, then refused by name."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import pytest

from disksnapshot.window.hold import LongStatement, Order, Ready, Refusal
from disksnapshot.window.launch import WindowProcess
from lab.cluster.waiting import until
from lab.holding import capture, in_process_list, refusal, with_mysql
from lab.local import Local
from lab.statements import long_statement
from lab.writing import AT_ONCE, Writer

READ = "SELECT SLEEP(20) FROM held.old"
WRITE = "INSERT INTO held.rows SELECT NULL FROM held.old WHERE SLEEP(20) = 1"
SHORT_WRITE = "INSERT INTO held.rows SELECT NULL FROM held.old WHERE SLEEP(2) = 1"
CHANGE = "ALTER TABLE held.rows COMMENT = 'changed'"
MAKE = "CREATE TABLE held.made AS SELECT SLEEP(20) AS slept FROM held.old"


@pytest.fixture(scope="module", params=["mariadb", "mysql"])
def running(request: pytest.FixtureRequest) -> Local:
    server: Local = request.getfixturevalue(request.param)
    return server


def impatient(order: Order, *, wait_seconds: int = 0) -> Order:
    rule = LongStatement(threshold_seconds=1, wait_seconds=wait_seconds)
    return with_mysql(order, long_statement=rule)


@contextmanager
def one_second_old(here: Local, statement: str) -> Iterator[None]:
    with long_statement(here.database, statement):
        until(lambda: is_old(here, statement), "a statement a second old", seconds=5)
        yield


def is_old(here: Local, statement: str) -> bool:
    with here.database.connect() as root, root.cursor() as cursor:
        cursor.execute("SHOW PROCESSLIST")
        return any(row[7] == statement and row[5] >= 1 for row in cursor.fetchall())


def assert_named(refused: Refusal, verb: str) -> None:
    assert refused.reason == "LongStatement"
    assert f"of root has been running its {verb} statement for" in refused.message
    assert "held." not in refused.message


def test_a_long_write_is_refused_before_flush_tables_and_named_without_its_text(
    here: Local, writer: Writer
) -> None:
    with one_second_old(here, WRITE):
        asked_at = time.time_ns()
        assert_named(refusal(impatient(here.order(lock="Tables"))), "INSERT")
        assert writer.seconds_until_acknowledged(after=asked_at) < AT_ONCE
    assert here.control.snapshots() == []


def test_a_long_read_stops_flush_tables_on_mysql_alone(here: Local) -> None:
    order = impatient(here.order(lock="Tables"))
    with one_second_old(here, READ):
        if here.database.programs.name == "mysql":
            assert_named(refusal(order), "SELECT")
        else:
            assert capture(here, order).proven


def test_a_change_of_definitions_in_progress_is_refused(here: Local) -> None:
    with one_second_old(here, MAKE):
        assert_named(refusal(impatient(here.order())), "CREATE")


def test_a_change_of_definitions_that_waits_for_a_transaction_is_refused(here: Local) -> None:
    with here.database.connect() as reader, reader.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT COUNT(*) FROM held.rows")
        altering = threading.Thread(target=alter, args=(here,))
        altering.start()
        try:
            until(lambda: is_old(here, CHANGE), "a change that waits", seconds=5)
            assert_named(refusal(impatient(here.order())), "ALTER")
        finally:
            cursor.execute("ROLLBACK")
            altering.join()


def alter(here: Local) -> None:
    with closing(here.database.connect()) as session, session.cursor() as cursor:
        cursor.execute(CHANGE)


def test_a_long_write_that_ends_in_time_is_waited_for(here: Local) -> None:
    with one_second_old(here, SHORT_WRITE):
        facts = capture(here, impatient(here.order(lock="Tables"), wait_seconds=20))
        assert not is_old(here, SHORT_WRITE)
    assert facts.proven


def test_a_window_that_waits_for_a_statement_ends_when_nobody_wants_it_any_more(
    here: Local, pool: ThreadPoolExecutor
) -> None:
    order = impatient(here.order(lock="Tables"), wait_seconds=30)
    with one_second_old(here, WRITE):
        others = guests(here)
        with WindowProcess(order) as window:
            answer = pool.submit(window.ready, 30)
            both = "a window's two sessions"
            until(lambda: len(guests(here) - others) == 2, both, seconds=10)
            window.let_go()
            assert answer.result(timeout=10) != Ready()
        until(lambda: guests(here) <= others, "an end of both sessions", seconds=10)


def guests(here: Local) -> set[int]:
    """Return the sessions that came in by TCP and wait for their next statement."""
    with here.database.connect() as root, root.cursor() as cursor:
        cursor.execute("SHOW PROCESSLIST")
        found = cursor.fetchall()
    return {int(row[0]) for row in found if row[4] == "Sleep" and ":" in str(row[2])}


def test_a_session_that_waits_for_a_named_lock_stops_nothing(here: Local) -> None:
    with here.database.connect() as owner, owner.cursor() as cursor:
        cursor.execute("SELECT GET_LOCK('queue', 0)")
        waiting = threading.Thread(target=queue, args=(here,))
        waiting.start()
        try:
            until(lambda: in_process_list(here, "User lock"), "a session that waits", seconds=5)
            assert capture(here, impatient(here.order(lock="Tables"))).proven
        finally:
            cursor.execute("SELECT RELEASE_LOCK('queue')")
            waiting.join()


def queue(here: Local) -> None:
    with closing(here.database.connect()) as session, session.cursor() as cursor:
        cursor.execute("SELECT GET_LOCK('queue', 20)")
