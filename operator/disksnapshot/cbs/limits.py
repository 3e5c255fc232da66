"""Keep calls under the cloud's rate limits: one token bucket an action, shared by all threads."""

from __future__ import annotations

import threading
import time
from collections import defaultdict

PER_SECOND = {"DescribeDisks": 100.0}
DEFAULT_PER_SECOND = 20.0
SHARE = 0.9  # the account's bucket is shared with others, such as the CSI driver


class Limits:
    """Token buckets by action, each holding one second's worth."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next: dict[str, float] = defaultdict(float)

    def take(self, action: str, count: int = 1) -> float:
        """Reserve `count` calls; return the seconds to wait before making them."""
        with self._lock:
            now = time.monotonic()
            # An idle bucket is full: it gives one second's worth at once.
            start = max(self._next[action], now - 1.0)
            self._next[action] = start + count * _interval(action)
            return max(0.0, self._next[action] - now)

    def give_back(self, action: str, count: int) -> None:
        """Return calls that were reserved and not made: others needn't wait for them."""
        with self._lock:
            self._next[action] -= count * _interval(action)

    def wait(self, action: str, count: int = 1) -> None:
        """Reserve `count` calls and wait for them."""
        time.sleep(self.take(action, count))


def _interval(action: str) -> float:
    return 1 / (PER_SECOND.get(action, DEFAULT_PER_SECOND) * SHARE)
