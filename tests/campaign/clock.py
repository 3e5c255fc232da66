"""One clock for all: it stands still but where something is said to take time."""

from __future__ import annotations

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

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        """Let time pass, and what is due in it happen."""
        self.seconds += max(0.0, seconds)
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
