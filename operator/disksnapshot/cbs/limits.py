"""Keep calls under the cloud's rate limits: one token bucket an action, shared by all threads."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

PER_SECOND = {"DescribeDisks": 100.0}
DEFAULT_PER_SECOND = 20.0
SHARE = 0.9  # the account's bucket is shared with others, such as the CSI driver
# Told that it is too much, all go half as fast, and twice as fast again after each while.
SLOWEST, MOST_DOUBLINGS = 1 / 16, 4
RECOVERY_SECONDS = 10.0
PAUSE_SECONDS = 1.0  # the cloud counts in seconds: nothing more in this one


class Bucket:
    """The tokens of one action: one second's worth at most, fewer a second after a throttle."""

    def __init__(self, per_second: float, now: float) -> None:
        self._full_rate = per_second
        self._level = per_second
        self._at = now
        self._factor = 1.0
        self._slowed_at = now

    def rate(self, now: float) -> float:
        """Return how many tokens come a second."""
        doublings = (now - self._slowed_at) / RECOVERY_SECONDS
        recovered = self._factor * 2 ** min(doublings, MOST_DOUBLINGS)
        return self._full_rate * min(1.0, recovered)

    def ready_in(self, count: int, now: float) -> float:
        """Return in how many seconds `count` calls may be made; a great count needs it full."""
        self._refill(now)
        missing = min(count, self._full_rate) - self._level
        return max(0.0, missing / self.rate(now))

    def spend(self, count: int, now: float) -> None:
        """Take tokens; what a great count takes beyond the level, later calls wait for."""
        self._refill(now)
        self._level -= count

    def refund(self, count: int) -> None:
        """Put back tokens of calls that were not made."""
        self._level = min(self._level + count, self._full_rate)

    def slow_down(self, now: float) -> None:
        """Go half as fast, after a pause. Many callers may hear of one and the same second."""
        self._refill(now)
        rate = self.rate(now)
        if self._factor < 1.0 and now - self._slowed_at < PAUSE_SECONDS:
            return
        self._factor = max(SLOWEST, rate / self._full_rate / 2)
        self._slowed_at = now
        self._level = min(self._level, -PAUSE_SECONDS * self.rate(now))

    def _refill(self, now: float) -> None:
        came = max(0.0, now - self._at) * self.rate(now)
        self._level, self._at = min(self._level + came, self._full_rate), now


class Limits:
    """The buckets; who asks first gets first, so that a great count is not kept waiting."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._lanes: dict[str, _Lane] = {}

    def wait(self, action: str, count: int = 1) -> None:
        """Wait until `count` calls may be made, and take their tokens."""
        self._lane(action).wait(count, self._clock)

    def give_back(self, action: str, count: int) -> None:
        """Return tokens of calls that were not made: who waits needn't wait for them."""
        lane = self._lane(action)
        with lane.changed:
            lane.bucket.refund(count)
            lane.changed.notify_all()

    def slow_down(self, action: str, *, whole_account: bool = False) -> None:
        """Let everybody go more slowly: the cloud has said that it was too much."""
        lane = self._lane(action)
        with self._lock:
            lanes = list(self._lanes.values()) if whole_account else [lane]
        for each in lanes:
            with each.changed:
                each.bucket.slow_down(self._clock())

    def _lane(self, action: str) -> _Lane:
        with self._lock:
            if action not in self._lanes:
                rate = PER_SECOND.get(action, DEFAULT_PER_SECOND) * SHARE
                self._lanes[action] = _Lane(Bucket(rate, self._clock()))
            return self._lanes[action]


class _Lane:
    """One action's bucket, and the line of those who wait for its tokens."""

    def __init__(self, bucket: Bucket) -> None:
        self.bucket = bucket
        self.changed = threading.Condition()
        self._line: deque[object] = deque()

    def wait(self, count: int, clock: Callable[[], float]) -> None:
        ticket = object()
        with self.changed:
            self._line.append(ticket)
            try:
                while (left := self._left(ticket, count, clock())) != 0:
                    self.changed.wait(left)
                self.bucket.spend(count, clock())
            finally:
                self._line.remove(ticket)
                self.changed.notify_all()

    def _left(self, ticket: object, count: int, now: float) -> float | None:
        """Return the seconds to wait; None: until somebody before us has gone."""
        return self.bucket.ready_in(count, now) if self._line[0] is ticket else None
