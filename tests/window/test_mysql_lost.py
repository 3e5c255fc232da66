"""The way to the server breaks, or the server ends: no false proof, and nothing stays locked."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise

import pytest

from disksnapshot.window.hold import LOCK_BUDGET_SECONDS, Facts, Order
from lab.cluster.waiting import until
from lab.holding import Answer, Holding, assert_not_held, in_process_list, opened, with_mysql
from lab.local import Local
from lab.proxy import Link, Proxy
from lab.statements import SLOW_OLD_UPDATE, long_statement
from lab.writing import AT_ONCE, FileWrite, Writer

SHORT_HOLD = 5
LOCK = b"FLUSH TABLES WITH READ LOCK"
UNLOCK = b"UNLOCK TABLES"


@pytest.fixture(scope="module", params=["mariadb", "mysql"])
def running(request: pytest.FixtureRequest) -> Local:
    server: Local = request.getfixturevalue(request.param)
    return server


@pytest.fixture
def between(here: Local) -> Iterator[Proxy]:
    """Give what stands between the window and the server."""
    with Proxy(here.database.port) as proxy:
        yield proxy


def order(here: Local, between: Proxy, *, freeze: bool = True, hold: int = SHORT_HOLD) -> Order:
    asked = here.order(lock="Tables", freeze=freeze, max_hold_seconds=hold)
    return with_mysql(asked, port=between.port)


def unproven(answer: "Future[Answer]") -> Facts:
    facts = answer.result()
    assert isinstance(facts, Facts)
    assert not facts.steps[0].proven
    assert not facts.proven
    return facts


def assert_no_lock_waits(here: Local, seconds: float = 1) -> None:
    until(lambda: not in_process_list(here, "Waiting for"), "no lock that waits", seconds=seconds)


def test_a_way_that_breaks_before_the_lock_cuts_nothing(here: Local, between: Proxy) -> None:
    with opened(order(here, between)) as window:
        between.drop()
        facts = window.go(here.go(), 20)
    assert isinstance(facts, Facts)
    assert facts.refusal
    assert facts.refusal.reason == "MySQLUnreachable"
    assert not facts.disks[0].sent
    assert_not_held(here)
    assert here.control.snapshots() == []


def test_a_way_that_breaks_while_the_lock_waits_leaves_none_waiting(
    here: Local, between: Proxy, pool: ThreadPoolExecutor
) -> None:
    with long_statement(here.database, SLOW_OLD_UPDATE), opened(order(here, between)) as window:
        answer = pool.submit(window.go, here.go(), 20)
        until(lambda: in_process_list(here, "Waiting for"), "a lock that waits", seconds=5)
        between.drop()
        facts = unproven(answer)
        assert_no_lock_waits(here, LOCK_BUDGET_SECONDS)
        assert_not_held(here)
    assert not facts.disks[0].sent


def test_a_lock_whose_reply_is_lost_is_killed_within_its_budget_by_the_same_account(
    here: Local, between: Proxy, writer: Writer, account: Callable[..., tuple[str, str]]
) -> None:
    maria = here.database.programs.name == "mariadb"
    right = "BINLOG MONITOR" if maria else "REPLICATION CLIENT"
    user, password = account("least", f"RELOAD, {right}, PROCESS")
    # The server grants it at once, and nobody on our side learns of it.
    between.after(LOCK, lambda link: link.silent.set())
    asked = with_mysql(order(here, between), username=user, password=password)
    with opened(asked) as window:
        sent_at = time.time_ns()
        facts = window.go(here.go(), 20)
    assert isinstance(facts, Facts)
    assert facts.refusal
    assert facts.refusal.reason == "LockTimeout"
    assert not facts.disks[0].sent
    assert longest_pause(writer, since=sent_at) < LOCK_BUDGET_SECONDS + 0.5
    assert_not_held(here)
    assert_no_lock_waits(here)


def test_a_way_that_falls_silent_as_the_lock_is_sent_frees_writers_by_the_bound(
    here: Local, between: Proxy, writer: Writer
) -> None:
    # Nobody can kill it then: the server ends the session, as it was told before the lock.
    between.after(LOCK, lambda _: between.pause())
    with opened(order(here, between, freeze=False)) as window:
        sent_at = time.time_ns()
        facts = window.go(here.go(), 20)
    assert isinstance(facts, Facts)
    assert facts.refusal
    assert not facts.disks[0].sent
    assert longest_pause(writer, since=sent_at) < SHORT_HOLD
    assert_not_held(here)


def longest_pause(writer: Writer, since: int) -> float:
    writer.seconds_until_acknowledged(after=time.time_ns())
    ends = [insert.acknowledged for insert in writer.inserts if insert.acknowledged > since]
    return max(after - before for before, after in pairwise(ends)) / 1e9


@pytest.mark.usefixtures("hidden")
def test_a_way_that_breaks_under_the_lock_frees_writers_at_once_and_proves_nothing(
    here: Local, between: Proxy, writer: Writer, pool: ThreadPoolExecutor
) -> None:
    with opened(order(here, between, freeze=False)) as window:
        answer = Holding(here, window, pool).until_cut(here.go())
        between.drop()
        assert writer.seconds_until_acknowledged(after=time.time_ns()) < AT_ONCE
        window.let_go()
        facts = unproven(answer)
    assert "session was lost" in facts.steps[0].reason


@pytest.mark.usefixtures("hidden")
def test_a_way_that_falls_silent_under_the_lock_frees_writers_by_the_bound(
    here: Local, between: Proxy, writer: Writer, pool: ThreadPoolExecutor
) -> None:
    with opened(order(here, between)) as window:
        holding = Holding(here, window, pool)
        answer = holding.until_cut(here.go())
        silent_at = time.time_ns()
        between.pause()
        waited = writer.seconds_until_acknowledged(after=silent_at)
        assert (silent_at - holding.sent_at) / 1e9 + waited < SHORT_HOLD
        assert FileWrite(here.mount).ended()
        unproven(answer)


def test_a_way_that_breaks_at_the_unlock_proves_nothing_and_frees_writers(
    here: Local, between: Proxy, writer: Writer
) -> None:
    between.before(UNLOCK, Link.close)
    with opened(order(here, between)) as window:
        facts = window.go(here.go(), 20)
        assert writer.seconds_until_acknowledged(after=time.time_ns()) < AT_ONCE
    assert isinstance(facts, Facts)
    assert facts.disks[0].snapshot_id
    assert not facts.proven


@pytest.mark.usefixtures("hidden")
def test_a_session_that_somebody_kills_under_the_lock_proves_nothing(
    here: Local, between: Proxy, writer: Writer, pool: ThreadPoolExecutor
) -> None:
    with opened(order(here, between)) as window:
        answer = Holding(here, window, pool).until_cut(here.go())
        with here.database.connect() as root, root.cursor() as cursor:
            cursor.execute("SELECT IS_USED_LOCK('disksnapshot.io/hold')")
            cursor.execute("KILL %s", cursor.fetchone())
        window.let_go()
        unproven(answer)
    assert writer.seconds_until_acknowledged(after=time.time_ns()) < AT_ONCE


@pytest.mark.usefixtures("hidden")
def test_a_server_that_restarts_under_the_lock_proves_nothing_and_comes_up_free(
    here: Local, between: Proxy, pool: ThreadPoolExecutor
) -> None:
    with opened(order(here, between, freeze=False, hold=20)) as window:
        answer = Holding(here, window, pool).until_cut(here.go())
        here.database.kill()
        here.database.start()
        window.let_go()
        unproven(answer)
    assert_not_held(here)


@pytest.mark.usefixtures("hidden")
def test_a_stopped_window_frees_writers_by_the_bound(
    here: Local, between: Proxy, writer: Writer, pool: ThreadPoolExecutor
) -> None:
    with opened(order(here, between)) as window:
        holding = Holding(here, window, pool)
        answer = holding.until_cut(here.go())
        os.kill(holding.pid, signal.SIGSTOP)
        stopped_at = time.time_ns()
        try:
            waited = writer.seconds_until_acknowledged(after=stopped_at)
            assert (stopped_at - holding.sent_at) / 1e9 + waited < SHORT_HOLD
        finally:
            os.kill(holding.pid, signal.SIGCONT)
        unproven(answer)


def test_the_locks_session_says_nothing_between_the_lock_and_the_thaw(here: Local) -> None:
    # Any statement would let the server's clock for the session begin anew.
    log = here.folder / "run" / f"general-{time.time_ns()}.log"
    with here.database.connect() as root, root.cursor() as cursor:
        cursor.execute(f"SET GLOBAL general_log_file = '{log}'")
        cursor.execute("SET GLOBAL general_log = 1")
        try:
            with opened(here.order(lock="Tables")) as window:
                facts = window.go(here.go(), 20)
        finally:
            cursor.execute("SET GLOBAL general_log = 0")
    assert isinstance(facts, Facts)
    number = facts.steps[0].detail["connectionID"]
    said = [
        line.split("Query\t")[1]
        for line in log.read_text().splitlines()
        if f"{number} Query" in line
    ]
    place = said.index(LOCK.decode())
    assert said[place - 1 : place + 2] == [
        "SET SESSION wait_timeout = 7",
        LOCK.decode(),
        "SET SESSION wait_timeout = 1",
    ]
