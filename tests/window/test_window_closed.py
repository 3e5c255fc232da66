"""The conversation may end at any moment: nothing stays held, and the facts are true."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from disksnapshot.window.hold import Facts
from lab.cluster.waiting import until
from lab.holding import Holding, assert_free, in_process_list, opened
from lab.local import Local
from lab.writing import Writer


def test_a_conversation_closed_before_go_leaves_nothing_held(here: Local, writer: Writer) -> None:
    with opened(here.order()) as window:
        window.let_go()
        closed_at = time.time_ns()
        assert window.go(here.go(), 5) is None
        assert_free(here, writer, closed_at)
    assert here.control.snapshots() == []


def test_a_conversation_closed_right_after_go_cuts_nothing_and_says_so(
    here: Local, writer: Writer, pool: ThreadPoolExecutor
) -> None:
    with here.database.connect() as other, other.cursor() as cursor:
        cursor.execute("LOCK TABLES held.old WRITE")
        with opened(here.order()) as window:
            answer = pool.submit(window.go, here.go(), 20)
            until(lambda: in_process_list(here, "Waiting for"), "a lock that waits", seconds=5)
            window.let_go()  # between the lock's send and the cut
            cursor.execute("UNLOCK TABLES")
            facts = answer.result()
            assert_free(here, writer, time.time_ns())
    assert isinstance(facts, Facts)
    assert not facts.disks[0].sent
    assert not facts.proven
    assert not facts.cut_while_held
    assert here.control.snapshots() == []


def test_a_cut_that_was_signed_a_minute_ago_touches_nobody(here: Local, writer: Writer) -> None:
    """Its operator was stopped; meanwhile another one may have settled it, and begun anew."""
    with opened(here.order()) as window:
        facts = window.go(here.go(seconds_ago=61), 20)
        assert_free(here, writer, time.time_ns())
    assert isinstance(facts, Facts)
    assert not facts.disks[0].sent
    assert facts.refusal is not None
    assert "within 60 s" in facts.refusal.message
    assert not any(step.held for step in facts.steps)
    assert not any(name in facts.times for name in ("lockSent", "locked", "frozen"))
    assert here.control.snapshots() == []


@pytest.mark.usefixtures("hidden")
def test_a_conversation_closed_after_the_cut_was_sent_frees_writers_at_once_and_says_so(
    here: Local, writer: Writer, pool: ThreadPoolExecutor
) -> None:
    with opened(here.order()) as window:
        answer = Holding(here, window, pool).until_cut(here.go())
        window.let_go()
        closed_at = time.time_ns()
        assert_free(here, writer, closed_at)
        facts = answer.result()
    assert isinstance(facts, Facts)
    assert facts.disks[0].sent
    assert not facts.cut_while_held
    assert not facts.proven
