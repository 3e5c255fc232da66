"""When temporary keys are renewed, who waits for that, and what happens when it fails."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from disksnapshot.cbs.temporary import (
    OUTLIVE_SECONDS,
    RENEW_SECONDS,
    TemporaryCredential,
    TemporaryKeys,
)
from disksnapshot.errors import CloudUnavailable
from lab.cluster.waiting import until

CANARY = "canary-of-the-keys"
LONG = 7200.0


class Source:
    """Gives keys that are good for `life` from now; can be made to fail, or to take its time."""

    def __init__(self) -> None:
        self.now = 1_000_000.0
        self.ahead = 0.0  # of the clock that keys are judged by
        self.life = LONG
        self.fails = ""
        self.gate = threading.Event()
        self.gate.set()
        self.fetches = 0
        self.at_once = 0
        self._under_way = 0
        self._lock = threading.Lock()

    def fetch(self) -> TemporaryKeys:
        with self._lock:
            self.fetches += 1
            number = self.fetches
            self._under_way += 1
            self.at_once = max(self.at_once, self._under_way)
        try:
            self.gate.wait(20)
            if self.fails:
                raise CloudUnavailable(self.fails)
            return TemporaryKeys(
                secret_id=f"id-{number}",
                secret_key=CANARY,
                token=CANARY,
                expires=self.now + self.life,
            )
        finally:
            with self._lock:
                self._under_way -= 1

    def credential(self, wait_seconds: float = 10.0) -> TemporaryCredential:
        def told() -> datetime:
            return datetime.fromtimestamp(self.now + self.ahead, UTC)

        return TemporaryCredential("the source", self.fetch, told, wait_seconds, lambda: self.now)


@pytest.fixture
def source() -> Iterator[Source]:
    made = Source()
    yield made
    made.gate.set()


def used(credential: Any) -> str:
    return str(credential.get_credential_info()[0])


def soon(condition: Callable[[], bool], what: str) -> None:
    until(condition, what, seconds=10)


def test_nothing_is_fetched_before_somebody_asks(source: Source) -> None:
    source.credential()
    assert source.fetches == 0


def test_keys_that_outlive_a_request_are_used_again(source: Source) -> None:
    credential = source.credential()
    assert [used(credential) for _ in range(3)] == ["id-1"] * 3
    source.now += LONG - RENEW_SECONDS - 1
    assert (used(credential), source.fetches) == ("id-1", 1)


def test_keys_are_renewed_in_time_while_nobody_waits(source: Source) -> None:
    credential = source.credential()
    used(credential)
    source.now += LONG - RENEW_SECONDS + 1
    source.gate.clear()
    assert used(credential) == "id-1"  # the fetch hangs, and this came back all the same
    source.gate.set()
    soon(lambda: used(credential) == "id-2", "the new keys")


def test_keys_that_would_end_before_a_signed_request_are_renewed_first(source: Source) -> None:
    credential = source.credential()
    used(credential)
    source.now += LONG - OUTLIVE_SECONDS + 1
    assert used(credential) == "id-2"


def test_a_renewal_that_fails_leaves_keys_that_are_still_good(source: Source) -> None:
    credential = source.credential()
    used(credential)
    source.now += LONG - 1
    source.fails = "no answer"
    assert used(credential) == "id-1"


def test_keys_that_have_ended_are_never_used_and_the_reason_is_told(source: Source) -> None:
    credential = source.credential()
    used(credential)
    source.now += LONG
    source.fails = "no answer"
    with pytest.raises(CloudUnavailable, match="no valid keys from the source: no answer"):
        used(credential)


def test_a_source_that_mends_gives_keys_again(source: Source) -> None:
    source.fails = "no answer"
    credential = source.credential()
    with pytest.raises(CloudUnavailable):
        used(credential)
    source.fails = ""
    source.now += 3
    assert used(credential) == "id-2"


def test_many_who_ask_at_once_cause_one_fetch(source: Source) -> None:
    credential = source.credential()
    source.gate.clear()
    with ThreadPoolExecutor(32) as threads:
        asked = [threads.submit(used, credential) for _ in range(32)]
        soon(lambda: source.fetches == 1, "the fetch")
        source.gate.set()
        assert {answer.result() for answer in asked} == {"id-1"}
    assert (source.fetches, source.at_once) == (1, 1)


def test_a_source_that_hangs_keeps_a_caller_for_a_limited_time(source: Source) -> None:
    source.gate.clear()
    credential = source.credential(wait_seconds=0.1)
    with pytest.raises(CloudUnavailable, match="not fetched in time"):
        used(credential)


def test_a_source_that_hangs_keeps_callers_once_and_not_each_anew(source: Source) -> None:
    credential = source.credential(wait_seconds=5.0)
    used(credential)
    source.now += LONG - 60
    source.gate.clear()
    credential.distrust()
    threads = ThreadPoolExecutor(1)
    first = threads.submit(used, credential)
    soon(lambda: source.fetches == 2, "the fetch that hangs")
    source.now += 5
    began = time.monotonic()
    assert [used(credential) for _ in range(20)] == ["id-1"] * 20
    assert time.monotonic() - began < 4
    source.gate.set()
    first.result()
    threads.shutdown()


def test_a_source_that_fails_is_not_asked_by_every_call(source: Source) -> None:
    source.fails = "no answer"
    credential = source.credential()
    for _ in range(200):
        with pytest.raises(CloudUnavailable):
            used(credential)
    assert source.fetches == 1


def test_keys_that_the_cloud_refused_are_replaced_although_they_had_not_ended(
    source: Source,
) -> None:
    credential = source.credential()
    used(credential)
    source.now += 60
    credential.distrust()
    assert [used(credential) for _ in range(2)] == ["id-2", "id-2"]


def test_keys_that_are_refused_again_and_again_are_not_fetched_by_every_call(
    source: Source,
) -> None:
    credential = source.credential()
    for _ in range(200):
        used(credential)
        credential.distrust()
    assert source.fetches == 1


def test_neither_keys_nor_their_holder_show_what_is_secret(source: Source) -> None:
    credential = source.credential()
    used(credential)
    assert CANARY not in repr(credential) + repr(vars(credential))
    assert "id-" not in repr(source.fetch())


def test_a_clock_that_was_hours_ahead_when_keys_were_fetched_stops_no_later_fetch(
    source: Source,
) -> None:
    credential = source.credential()
    source.ahead = 10_800.0
    with pytest.raises(CloudUnavailable):
        used(credential)  # they seem to have ended, until a reply tells the time
    source.ahead = 0.0
    assert used(credential) == "id-1"
    source.now += LONG
    assert used(credential) == "id-2"


def test_the_end_of_the_keys_and_a_fetch_that_failed_can_be_seen(source: Source) -> None:
    credential = source.credential()
    assert (credential.expires, credential.failing) == (0.0, False)
    used(credential)
    assert (credential.expires, credential.failing) == (source.now + LONG, False)
    source.now += LONG
    source.fails = "no answer"
    with pytest.raises(CloudUnavailable):
        used(credential)
    assert credential.failing
