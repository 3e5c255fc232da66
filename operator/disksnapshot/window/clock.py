"""The time of one hold: the bound that all its parts share, and the moments that they note."""

from __future__ import annotations

import math
import time

# The proof ends this long before the server's own time-out: a session may be gone from then on.
PROOF_MARGIN_SECONDS = 1.0
# Kept free at the end of a hold for thawing, proving and unlocking, which take milliseconds.
RELEASE_RESERVE_SECONDS = 0.4


class Timeline:
    """Names moments; one clock that can't be set back during a hold."""

    def __init__(self) -> None:
        self._zero = time.time_ns() - time.monotonic_ns()
        self._marks: dict[str, int] = {}

    def count_from(self, zero: int) -> None:
        """Tell all times by another clock: `zero` is what it said when the monotonic one began."""
        self._zero = zero

    def mark(self, name: str) -> None:
        """Note the first time that something happened."""
        self._marks.setdefault(name, time.monotonic_ns())

    @property
    def now(self) -> float:
        """The moment, in seconds since the epoch."""
        return (self._zero + time.monotonic_ns()) / 1e9

    @property
    def times(self) -> dict[str, int]:
        """The moments, in nanoseconds since the epoch."""
        return {name: self._zero + moment for name, moment in self._marks.items()}


class HoldClock:
    """The bound of one hold: counted from the first lock that is *sent*."""

    def __init__(self, max_hold_seconds: int, timeline: Timeline) -> None:
        self.timeline = timeline
        self.max_hold_seconds = max_hold_seconds
        self.sent_at: float | None = None
        # When the first of the holds lets go by itself, and when we have to be done because of it.
        self._let_go_at = math.inf
        self._done_at = math.inf

    def start(self) -> None:
        """Let the bound run from now, unless it runs already."""
        if self.sent_at is None:
            self.sent_at = time.monotonic()

    def sent(self) -> None:
        """Note the first send: writers may stand still from now on."""
        self.start()
        self.timeline.mark("lockSent")

    def locked(self, server_seconds: float) -> None:
        """Note the last lock reply: the server drops the session `server_seconds` later."""
        self._limit(server_seconds, PROOF_MARGIN_SECONDS)

    def guarded(self, seconds: float) -> None:
        """Note that a guard is told to let go in `seconds`; it tells by itself if it did."""
        self._limit(seconds, 0.0)

    def guard_seconds(self, release_seconds: float) -> int:
        """Return after how many whole seconds a guard has to begin with its release.

        Before whatever was held first, since it is let go first, and early enough for the bound.
        """
        self.start()
        bound = (self.sent_at or 0.0) + self.max_hold_seconds - release_seconds
        return math.floor(min(bound, self._let_go_at) - time.monotonic())

    def _limit(self, seconds: float, margin: float) -> None:
        ends_at = time.monotonic() + seconds
        self._let_go_at = min(self._let_go_at, ends_at)
        self._done_at = min(self._done_at, ends_at - margin)

    @property
    def lets_go_at(self) -> float:
        """When everything must have been let go (monotonic), with the margin for proving it."""
        self.start()
        bound = (self.sent_at or 0.0) + self.max_hold_seconds - PROOF_MARGIN_SECONDS
        # If we were stopped, a lock's reply was read late: the bound still counts from the send.
        return min(bound, self._done_at)

    @property
    def cut_ends_at(self) -> float:
        """When waiting for the cloud must end, so that letting go and proving still fit."""
        return self.lets_go_at - RELEASE_RESERVE_SECONDS

    def left(self) -> float:
        """Return the seconds until `lets_go_at`."""
        return self.lets_go_at - time.monotonic()
