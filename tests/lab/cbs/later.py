"""Do something at a later time, unless the emulator ends before."""

import threading
from collections.abc import Callable


class Later:
    """Acts that are due; each has a thread of its own, so that none waits for another."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._timers: list[threading.Timer] = []

    def add(self, seconds: float, act: Callable[[], None]) -> None:
        """Act in so many seconds; at once when that has passed."""
        timer = threading.Timer(max(0.0, seconds), act)
        timer.daemon = True
        with self._lock:
            self._timers = [*(one for one in self._timers if one.is_alive()), timer]
            timer.start()

    def close(self) -> None:
        """Call off what hasn't begun, and wait for what has."""
        with self._lock:
            timers, self._timers = self._timers, []
        for timer in timers:
            timer.cancel()
            timer.join()
