"""What is said of a held server: position and tables; and logs that lie on the frozen disk."""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from disksnapshot.window.hold import Facts, Ready, Refusal
from disksnapshot.window.launch import WindowProcess
from lab.holding import Holding, capture, opened
from lab.local import Local
from lab.writing import Writer


@pytest.fixture(scope="module", params=["mariadb", "mysql"])
def running(request: pytest.FixtureRequest) -> Local:
    server: Local = request.getfixturevalue(request.param)
    return server


@contextmanager
def set_globally(here: Local, **settings: str) -> Iterator[None]:
    with here.database.connect() as root, root.cursor() as cursor:
        usual = {}
        for name, value in settings.items():
            cursor.execute(f"SELECT @@global.{name}")
            (usual[name],) = cursor.fetchone() or ("",)
            cursor.execute(f"SET GLOBAL {name} = {value}")
        try:
            yield
        finally:
            for name, value in reversed(usual.items()):
                cursor.execute(f"SET GLOBAL {name} = %s", (value,))


@pytest.mark.parametrize("lock", ["Auto", "Tables"])
def test_the_position_and_the_gtid_are_those_of_the_hold(
    here: Local, writer: Writer, lock: str
) -> None:
    facts = capture(here, here.order(lock=lock))
    writer.seconds_until_acknowledged(after=facts.times["unlocked"])
    said = facts.steps[0].detail
    with here.database.connect() as root, root.cursor() as cursor:
        maria = here.database.programs.name == "mariadb"
        cursor.execute(f"SHOW BINLOG EVENTS IN '{said['binlogFile']}'")
        ends = {row[4]: row[5] for row in cursor.fetchall()}
        # A whole number of transactions: the log has an event that ends just there.
        assert said["binlogPosition"] in ends
        now = "@@gtid_binlog_pos" if maria else "@@global.gtid_executed"
        cursor.execute(f"SELECT {now}")
        (later,) = cursor.fetchone() or ("",)
    assert said["gtid"]
    assert said["gtid"] != later


def test_tables_that_a_crash_can_damage_are_counted(here: Local) -> None:
    with here.database.connect() as root, root.cursor() as cursor:
        cursor.execute("CREATE TABLE held.older (n INT) ENGINE=MyISAM")
        cursor.execute("CREATE TABLE held.fleeting (n INT) ENGINE=MEMORY")
        try:
            facts = capture(here, here.order())
        finally:
            cursor.execute("DROP TABLE held.older, held.fleeting")
    assert facts.steps[0].detail["nonTransactionalTables"] == 2


def test_a_second_hold_of_the_same_server_is_busy_until_the_first_ends(here: Local) -> None:
    with WindowProcess(here.order(freeze=False)) as first:
        assert first.ready(20) == Ready()
        with WindowProcess(here.order(freeze=False)) as second:
            refused = second.ready(20)
    assert isinstance(refused, Refusal)
    assert refused.reason == "HoldBusy"
    assert capture(here, here.order(freeze=False)).proven


@pytest.mark.parametrize("output", ["FILE", "TABLE"])
def test_general_and_slow_log_on_the_frozen_disk_are_no_obstacle(
    here: Local, writer: Writer, output: str
) -> None:
    settings = {"general_log_file": f"'{here.mount}/general.log'"}
    settings |= {"slow_query_log_file": f"'{here.mount}/slow.log'", "long_query_time": "0"}
    settings |= {"log_output": f"'{output}'", "general_log": "1", "slow_query_log": "1"}
    with set_globally(here, **settings):
        here.control.settings(replyDelayMilliseconds=300)
        facts = capture(here, here.order())
    assert facts.proven
    assert writer.made_between(facts.times["frozen"], facts.times["thawed"]) == []


@pytest.fixture
def logging_there(here: Local) -> Iterator[Local]:
    """Let the server write its error log to the disk that is frozen."""
    usual = here.database.options
    here.database.stop()
    here.database.options = [*usual, f"--log-error={here.mount}/error.log"]
    here.database.start()
    yield here
    here.database.stop()
    here.database.options = usual
    here.database.start()


@pytest.mark.usefixtures("hidden")
def test_an_error_log_on_the_frozen_disk_keeps_no_writer_beyond_the_bound(
    logging_there: Local, pool: ThreadPoolExecutor
) -> None:
    here = logging_there
    assert (here.mount / "error.log").exists()
    with Writer(here.database) as writer, opened(here.order(max_hold_seconds=5)) as window:
        holding = Holding(here, window, pool)
        answer = holding.until_cut(here.go())
        os.kill(holding.pid, signal.SIGSTOP)
        stopped_at = time.time_ns()
        try:
            waited = writer.seconds_until_acknowledged(after=stopped_at)
            assert (stopped_at - holding.sent_at) / 1e9 + waited < 5
        finally:
            os.kill(holding.pid, signal.SIGCONT)
        facts = answer.result()
    assert isinstance(facts, Facts)
    assert not facts.proven
    here.control.settings(visibilityDelayMilliseconds=20)
    assert capture(here, here.order()).proven
