"""Whoever dies or stops in the middle of a hold, writers go on by themselves and nobody lies."""

import multiprocessing
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from disksnapshot.window.hold import Facts, FreezeOrder
from lab.cluster.waiting import until
from lab.freezing import thaw_as_somebody_else
from lab.holding import Holding, assert_free, in_process_list, opened, operate
from lab.local import Local
from lab.writing import AT_ONCE, FileWrite, Writer

SHORT_HOLD = 6


def test_a_window_killed_when_it_is_ready_leaves_nothing_held(here: Local, writer: Writer) -> None:
    with opened(here.order()) as window:
        assert window.pid
        os.kill(window.pid, signal.SIGKILL)
        killed_at = time.time_ns()
        assert window.go(here.go(), 5) is None
        assert_free(here, writer, killed_at)
    assert here.control.snapshots() == []


@pytest.mark.usefixtures("hidden")
def test_a_window_killed_while_it_holds_frees_writers_at_once(
    here: Local, writer: Writer, pool: ThreadPoolExecutor
) -> None:
    with opened(here.order()) as window:
        holding = Holding(here, window, pool)
        answer = holding.until_cut(here.go())
        held_at = time.time_ns()
        assert not FileWrite(here.mount).ended(0.2)
        os.kill(holding.pid, signal.SIGKILL)
        killed_at = time.time_ns()
        assert_free(here, writer, killed_at)
        assert writer.made_between(held_at, killed_at) == []
        assert answer.result() is None


def test_a_window_killed_while_it_waits_for_its_lock_leaves_nothing_held(
    here: Local, writer: Writer, pool: ThreadPoolExecutor
) -> None:
    with here.database.connect() as other, other.cursor() as cursor:
        cursor.execute("SET lock_wait_timeout = 30")
        cursor.execute("LOCK TABLES held.old WRITE")
        with opened(here.order()) as window:
            answer = pool.submit(window.go, here.go(), 20)
            until(lambda: in_process_list(here, "Waiting for"), "a lock that waits", seconds=5)
            assert window.pid
            os.kill(window.pid, signal.SIGKILL)
            killed_at = time.time_ns()
            assert_free(here, writer, killed_at)
            assert answer.result() is None
    assert here.control.snapshots() == []


@pytest.mark.usefixtures("hidden")
def test_a_window_stopped_while_it_holds_frees_writers_by_the_bound_and_is_not_proven(
    here: Local, writer: Writer, pool: ThreadPoolExecutor
) -> None:
    with opened(here.order(max_hold_seconds=SHORT_HOLD)) as window:
        holding = Holding(here, window, pool)
        answer = holding.until_cut(here.go())
        os.kill(holding.pid, signal.SIGSTOP)
        stopped_at = time.time_ns()
        try:
            first = writer.seconds_until_acknowledged(after=stopped_at)
            assert stopped_at / 1e9 + first - holding.sent_at / 1e9 < SHORT_HOLD
            assert FileWrite(here.mount).ended()
        finally:
            os.kill(holding.pid, signal.SIGCONT)
        facts = answer.result()
    assert isinstance(facts, Facts)
    assert not facts.proven
    assert not any(step.proven for step in facts.steps)


def test_a_window_stopped_for_longer_than_its_bound_cuts_nothing_afterwards(
    here: Local, pool: ThreadPoolExecutor
) -> None:
    order = here.order(freeze=False, max_hold_seconds=SHORT_HOLD)
    with opened(order) as window, here.database.connect() as other, other.cursor() as cursor:
        cursor.execute("BACKUP STAGE START")
        answer = pool.submit(window.go, here.go(), 30)
        until(lambda: waits_for_its_lock(here), "the window waits for its lock", seconds=1)
        assert window.pid
        os.kill(window.pid, signal.SIGSTOP)
        cursor.execute("BACKUP STAGE END")
        stopped_at = time.monotonic()
        until(
            lambda: time.monotonic() > stopped_at + SHORT_HOLD, "the bound", seconds=SHORT_HOLD + 1
        )
        os.kill(window.pid, signal.SIGCONT)
        facts = answer.result()
    assert isinstance(facts, Facts)
    assert not facts.proven
    assert not any(disk.sent for disk in facts.disks)
    assert here.control.snapshots() == []


def waits_for_its_lock(here: Local) -> bool:
    with here.database.connect() as session, session.cursor() as cursor:
        return bool(
            cursor.execute(
                "SELECT 1 FROM information_schema.processlist"
                " WHERE info LIKE 'BACKUP STAGE START%' AND state LIKE '%lock%'"
            )
        )


@pytest.mark.usefixtures("hidden", "watcher")
def test_a_freezer_killed_while_frozen_ends_the_hold_and_its_proof(
    here: Local, writer: Writer, pool: ThreadPoolExecutor
) -> None:
    with opened(here.order()) as window:
        holding = Holding(here, window, pool)
        answer = holding.until_cut(here.go())
        os.kill(holding.freezer_pid(), signal.SIGKILL)
        killed_at = time.time_ns()
        assert_free(here, writer, killed_at)
        facts = answer.result()
    assert isinstance(facts, Facts)
    assert not facts.proven
    assert not facts.cut_while_held
    assert facts.steps[1].reason
    assert facts.times["unlocked"] - killed_at < AT_ONCE * 1e9, "the lock outlived the freeze"


