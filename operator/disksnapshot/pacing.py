"""How long an object is left alone before it is looked at again, by how long that has gone on."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from disksnapshot.errors import Problem
    from disksnapshot.memory import Memory
    from disksnapshot.sight import Sight

AGAIN, SOON = timedelta(0), timedelta(seconds=1)
SHORTEST_RETRY, LONGEST_RETRY = timedelta(seconds=5), timedelta(seconds=60)
# For what no waiting mends, such as a missing right: less than a dozen tries in the first hour.
SHORTEST_SELDOM, LONGEST_SELDOM = timedelta(seconds=15), timedelta(minutes=15)


class Pacing:
    """Pauses that grow with how long one thing has been going on: doubling, in effect."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def after(self, sight: Sight, problem: Problem) -> timedelta:
        """Return the pause after a problem.

        It is spread a little, so that two objects that met on one database don't meet again.
        """
        if sight.done.is_down:
            return SHORTEST_RETRY  # people wait for their workload
        since = self._memory.failing_since(sight.ask.uid, problem.reason, sight.now)
        shortest, longest = SHORTEST_RETRY, LONGEST_RETRY
        if problem.slow:
            shortest, longest = SHORTEST_SELDOM, LONGEST_SELDOM
        pause = min(max(sight.now - since, shortest), longest)
        return pause * random.uniform(1.0, 1.2)  # noqa: S311 - nothing to guess

    def seldom(self, sight: Sight, what: str, shortest: timedelta) -> timedelta:
        """Return the pause after something that may go on for very long."""
        since = self._memory.failing_since(sight.ask.uid, what, sight.now)
        return min(max(sight.now - since, shortest), LONGEST_SELDOM)
