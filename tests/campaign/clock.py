"""One clock for all: it stands still but where something is said to take time."""

from __future__ import annotations

import heapq
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from disksnapshot.cbs.limits import Limits
from rules.situations import NOW

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock:
    """Time as a number of seconds since the beginning; whoever waits for it is told."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.passing: list[Callable[[], None]] = []
        self._alarms: list[float] = []

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def alarm(self, seconds: float) -> None:
        """Have everybody look again in so many seconds: something is due then."""
        heapq.heappush(self._alarms, self.seconds + seconds)

    def advance(self, seconds: float) -> None:
        """Let time pass, and all that is due in it happen in its turn."""
        end = self.seconds + max(0.0, seconds)
        while self._alarms and self._alarms[0] <= end:
            self._reach(heapq.heappop(self._alarms))
        self._reach(end)

    def _reach(self, moment: float) -> None:
        self.seconds = max(self.seconds, moment)
        for passed in self.passing:
            passed()


class Unhurried(Limits):
    """The operator's own buckets; waiting for a token takes time of this clock alone."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock.monotonic)
        self._time = clock

    def wait(self, action: str, count: int = 1) -> None:
        bucket = self._lane(action).bucket
        while (left := bucket.ready_in(count, self._time.seconds)) > 0:
            self._time.advance(left + 0.001)
        bucket.spend(count, self._time.seconds)
