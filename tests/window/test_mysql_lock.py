"""The database's lock: refused clearly before anything is held, or within its budget."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from disksnapshot.window.hold import LOCK_BUDGET_SECONDS, Facts, Ready
from disksnapshot.window.launch import WindowProcess
from lab.cluster.waiting import until
from lab.database import LocalServer
from lab.demo.copy import mounted_clone
from lab.holding import assert_not_held, capture, in_process_list, opened
from lab.local import Local
from lab.statements import SLOW_INNODB_INSERT, SLOW_OLD_UPDATE, long_statement
from lab.writing import AT_ONCE, FileWrite, Writer


@pytest.fixture(scope="module", params=["mariadb", "mysql"])
def running(request: pytest.FixtureRequest) -> Local:
    server: Local = request.getfixturevalue(request.param)
    return server


def test_a_lock_that_is_refused_by_a_long_statement_gives_up_in_its_budget(
    here: Local, writer: Writer
) -> None:
    with long_statement(here.database, SLOW_OLD_UPDATE):
        sent_at = time.monotonic()
        facts = capture(here, here.order())
        assert time.monotonic() - sent_at < LOCK_BUDGET_SECONDS + 2
        assert facts.refusal
        assert facts.refusal.reason == "LockTimeout"
        assert writer.seconds_until_acknowledged(after=time.time_ns()) < AT_ONCE
        assert FileWrite(here.mount).ended()
        assert_not_held(here)
    assert not facts.disks[0].sent
    assert not facts.proven
    assert here.control.snapshots() == []


def test_no_freezer_goes_on_after_a_lock_was_refused(here: Local) -> None:
    with long_statement(here.database, SLOW_OLD_UPDATE), WindowProcess(here.order()) as window:
        assert window.ready(20) == Ready()
        facts = window.go(here.go(), 20)
        assert isinstance(facts, Facts)
        assert facts.refusal
        # The window lives still, and has given the disk back: the next session may claim it.
        with WindowProcess(here.order(mysql=False)) as next_window:
            assert next_window.ready(20) == Ready()


def test_the_tables_lock_waits_for_a_long_statement_no_longer_than_its_budget(
    here: Local, writer: Writer
) -> None:
    with long_statement(here.database, SLOW_INNODB_INSERT):
        sent_at = time.monotonic()
        facts = capture(here, here.order(lock="Tables", freeze=False))
        assert time.monotonic() - sent_at < LOCK_BUDGET_SECONDS + 2
        assert facts.refusal
        assert facts.refusal.reason == "LockTimeout"
        assert writer.seconds_until_acknowledged(after=time.time_ns()) < AT_ONCE
        assert_not_held(here)


def test_an_idle_open_transaction_is_no_obstacle(here: Local) -> None:
    with here.database.connect() as other, other.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("INSERT INTO held.rows VALUES ()")
        assert capture(here, here.order()).proven
        cursor.execute("ROLLBACK")


def test_a_prepared_transaction_is_no_obstacle_and_is_in_the_copy(
    here: Local, tmp_path: Path
) -> None:
    with here.database.connect() as other, other.cursor() as cursor:
        for words in ("START", "END", "PREPARE"):
            cursor.execute(f"XA {words} 'of-the-test'")
            if words == "START":
                cursor.execute("INSERT INTO held.rows VALUES ()")
        assert capture(here, here.order()).proven
        cursor.execute("XA ROLLBACK 'of-the-test'")
    assert prepared_in_the_copy(here, tmp_path) == ["of-the-test"]


def prepared_in_the_copy(here: Local, run: Path) -> list[str]:
    """Start the server on a copy of the newest snapshot, and ask it."""
    [snapshot] = here.control.snapshots()
    scratch = here.folder / "store" / "scratch"
    with (
        mounted_clone(Path(snapshot["path"]), scratch) as root,
        LocalServer(
            root / "data",
            run,
            password=here.database.password,
            programs=here.database.programs,
        ) as server,
        server.connect() as session,
        session.cursor() as cursor,
    ):
        cursor.execute("XA RECOVER")
        names = [row[3] for row in cursor.fetchall()]
    return [name.decode() if isinstance(name, bytes) else name for name in names]


def test_the_tables_lock_is_flush_tables_with_read_lock(here: Local) -> None:
    with here.database.connect() as session, session.cursor() as cursor:
        cursor.execute("SHOW GLOBAL STATUS LIKE 'Com_flush'")
        [_, before] = cursor.fetchone() or ("", "0")
        facts = capture(here, here.order(lock="Tables"))
        cursor.execute("SHOW GLOBAL STATUS LIKE 'Com_flush'")
        [_, after] = cursor.fetchone() or ("", "0")
        cursor.execute("SHOW GLOBAL STATUS LIKE 'Com_backup'")
    assert facts.proven
    # Engine logs when it got ready and under the lock, and the tables themselves.
    assert int(after) - int(before) == 3


def test_a_hold_leaves_the_binlog_alone(here: Local) -> None:
    first = capture(here, here.order()).steps[0].detail
    second = capture(here, here.order(lock="Tables")).steps[0].detail
    assert first["binlogPosition"] == second["binlogPosition"]


def test_a_server_with_a_short_idle_limit_keeps_a_window_that_waits_for_its_intent(
    here: Local,
) -> None:
    with here.database.connect() as session, session.cursor() as cursor:
        cursor.execute("SET GLOBAL wait_timeout = 1")
        try:
            with opened(here.order()) as window, here.database.connect() as idle:
                number = idle.thread_id()  # type: ignore[no-untyped-call]  # half typed
                ended = "SELECT COUNT(*) = 0 FROM information_schema.PROCESSLIST WHERE ID = %s"
                until(lambda: _true(cursor, ended, number), "an idle session's end", seconds=5)
                facts = window.go(here.go(), 20)
        finally:
            cursor.execute("SET GLOBAL wait_timeout = DEFAULT")
    assert isinstance(facts, Facts)
    assert facts.proven


def test_a_session_lost_while_it_waits_for_its_lock_is_not_called_a_timeout(
    here: Local, pool: ThreadPoolExecutor
) -> None:
    with long_statement(here.database, SLOW_OLD_UPDATE), opened(here.order()) as window:
        answer = pool.submit(window.go, here.go(), 20)
        until(lambda: in_process_list(here, "Waiting for"), "a lock that waits", seconds=5)
        with here.database.connect() as session, session.cursor() as cursor:
            cursor.execute("SELECT IS_USED_LOCK('disksnapshot.io/hold')")
            cursor.execute("KILL %s", cursor.fetchone())
        facts = answer.result()
        assert_not_held(here)
    assert isinstance(facts, Facts)
    assert facts.refusal
    assert facts.refusal.reason == "MySQLUnreachable"


def _true(cursor: Any, question: str, *arguments: object) -> bool:
    cursor.execute(question, arguments)
    return bool(cursor.fetchone() == (1,))
