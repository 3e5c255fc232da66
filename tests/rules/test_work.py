"""The queue of keys: one thread a key, nothing forgotten, nothing that one key does to others."""

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from disksnapshot.work import STOP_SECONDS, THREADS, Work

PATIENCE = 10


@contextmanager
def running(look: Callable[[str], timedelta | None]) -> Iterator[Work[str]]:
    work = Work(look)
    thread = threading.Thread(target=work.run)
    thread.start()
    work.open()
    try:
        yield work
    finally:
        work.stop()
        thread.join(PATIENCE)
        assert not thread.is_alive()


class Looks:
    """Counts looks, holds them up while told to, and sees two at once."""

    def __init__(self, after: timedelta | None = None) -> None:
        self.count: dict[str, int] = defaultdict(int)
        self.changed = threading.Condition()
        self.may_end = threading.Event()
        self.may_end.set()
        self.twice_at_once = False
        self._busy: set[str] = set()
        self._after = after

    def __call__(self, key: str) -> timedelta | None:
        with self.changed:
            self.twice_at_once |= key in self._busy
            self._busy.add(key)
            self.count[key] += 1
            self.changed.notify_all()
        assert self.may_end.wait(PATIENCE)
        with self.changed:
            self._busy.discard(key)
            self.changed.notify_all()
        return self._after

    def until(self, key: str, count: int) -> bool:
        with self.changed:
            return self.changed.wait_for(lambda: self.count[key] >= count, PATIENCE)

    def idle(self) -> bool:
        with self.changed:
            return self.changed.wait_for(lambda: not self._busy, PATIENCE)


def test_a_key_that_is_added_is_looked_at() -> None:
    looks = Looks()
    with running(looks) as work:
        work.add("a")
        assert looks.until("a", 1)


def test_a_key_added_while_it_is_looked_at_is_looked_at_once_more_and_never_twice_at_once() -> (
    None
):
    looks = Looks()
    looks.may_end.clear()
    with running(looks) as work:
        work.add("a")
        assert looks.until("a", 1)
        for _ in range(5):
            work.add("a")
        work.add("b")  # handed out after the five: so those have come up
        assert looks.until("b", 1)
        looks.may_end.set()
        assert looks.until("a", 2)
        work.add("c")
        assert looks.until("c", 1)
        assert looks.idle()
    assert looks.count["a"] == 2
    assert not looks.twice_at_once


def test_a_busy_key_keeps_no_other_waiting() -> None:
    looks = Looks()
    looks.may_end.clear()
    with running(looks) as work:
        for key in "abcdefgh":
            work.add(key)
        assert all(looks.until(key, 1) for key in "abcdefgh")
        looks.may_end.set()


def test_of_many_keys_at_once_those_come_first_that_were_added_first() -> None:
    looks = Looks()
    looks.may_end.clear()
    keys = [f"key-{number}" for number in range(5 * THREADS)]
    with running(looks) as work:
        work.shut()
        for key in keys:
            work.add(key)
        work.open()
        assert all(looks.until(key, 1) for key in keys[:THREADS])
        assert set(looks.count) == set(keys[:THREADS])
        looks.may_end.set()
        assert all(looks.until(key, 1) for key in keys)


def test_of_several_times_the_earliest_holds_and_only_once() -> None:
    looks = Looks()
    with running(looks) as work:
        work.add("a", 3600)
        work.add("a", 0.05)
        work.add("a", 1800)
        assert looks.until("a", 1)
        work.add("b", 0.05)
        assert looks.until("b", 1)
        assert looks.idle()
    assert looks.count["a"] == 1


def test_a_key_comes_again_after_the_time_that_its_look_says() -> None:
    looks = Looks(after=timedelta(milliseconds=1))
    with running(looks) as work:
        work.add("a")
        assert looks.until("a", 3)


def test_a_time_in_the_past_is_now() -> None:
    looks = Looks(after=timedelta(seconds=-5))
    with running(looks) as work:
        work.add("a")
        assert looks.until("a", 2)


def test_an_error_in_one_key_stops_no_other_and_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    others = Looks()

    def look(key: str) -> timedelta | None:
        if key == "bad":
            raise ValueError("broken")
        return others(key)

    with running(look) as work, caplog.at_level(logging.ERROR):
        work.add("bad")
        work.add("good")
        assert others.until("good", 1)
    assert "bad: unexpected" in caplog.text


def test_a_shut_queue_gathers_keys_and_hands_them_out_once_it_is_opened() -> None:
    looks = Looks()
    with running(looks) as work:
        work.shut()
        for key in "aab":
            work.add(key)
        work.open()
        assert looks.until("a", 1)
        assert looks.until("b", 1)
        work.shut()
        work.add("c")
        work.add("d", 0.01)
        assert looks.idle()
    assert looks.count == {"a": 1, "b": 1}


def test_stopping_waits_for_a_look_that_ends_and_takes_no_new_key() -> None:
    looks = Looks()
    looks.may_end.clear()
    with running(looks) as work:
        work.add("a")
        assert looks.until("a", 1)
        threading.Timer(0.05, looks.may_end.set).start()
        work.stop()
        assert looks.idle()
        work.add("b")
    assert looks.count["b"] == 0


def test_stopping_does_not_wait_for_a_look_that_hangs_beyond_its_bound() -> None:
    looks = Looks()
    looks.may_end.clear()
    work = Work(looks)
    thread = threading.Thread(target=work.run)
    thread.start()
    work.open()
    work.add("a")
    assert looks.until("a", 1)
    started = time.monotonic()
    work.stop()
    assert time.monotonic() - started >= STOP_SECONDS
    looks.may_end.set()
    thread.join(PATIENCE)