@pytest.mark.usefixtures("hidden", "watcher")
def test_a_freezer_killed_after_the_reply_still_ends_the_hold_and_its_proof(
    here: Local, pool: ThreadPoolExecutor
) -> None:
    with opened(here.order()) as window:
        holding = Holding(here, window, pool)
        answer = holding.until_looked_up(here.go())
        os.kill(holding.freezer_pid(), signal.SIGKILL)
        facts = answer.result()
    assert isinstance(facts, Facts)
    assert facts.disks[0].snapshot_id
    assert not facts.cut_while_held
    assert not facts.proven


@pytest.mark.usefixtures("hidden", "watcher")
def test_a_freezer_stopped_while_frozen_is_overruled_within_the_bound(
    here: Local, writer: Writer, pool: ThreadPoolExecutor
) -> None:
    with opened(here.order(max_hold_seconds=SHORT_HOLD)) as window:
        holding = Holding(here, window, pool)
        answer = holding.until_cut(here.go())
        freezer = holding.freezer_pid()
        os.kill(freezer, signal.SIGSTOP)
        stopped_at = time.time_ns()
        try:
            first = writer.seconds_until_acknowledged(after=stopped_at)
            assert stopped_at / 1e9 + first - holding.sent_at / 1e9 < SHORT_HOLD
            facts = answer.result()
        finally:
            os.kill(freezer, signal.SIGCONT)
    assert isinstance(facts, Facts)
    assert not facts.proven


@pytest.mark.usefixtures("hidden")
def test_a_database_session_killed_in_the_hold_is_not_proven(
    here: Local, writer: Writer, pool: ThreadPoolExecutor
) -> None:
    with opened(here.order(freeze=False, max_hold_seconds=SHORT_HOLD)) as window:
        answer = Holding(here, window, pool).until_cut(here.go())
        with here.database.connect() as session, session.cursor() as cursor:
            cursor.execute("SELECT IS_USED_LOCK('disksnapshot.io/hold')")
            [owner] = cursor.fetchone() or (None,)
            cursor.execute(f"KILL {owner}")
        assert_free(here, writer, time.time_ns())
        facts = answer.result()
    assert isinstance(facts, Facts)
    assert not facts.proven
    assert "session was lost" in facts.steps[0].reason


@pytest.mark.usefixtures("hidden")
def test_a_database_that_hangs_in_the_hold_keeps_no_file_system_frozen_and_is_not_proven(
    here: Local, pool: ThreadPoolExecutor
) -> None:
    with opened(here.order(max_hold_seconds=SHORT_HOLD)) as window:
        holding = Holding(here, window, pool)
        answer = holding.until_cut(here.go())
        assert here.database.pid
        os.kill(here.database.pid, signal.SIGSTOP)
        try:
            assert FileWrite(here.mount).ended(SHORT_HOLD)
            assert time.time_ns() - holding.sent_at < SHORT_HOLD * 1e9
            facts = answer.result()
        finally:
            os.kill(here.database.pid, signal.SIGCONT)
    assert isinstance(facts, Facts)
    assert not facts.proven
    assert not facts.steps[0].proven


@pytest.mark.usefixtures("hidden")
def test_a_thaw_by_somebody_else_in_the_hold_is_not_proven(
    here: Local, pool: ThreadPoolExecutor
) -> None:
    with opened(here.order(max_hold_seconds=SHORT_HOLD)) as window:
        answer = Holding(here, window, pool).until_cut(here.go())
        assert thaw_as_somebody_else(here.mount)
        facts = answer.result()
    assert isinstance(facts, Facts)
    assert not facts.proven
    assert "somebody else" in facts.steps[1].reason


@pytest.mark.usefixtures("hidden", "watcher")
def test_a_freezer_killed_on_one_node_frees_the_other_node_at_once(
    here: Local, other_mount: Path, pool: ThreadPoolExecutor
) -> None:
    order = here.order(mysql=False)
    [freeze] = order.steps
    assert isinstance(freeze, FreezeOrder)
    second = replace(freeze.targets[0], argv=tuple(here.freezer(other_mount)))
    both = replace(freeze, targets=(*freeze.targets, second))
    with opened(replace(order, steps=(both,))) as window:
        holding = Holding(here, window, pool)
        answer = holding.until_cut(here.go())
        os.kill(holding.freezer_pid(), signal.SIGKILL)
        assert FileWrite(other_mount).ended()
        facts = answer.result()
    assert isinstance(facts, Facts)
    assert not facts.proven


@pytest.mark.usefixtures("hidden")
def test_an_operator_killed_while_its_window_holds_frees_writers_at_once(
    here: Local, writer: Writer
) -> None:
    _, since = here.control.calls()
    here.control.fault("CreateSnapshot", "ReplyLostAfterAct")
    operator = multiprocessing.get_context("spawn").Process(
        target=operate, args=(here.order(), here.go())
    )
    operator.start()
    here.control.wait_call("CreateSnapshot", since)
    held_at = time.time_ns()
    assert not FileWrite(here.mount).ended(0.2)
    operator.kill()
    killed_at = time.time_ns()
    assert_free(here, writer, killed_at)
    assert writer.made_between(held_at, killed_at) == []
    operator.join()
    operator.close()
