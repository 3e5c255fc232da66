"""The bound of a hold, shared out so that what was held last is let go first."""

import time

from disksnapshot.window.clock import HoldClock, Timeline


def clock(seconds: int = 10) -> HoldClock:
    clock = HoldClock(seconds, Timeline())
    clock.sent()
    return clock


def test_a_guard_begins_early_enough_for_its_release_to_end_within_the_bound() -> None:
    assert clock(10).guard_seconds(1) == 8  # whole seconds, and some time has passed
    assert clock(10).guard_seconds(5) == 4


def test_a_guard_lets_go_before_the_lock_that_was_taken_first() -> None:
    locked = clock(10)
    locked.locked(6.5)
    assert locked.guard_seconds(1) == 6


def test_a_guard_lets_go_before_the_guard_that_was_told_first() -> None:
    guarded = clock(10)
    guarded.guarded(5)
    assert guarded.guard_seconds(1) == 4


def test_the_cut_ends_before_the_first_guard_lets_go_by_itself() -> None:
    guarded = clock(10)
    guarded.guarded(5)
    guarded.guarded(4)
    assert 3.5 < guarded.cut_ends_at - time.monotonic() < 4


def test_a_lock_keeps_its_margin_for_the_proof_whatever_a_guard_is_told() -> None:
    both = clock(10)
    both.locked(4)
    both.guarded(3.9)
    assert both.left() < 3


def test_every_moment_is_told_by_the_clock_that_is_named_also_those_noted_before() -> None:
    timeline = Timeline()
    timeline.mark("ready")
    timeline.count_from(10**18 - time.monotonic_ns())
    timeline.mark("cutSent")
    assert [abs(moment - 10**18) < 10**9 for moment in timeline.times.values()] == [True, True]
    assert timeline.times["ready"] <= timeline.times["cutSent"]
