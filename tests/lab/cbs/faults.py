"""Faults that were asked for, waiting for the calls that they hit."""

import threading
from enum import StrEnum


class Fault(StrEnum):
    """What can go wrong with a call."""

    REPLY_LOST_AFTER_ACT = "ReplyLostAfterAct"  # acted; then silence on an open connection
    REPLY_CUT_AFTER_ACT = "ReplyCutAfterAct"  # acted; then the connection is closed


class Faults:
    """The faults in the order in which they were asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[tuple[str, Fault]] = []

    def add(self, action: str, fault: Fault, times: int) -> None:
        """Let the next calls of an action that act meet a fault."""
        with self._lock:
            self._waiting += [(action, fault)] * times

    def take(self, action: str) -> Fault | None:
        """Return the fault that this call meets, once."""
        with self._lock:
            for index, (hit, fault) in enumerate(self._waiting):
                if hit == action:
                    del self._waiting[index]
                    return fault
        return None

    def clear(self) -> None:
        """Forget the faults that hit nothing yet."""
        with self._lock:
            self._waiting.clear()
