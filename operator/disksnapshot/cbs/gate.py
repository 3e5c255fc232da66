"""Stop captures in the region while the cloud has no room for snapshots: no hold for nothing."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto
from typing import TYPE_CHECKING

from disksnapshot.errors import Problem

if TYPE_CHECKING:
    from datetime import datetime

    from disksnapshot.cbs.errors import Meaning

# So often the number of snapshots is asked for, to see whether some have gone.
LOOK_PAUSE = timedelta(minutes=5)
# So often one object may try, at the cost of a hold: a quota that was raised shows in no number.
PROBE_PAUSE = timedelta(hours=1)
PROBE_ENDS = timedelta(minutes=1)  # one that never came to its cut has said nothing
PROVEN_AFTER = 5  # successes; each lets two more in, so that few hold for nothing

logger = logging.getLogger(__name__)


class Admission(Enum):
    """What a capture may do now."""

    ENTER = auto()
    LOOK_FIRST = auto()  # ask the cloud how many snapshots there are, and say so to `count`
    STAY_OUT = auto()


@dataclass(slots=True, kw_only=True)
class _Closed:
    """Why captures are stopped, and how far the way back is."""

    said: Meaning
    message: str
    look_at: datetime
    probe_at: datetime
    total: int | None = None  # snapshots in the region when there was no room
    entries: int = 0
    successes: int = 0


class Gate:
    """Open until a refusal says that no other capture would fare better."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._closed: _Closed | None = None

    def ask(self, now: datetime) -> Admission:
        """Tell what a capture may do; leave to enter is given to one at a time."""
        with self._lock:
            closed = self._closed
            if closed is None:
                return Admission.ENTER
            if closed.entries:
                closed.entries -= 1
                closed.probe_at = now + PROBE_ENDS
                return Admission.ENTER
            if now >= closed.probe_at:
                # Only the cloud's answer closes for long: this one may never come to its cut.
                closed.probe_at = now + PROBE_ENDS
                return Admission.ENTER
            if now >= closed.look_at:
                closed.look_at = now + LOOK_PAUSE
                return Admission.LOOK_FIRST
            return Admission.STAY_OUT

    def count(self, total: int) -> bool:
        """Take the number of snapshots in the region; tell whether one may enter now."""
        with self._lock:
            closed = self._closed
            if closed is None:
                return True
            room = closed.total is not None and total < closed.total
            closed.total = total if closed.total is None else closed.total
            return room

    def refuse(self, said: Meaning, message: str, now: datetime) -> None:
        """Close: the cloud refused a snapshot for a reason that holds in the whole region."""
        message = f"captures in this region wait, for {message}"
        with self._lock:
            if self._closed is None:
                logger.warning("%s", message)
            self._closed = _Closed(
                said=said, message=message, look_at=now, probe_at=now + PROBE_PAUSE
            )

    def succeed(self) -> None:
        """Take note of a snapshot that was made: two more may try, and in the end all."""
        with self._lock:
            if self._closed is None:
                return
            self._closed.successes += 1
            self._closed.entries += 2
            if self._closed.successes >= PROVEN_AFTER:
                logger.info("there is room for snapshots again")
                self._closed = None

    @property
    def why(self) -> Problem | None:
        """Why captures are stopped; None when they are not."""
        with self._lock:
            closed = self._closed
        return Problem(closed.said.reason, closed.message, slow=True) if closed else None
