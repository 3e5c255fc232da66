"""The rate limits: a burst of one second's worth, then the rate, an action apart from others."""

import pytest

from disksnapshot.cbs.limits import DEFAULT_PER_SECOND, SHARE, Limits

RATE = DEFAULT_PER_SECOND * SHARE


def test_an_idle_bucket_gives_one_second_s_worth_at_once() -> None:
    limits = Limits()
    assert [limits.take("CreateSnapshot") for _ in range(int(RATE))] == [0.0] * int(RATE)


def test_beyond_that_each_call_waits_for_its_turn() -> None:
    limits = Limits()
    waits = [limits.take("CreateSnapshot") for _ in range(100)]
    assert waits[-1] == pytest.approx(100 / RATE - 1, abs=0.5)
    assert waits == sorted(waits)


def test_many_at_once_wait_for_the_last() -> None:
    assert Limits().take("DescribeSnapshots", 144) == pytest.approx(144 / RATE - 1, abs=0.5)


def test_one_action_s_calls_delay_no_other_s() -> None:
    limits = Limits()
    limits.take("CreateSnapshot", 1000)
    assert limits.take("DescribeSnapshots") == 0.0


def test_what_was_reserved_and_not_used_delays_nobody() -> None:
    limits = Limits()
    limits.take("DescribeSnapshots", 144)
    limits.give_back("DescribeSnapshots", 142)
    assert limits.take("DescribeSnapshots") == 0.0
