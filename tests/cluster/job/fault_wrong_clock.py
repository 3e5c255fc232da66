"""The operator's own clock is hours off and is set to and fro: the job is done all the same."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lab.bench.builds import Build
from lab.bench.operating import operating, paused
from lab.demo.shop import Shop
from lab.wrongclock import WrongClock

TOLERANCE = timedelta(seconds=90)


@pytest.fixture
def clock(shop: Shop, tmp_path: Path) -> Iterator[WrongClock]:
    """Let an operator work whose clock is three hours ahead."""
    clock = WrongClock(tmp_path, timedelta(hours=3))
    beside = operating(Build.true(), shop.lab, **clock.environment)
    with paused(shop.lab), beside:
        yield clock


def test_a_snapshot_is_taken_once_and_proven_and_its_times_are_right(
    shop: Shop, clock: WrongClock
) -> None:
    body = shop.snapshot()
    status = shop.ready(body)["status"]
    assert status["consistency"] == "ApplicationConsistent"
    assert len(shop.in_the_cloud(body)) == 1
    told = [status["intent"]["signedTime"], *(status["quiesce"][name] for name in TIMES)]
    for moment in map(datetime.fromisoformat, told):
        assert abs(moment - datetime.now(UTC)) < TOLERANCE
    assert clock.ahead == timedelta(hours=3)


TIMES = ("startedTime", "heldTime", "cutTime", "resumedTime")


def test_a_clock_that_jumps_while_an_answer_is_lost_makes_no_second_snapshot(
    shop: Shop, clock: WrongClock
) -> None:
    lab = shop.lab
    # Listed late: whoever took the request for expired by then would make another one.
    lab.cbs.settings(visibilityDelayMilliseconds=15_000)
    lab.cbs.fault("CreateSnapshot", "ReplyLostAfterAct", times=1)
    body = shop.snapshot()
    shop.apply_until_sent(body)
    shop.until_reason(body, "OutcomeUnknown")
    for hours in (30, 1, 50):
        clock.turn(timedelta(hours=hours))
        assert len(shop.in_the_cloud(body)) <= 1
    status = shop.ready(body)["status"]
    assert status["consistency"] == "Unknown"
    assert status["intent"]["attempt"] == 1
    assert len(shop.in_the_cloud(body)) == 1
