"""The rate limits: a burst of one second's worth, then the rate, and slower when told so."""

import contextlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from disksnapshot.cbs.calls import CloudProblem
from disksnapshot.cbs.client import Cloud
from disksnapshot.cbs.limits import (
    DEFAULT_PER_SECOND,
    PAUSE_SECONDS,
    RECOVERY_SECONDS,
    SHARE,
    SLOWEST,
    Bucket,
    Limits,
)
from lab.cbs.control import Control
from lab.cbs.server import Emulator

pytestmark = pytest.mark.filterwarnings("ignore:.* fileds are useless:UserWarning")
RATE = DEFAULT_PER_SECOND * SHARE
PATIENCE = 20


def bucket() -> Bucket:
    return Bucket(RATE, 0.0)


def made(limit: Bucket, since: float, until: float) -> int:
    """Make calls as fast as it lets us, one after the other; return how many that were."""
    now, count = since, 0
    while (now := now + limit.ready_in(1, now)) < until:
        limit.spend(1, now)
        count += 1
        now += 1e-9  # what a float adds to a time must not look like a wait
    return count


def test_an_idle_bucket_gives_one_second_s_worth_at_once_and_then_its_rate() -> None:
    assert made(bucket(), 0.0, 10.0) == pytest.approx(RATE + 10 * RATE, abs=2)


def test_it_never_gives_more_than_the_cloud_takes_in_any_second() -> None:
    limit = bucket()
    made(limit, 0.0, 10.0)
    assert made(limit, 10.0, 11.0) <= DEFAULT_PER_SECOND


def test_many_at_once_need_a_full_bucket_and_those_after_them_pay() -> None:
    limit = bucket()
    assert limit.ready_in(144, 0.0) == 0.0
    limit.spend(144, 0.0)
    assert limit.ready_in(1, 0.0) == pytest.approx((144 - RATE + 1) / RATE)


def test_what_was_reserved_and_not_used_delays_nobody() -> None:
    limit = bucket()
    limit.spend(144, 0.0)
    limit.refund(142)
    assert limit.ready_in(16, 0.0) == 0.0


def test_more_than_full_is_never_given_back() -> None:
    limit = bucket()
    limit.refund(1000)
    assert limit.ready_in(int(RATE), 0.0) == 0.0
    limit.spend(int(RATE), 0.0)
    assert limit.ready_in(1, 0.0) > 0


def test_a_throttle_answer_pauses_all_and_halves_the_rate() -> None:
    limit = bucket()
    limit.slow_down(0.0)
    assert limit.ready_in(1, 0.0) >= PAUSE_SECONDS
    assert limit.rate(0.0) == RATE / 2


def test_many_throttle_answers_of_one_second_count_as_one() -> None:
    limit = bucket()
    for moment in (0.0, 0.1, 0.2):
        limit.slow_down(moment)
    assert limit.rate(0.2) > RATE / 2


def test_it_recovers_by_itself_and_never_stops() -> None:
    limit = bucket()
    for moment in range(100):
        limit.slow_down(moment * 2.0)
    assert limit.rate(198.0) == pytest.approx(RATE * SLOWEST)
    assert limit.rate(198.0 + 4 * RECOVERY_SECONDS) == pytest.approx(RATE)
    assert limit.rate(1e6) == RATE


def hurry(ours: Cloud, threads: int, calls: int) -> None:
    """Call from many threads at once, each as fast as it may."""

    def call() -> None:
        for _ in range(calls):
            with contextlib.suppress(CloudProblem):  # a throttle
                ours.snapshots([])

    running = [threading.Thread(target=call) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(PATIENCE)


def throttled(control: Control) -> int:
    calls, _ = control.calls()
    return sum(call["code"] == "RequestLimitExceeded" for call in calls)


def test_many_threads_together_stay_below_what_the_cloud_takes(
    ours: Cloud, control: Control
) -> None:
    control.settings(callsPerSecond=20)
    hurry(ours, threads=8, calls=8)
    assert throttled(control) == 0


def test_an_account_whose_rate_others_use_up_is_asked_more_slowly_after_the_first_answers(
    ours: Cloud, control: Control
) -> None:
    control.settings(callsPerSecond=5)
    hurry(ours, threads=8, calls=3)
    at_first = throttled(control)
    assert 0 < at_first <= 20, "one second's worth, and what was on its way"
    hurry(ours, threads=8, calls=1)
    assert throttled(control) - at_first <= 4


def test_many_who_look_for_busy_disks_while_the_rate_is_used_up_share_their_calls(
    ours: Cloud, control: Control
) -> None:
    disks = [f"disk-{number:08}" for number in range(40)]
    ours.limits.wait("DescribeSnapshots", 36)  # a second's worth more than there is
    with ThreadPoolExecutor(len(disks)) as pool:
        assert list(pool.map(lambda disk: ours.in_creation([disk]), disks)) == [{}] * len(disks)
    calls, _ = control.calls()
    assert len(calls) <= 8
    asked = [call["params"]["Filters"][0]["Values"] for call in calls]
    assert sorted(disk for each in asked for disk in each) == disks


@pytest.fixture
def ours(emulator: Emulator, files: Any, sdk: Any) -> Cloud:
    return Cloud(sdk.credential, "ap-guangzhou", emulator.endpoint, str(files.ca), Limits())


def test_one_action_s_calls_delay_no_other_s() -> None:
    limits = Limits()
    limits.wait("CreateSnapshot", 1000)
    started = time.monotonic()
    limits.wait("DescribeSnapshots")
    assert time.monotonic() - started < 1


def waiting(limits: Limits, count: int) -> threading.Thread:
    thread = threading.Thread(target=limits.wait, args=("CreateSnapshot", count))
    thread.start()
    return thread


def test_who_waits_goes_on_at_once_when_others_give_back() -> None:
    limits = Limits()
    limits.wait("CreateSnapshot", 1000)
    thread = waiting(limits, 9)
    limits.give_back("CreateSnapshot", 1000)
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_a_throttle_of_the_whole_account_slows_every_action() -> None:
    now = 0.0
    limits = Limits(lambda: now)
    limits.wait("CreateSnapshot")
    limits.wait("DescribeSnapshots")
    limits.slow_down("DescribeSnapshots", whole_account=True)
    thread = waiting(limits, 1)
    thread.join(0.1)
    assert thread.is_alive()
    now = 60.0
    limits.give_back("CreateSnapshot", 0)  # wakes it: the clock here is none that it could watch
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_a_great_count_is_not_kept_waiting_by_small_ones_that_come_later() -> None:
    now = 0.0
    limits = Limits(lambda: now)
    limits.wait("CreateSnapshot", int(RATE))
    great = waiting(limits, 144)
    great.join(0.05)
    small = waiting(limits, 1)
    small.join(0.05)
    now = 1.0
    limits.give_back("CreateSnapshot", 0)
    great.join(PATIENCE)
    assert (great.is_alive(), small.is_alive()) == (False, True)
    now = 60.0
    limits.give_back("CreateSnapshot", 0)
    small.join(PATIENCE)
    assert not small.is_alive()
