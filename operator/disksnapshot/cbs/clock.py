"""Know the cloud's clock: it decides how long a signed request may still act."""

from __future__ import annotations

import logging
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

TOLD_FROM = timedelta(seconds=60)
_AGREEMENT = timedelta(seconds=2)
_RESOLUTION = timedelta(seconds=1)  # of a Date header, which is rounded down

logger = logging.getLogger(__name__)


class SteadyClock:
    """This machine's time as it was at the start, and on from there, whoever sets its clock.

    A clock that is set forward by hours between a request and the look for what it made would
    show the request as expired while it can still act: a second snapshot would be made.
    """

    def __init__(
        self,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._monotonic = monotonic
        self._zero = wall() - timedelta(seconds=monotonic())

    def now(self) -> datetime:
        """Return the time, in UTC."""
        return self._zero + timedelta(seconds=self._monotonic())


own_time = SteadyClock().now


def monotonic_zero(cloud: datetime) -> int | None:
    """Return what the cloud's clock said when this machine's monotonic one began (ns, epoch).

    None while this machine's own clock agrees: a reply tells the time to a second, less is none.
    """
    if abs(cloud - datetime.now(UTC)) < _AGREEMENT:
        return None
    return round(cloud.timestamp() * 1e9) - time.monotonic_ns()


class CloudClock:
    """This machine's clock, corrected by what replies say in their Date header.

    A reply bounds the difference: the cloud wrote its date between our sending and our reading.
    As long as a difference fits all that is heard it is kept, so a clock that is right is never
    touched, and time doesn't jump to and fro with each reply.
    """

    def __init__(self, own: Callable[[], datetime] = own_time) -> None:
        self._own = own
        self._lock = threading.Lock()
        self._ahead = timedelta(0)
        self._known = False
        self._told = timedelta(0)

    def now(self) -> datetime:
        """Return the cloud's time, as far as it is known."""
        return self._own() + self._ahead

    @property
    def known(self) -> bool:
        """Tell whether any reply has carried a date."""
        return self._known

    @property
    def ahead(self) -> timedelta:
        """How far the cloud's clock is ahead of this machine's."""
        return self._ahead

    def hear(self, date: str | None, took: timedelta) -> None:
        """Take the Date header of a reply that has just come, `took` after its request."""
        said = _read(date)
        if said is None:
            return
        read = self._own()
        least, most = said - read, said + _RESOLUTION - (read - took)
        with self._lock:
            self._ahead = min(max(self._ahead, least), most)
            self._known = True
            ahead = self._ahead
        self._tell(ahead)

    def _tell(self, ahead: timedelta) -> None:
        """Say it once, and again when it has changed by much: each reply comes by here."""
        if abs(ahead - self._told) < TOLD_FROM:
            return
        self._told = ahead
        seconds = round(abs(ahead).total_seconds())
        where = "behind" if ahead > timedelta(0) else "ahead of"
        if seconds < TOLD_FROM.total_seconds():
            logger.info("this machine's clock agrees with the cloud's again")
        else:
            logger.warning(
                "this machine's clock is %d s %s the cloud's, which is used instead; set it (NTP)",
                seconds,
                where,
            )


def _read(date: str | None) -> datetime | None:
    try:
        said = parsedate_to_datetime(date or "")
    except ValueError:
        return None
    return said if said.tzinfo else said.replace(tzinfo=UTC)
