"""What is known of objects between two looks, and may be lost."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterable
    from datetime import datetime

    from disksnapshot.snapshot.outcome import Result

PROGRESS_PAUSE = timedelta(seconds=30)
FAILURE_ENDS = timedelta(minutes=30)  # longer than any pause between two tries


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUps:
    """What the look-ups of one attempt have shown: every id, and since when nothing new."""

    nonce: str
    listed: frozenset[str]
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Failing:
    """One reason that keeps an object from going on: since when, and when it was last met."""

    reason: str
    since: datetime
    last: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """A snapshot that the cloud was asked to delete, and until when it is not asked again."""

    snapshot_id: str
    until: datetime


class Memory:
    """Notes by the object's uid, shared by all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._look_ups: dict[str, LookUps] = {}
        self._results: dict[str, Result] = {}
        self._lost: dict[str, frozenset[str]] = {}
        self._progress: dict[str, datetime] = {}
        self._failing: dict[str, Failing] = {}
        self._deletions: dict[str, Deletion] = {}
        self._shown: dict[str, dict[str, str]] = {}
        self._uids: dict[Hashable, str] = {}

    def meet(self, key: Hashable, uid: str = "") -> str:
        """Note whose key it is, by default nobody's; return the uid that is seen no more, if any.

        Somebody may take a finalizer off by force, and nobody else would ever hear of that end.
        """
        with self._lock:
            last = self._uids.pop(key, "")
            if uid:
                self._uids[key] = uid
            return "" if last == uid else last

    def look_up(self, uid: str, nonce: str, ids: Iterable[str], now: datetime) -> LookUps:
        """Note what a look-up for an attempt has shown; only a new id begins the time anew."""
        with self._lock:
            last = self._look_ups.get(uid)
            known = last.listed if last and last.nonce == nonce else None
            if last is None or known is None or not known.issuperset(ids):
                listed = (known or frozenset()) | frozenset(ids)
                last = LookUps(nonce=nonce, listed=listed, since=now)
                self._look_ups[uid] = last
            return last

    def keep(self, uid: str, result: Result) -> None:
        """Keep what an attempt came to until the API server has it."""
        with self._lock:
            self._results[uid] = result

    def result(self, uid: str) -> Result | None:
        """Return what still has to be recorded."""
        with self._lock:
            return self._results.get(uid)

    def recorded(self, uid: str) -> None:
        """Forget a result that the API server has, or that is no longer ours to write."""
        with self._lock:
            self._results.pop(uid, None)

    def lose(self, uid: str, snapshot_ids: Iterable[str]) -> None:
        """Note that the cloud has lost snapshots of an object."""
        with self._lock:
            self._lost[uid] = frozenset(snapshot_ids)

    def is_lost(self, uid: str, snapshot_ids: Collection[str]) -> bool:
        """Tell whether any of these was lost."""
        with self._lock:
            return not self._lost.get(uid, frozenset()).isdisjoint(snapshot_ids)

    def may_report(self, uid: str, now: datetime) -> bool:
        """Tell whether progress may be written again, and note that it is."""
        with self._lock:
            last = self._progress.get(uid)
            if last and now - last < PROGRESS_PAUSE:
                return False
            self._progress[uid] = now
            return True

    def failing_since(self, uid: str, reason: str, now: datetime) -> datetime:
        """Note that an object can't go on; return since when that has been so for this reason."""
        with self._lock:
            last = self._failing.get(uid)
            goes_on = last and last.reason == reason and now - last.last < FAILURE_ENDS
            since = last.since if last and goes_on else now
            self._failing[uid] = Failing(reason=reason, since=since, last=now)
            return since

    def rest_deletion(self, uid: str, snapshot_id: str, until: datetime) -> None:
        """Note that the cloud was asked to delete a snapshot, and gets time for it."""
        with self._lock:
            self._deletions[uid] = Deletion(snapshot_id=snapshot_id, until=until)

    def deletion_rests(self, uid: str, snapshot_id: str, now: datetime) -> timedelta | None:
        """Return how long the cloud still has to delete it before it is asked again."""
        with self._lock:
            last = self._deletions.get(uid)
        if last is None or last.snapshot_id != snapshot_id or last.until <= now:
            return None
        return last.until - now

    def show(self, uid: str, snapshot_ids: Iterable[str], keys: str) -> None:
        """Note by whose keys the cloud has last shown some snapshots of an object."""
        with self._lock:
            self._shown.setdefault(uid, {}).update(dict.fromkeys(snapshot_ids, keys))

    def were_shown(self, uid: str, snapshot_ids: Collection[str], keys: str) -> bool:
        """Tell whether the cloud has shown each of these by these keys, and there are any."""
        with self._lock:
            shown = self._shown.get(uid, {})
            return bool(snapshot_ids) and {shown.get(item) for item in snapshot_ids} == {keys}

    def forget(self, uid: str) -> None:
        """Drop everything about an object that is gone, or of which nothing more will come."""
        with self._lock:
            for known in (
                self._look_ups, self._results, self._lost, self._progress, self._failing,
                self._deletions, self._shown,
            ):  # fmt: skip
                known.pop(uid, None)
