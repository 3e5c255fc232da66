"""Follow all snapshots in creation together: one Describe for up to a hundred of them."""

from __future__ import annotations

import logging
import math
import re
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Generic, TypeVar

from disksnapshot.cbs.client import PAGE, Cloud, Snapshot
from disksnapshot.errors import Problem, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

SNAPSHOT_ID = re.compile(r"snap-[a-z0-9]+")
PERIOD_SECONDS = 5.0
PAGES_A_SECOND = 10  # at most half of the account's 20 calls a second

K = TypeVar("K")
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class View:
    """What the last sweeps saw of one snapshot; `absent_since` while it isn't listed."""

    snapshot: Snapshot | None = None
    absent_since: datetime | None = None


class Poller(Generic[K]):
    """One thread that sweeps; `changed` is called with whoever follows a snapshot that changed."""

    def __init__(self, cloud: Cloud, changed: Callable[[K], None]) -> None:
        self._cloud = cloud
        self._changed = changed
        self._lock = threading.Lock()
        self._followers: dict[str, K] = {}
        self._views: dict[str, View] = {}
        self._wake = threading.Event()
        self._stop = threading.Event()

    def follow(self, snapshot_ids: Iterable[str], follower: K) -> dict[str, View]:
        """Keep these in the sweeps; return what has been seen of them so far."""
        with self._lock:
            new = [item for item in snapshot_ids if item not in self._followers]
            for snapshot_id in new:
                self._followers[snapshot_id] = follower
            views = {item: self._views.get(item, View()) for item in snapshot_ids}
        if new:
            self._wake.set()
        return views

    def forget(self, snapshot_ids: Iterable[str]) -> None:
        """Leave these out of the sweeps."""
        with self._lock:
            for snapshot_id in snapshot_ids:
                self._followers.pop(snapshot_id, None)
                self._views.pop(snapshot_id, None)

    def forget_follower(self, follower: K) -> None:
        """Leave out all that somebody follows who is gone."""
        with self._lock:
            gone = [item for item, known in self._followers.items() if known == follower]
        self.forget(gone)

    def forget_all(self) -> set[K]:
        """Leave out everything; return who followed something."""
        with self._lock:
            followers = set(self._followers.values())
            self._followers.clear()
            self._views.clear()
        return followers

    def run(self) -> None:
        """Sweep until stopped; a new snapshot is looked at right away."""
        while not self._stop.is_set():
            self._wake.clear()
            with self._lock:
                # One malformed id would fail the whole call.
                pending = [item for item in self._followers if SNAPSHOT_ID.fullmatch(item)]
            for start in range(0, len(pending), PAGE):
                self._sweep(pending[start : start + PAGE])
            pages = math.ceil(len(pending) / PAGE)
            if pending:
                self._stop.wait(max(PERIOD_SECONDS, pages / PAGES_A_SECOND))
            else:
                self._wake.wait()

    def stop(self) -> None:
        """End the sweeps."""
        self._stop.set()
        self._wake.set()

    def _sweep(self, snapshot_ids: Sequence[str]) -> None:
        try:
            listed = self._cloud.snapshots(snapshot_ids)
        except (Problem, Unavailable) as error:
            logger.warning("the sweep of %d snapshots failed: %s", len(snapshot_ids), error)
            return
        except Exception:  # an answer that can't be read must not end the sweeps of all others
            logger.exception("the sweep of %d snapshots failed", len(snapshot_ids))
            return
        now = datetime.now(UTC)
        for snapshot_id in snapshot_ids:
            self._note(snapshot_id, listed.get(snapshot_id), now)

    def _note(self, snapshot_id: str, snapshot: Snapshot | None, now: datetime) -> None:
        with self._lock:
            follower = self._followers.get(snapshot_id)
            if follower is None:
                return
            last = self._views.get(snapshot_id, View())
            absent_since = None if snapshot else (last.absent_since or now)
            self._views[snapshot_id] = View(snapshot, absent_since)
        # An absent one is reported each time: only its follower knows when it counts as lost.
        if snapshot is None or snapshot != last.snapshot:
            self._changed(follower)
