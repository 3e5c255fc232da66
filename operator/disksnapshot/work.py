"""One worker an object: keys come from anywhere; each is looked at by one thread at a time."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

K = TypeVar("K")

THREADS = 64  # up to 48 captures, and 16 for everything else
STOP_SECONDS = 3.0
FAILED_PAUSE_SECONDS = 30.0

logger = logging.getLogger(__name__)


class Work(Generic[K]):
    """A queue of keys. A key that is added while it is looked at is looked at once more.

    It is shut at first: keys are taken in, and none is handed out until it is opened.
    """

    def __init__(self, look: Callable[[K], timedelta | None]) -> None:
        self._look = look
        self._change = threading.Condition()
        self._due: list[tuple[float, int, K]] = []
        self._number = itertools.count()
        self._scheduled: dict[K, tuple[float, int]] = {}
        self._busy: set[K] = set()
        self._again: set[K] = set()
        self._open = False
        self._stopping = False
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="work")

    def add(self, key: K, seconds: float = 0.0) -> None:
        """Look at `key` in so many seconds, or earlier if that is planned already."""
        when, number = time.monotonic() + seconds, next(self._number)
        with self._change:
            planned = self._scheduled.get(key)
            if planned and planned[0] <= when:
                return
            # The entry that this one replaces stays in the heap, and is dropped when it comes up.
            self._scheduled[key] = (when, number)
            heapq.heappush(self._due, (when, number, key))
            self._change.notify()

    def run(self) -> None:
        """Hand out keys until stopped."""
        while True:
            with self._change:
                key = self._next()
            if key is None:
                return
            self._pool.submit(self._serve, key)

    def depth(self) -> int:
        """Return how many keys wait that are due, or that nobody may hand out."""
        with self._change:
            now = time.monotonic()
            return sum(when <= now for when, _ in self._scheduled.values())

    def open(self) -> None:
        """Hand out keys from now on, all that have gathered first."""
        with self._change:
            self._open = True
            self._change.notify_all()

    def shut(self) -> None:
        """Hand out no more keys until opened again; those in hand go on."""
        with self._change:
            self._open = False

    def stop(self) -> bool:
        """Hand out no more keys, wait a moment for those in hand; tell whether all are done."""
        with self._change:
            self._stopping = True
            self._change.notify_all()
            idle = self._change.wait_for(lambda: not self._busy, STOP_SECONDS)
        self._pool.shutdown(wait=False, cancel_futures=True)
        return idle

    def _next(self) -> K | None:
        while not self._stopping:
            if not self._due or not self._open:
                self._change.wait()
                continue
            left = self._due[0][0] - time.monotonic()
            if left > 0:
                self._change.wait(left)
                continue
            when, number, key = heapq.heappop(self._due)
            if self._scheduled.get(key) != (when, number):
                continue
            del self._scheduled[key]
            if key in self._busy:
                self._again.add(key)
                continue
            self._busy.add(key)
            return key
        return None

    def _serve(self, key: K) -> None:
        pause: float | None = FAILED_PAUSE_SECONDS
        try:
            after = self._look(key)
            pause = None if after is None else max(0.0, after.total_seconds())
        except Exception:  # one object's bug must not stop the others
            logger.exception("%s: unexpected", key)
        with self._change:
            self._busy.discard(key)
            if key in self._again:
                self._again.discard(key)
                pause = 0.0
            self._change.notify_all()
        if pause is not None:
            self.add(key, pause)
