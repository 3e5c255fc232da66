"""Act at a time that is set later, by a thread that runs before anything is held."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Alarm:
    """One action at a time; starting a thread for each would lengthen the hold."""

    def __init__(self) -> None:
        self._change = threading.Condition()
        self._at = 0.0
        self._act: Callable[[], None] | None = None
        self._acting = False
        self._over = False
        threading.Thread(target=self._run, daemon=True).start()

    def set(self, at: float, act: Callable[[], None]) -> None:
        """Have `act` called at the moment `at` (monotonic), unless `off` comes first."""
        with self._change:
            self._at, self._act = at, act
            self._change.notify_all()

    def off(self) -> None:
        """Return when nothing is called any more, nor being called."""
        with self._change:
            self._act = None
            self._change.notify_all()
            self._change.wait_for(lambda: not self._acting)

    def close(self) -> None:
        """End the thread."""
        with self._change:
            self._act, self._over = None, True
            self._change.notify_all()

    def _run(self) -> None:
        while act := self._due():
            try:
                act()
            finally:
                with self._change:
                    self._acting = False
                    self._change.notify_all()

    def _due(self) -> Callable[[], None] | None:
        """Wait for an action's time; return None at the end."""
        with self._change:
            while not self._over:
                left = self._at - time.monotonic() if self._act else None
                if self._act and left is not None and left <= 0:
                    act, self._act, self._acting = self._act, None, True
                    return act
                self._change.wait(left)
            return None
