"""Follow all snapshots in creation together: one Describe for up to a hundred of them."""

from __future__ import annotations

import logging
import re
import threading
import time
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Generic, TypeVar

from disksnapshot.cbs.calls import CloudProblem, shown
from disksnapshot.cbs.client import NOT_FOUND, Cloud
from disksnapshot.cbs.clock import own_time
from disksnapshot.cbs.listed import PAGE
from disksnapshot.cbs.narrowing import Looks, holds_for_all
from disksnapshot.cbs.suspects import Suspects
from disksnapshot.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from disksnapshot.cbs.listed import Snapshot

SNAPSHOT_ID = re.compile(r"snap-[a-z0-9]{8}")
PERIOD_SECONDS = 5.0
PAGES_A_SECOND = 10  # at most half of the account's 20 calls a second
# While sweeps fail: twice as long each time, up to this; longer where only a person can help, so
# that an hour sees less than a dozen calls.
LONGEST_SECONDS = 60.0
SHORTEST_SELDOM_SECONDS, LONGEST_SELDOM_SECONDS = 15.0, 900.0
MOST_FAILURES = 3  # of pages in one sweep; then it is no matter of single pages
SURELY_LISTED = timedelta(minutes=3)  # a listing is at most a minute late
LASTING = 5  # sweeps that failed in turn, two minutes: then all are told, whatever it is

K = TypeVar("K")
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class View:
    """What the last sweeps saw of one snapshot; `absent_since` while it isn't listed.

    `told` is when its absence was last reported, and `trouble` is what keeps the sweeps from
    seeing it, once it lasts or only a person can help.
    """

    snapshot: Snapshot | None = None
    absent_since: datetime | None = None
    told: datetime | None = None
    trouble: Problem | None = None


def pause_after(failures: int, pages: int, *, slow: bool) -> float:
    """Return the seconds until the next sweep."""
    usual = max(PERIOD_SECONDS, pages / PAGES_A_SECOND)
    if not failures:
        return usual
    longest = LONGEST_SELDOM_SECONDS if slow else LONGEST_SECONDS
    shortest = SHORTEST_SELDOM_SECONDS if slow else usual * 2
    return max(usual, min(shortest * float(2 ** min(failures - 1, 10)), longest))


class Poller(Generic[K]):
    """One thread that sweeps; `changed` is called with whoever follows a snapshot that changed."""

    def __init__(
        self,
        cloud: Cloud,
        changed: Callable[[K], None],
        clock: Callable[[], datetime] = own_time,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock  # the same as of all who judge by the times of a View
        self._ticks = ticks
        self._cloud = cloud
        self._changed = changed
        self._lock = threading.Lock()
        self._followers: dict[str, K] = {}
        self._views: dict[str, View] = {}
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._suspects = Suspects()
        self._failures = 0
        self._sweeps = 0
        self._for_all: Exception | None = None  # what met every call of the last sweep
        self._trouble: Problem | None = None

    def follow(self, snapshot_ids: Iterable[str], follower: K) -> dict[str, View]:
        """Keep these in the sweeps; return what has been seen of them so far."""
        with self._lock:
            new = [item for item in snapshot_ids if item not in self._followers]
            for snapshot_id in new:
                self._followers[snapshot_id] = follower
            known = {item: self._views.get(item, View()) for item in snapshot_ids}
            views = {
                item: replace(view, trouble=view.trouble or self._trouble)
                for item, view in known.items()
            }
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
        """Sweep until stopped; who has nothing to follow looks at a new snapshot right away."""
        while not self._stop.is_set():
            self._wake.clear()
            pause = self.sweep()
            if pause is None:
                self._wake.wait()
            else:
                self._stop.wait(pause)

    def stop(self) -> None:
        """End the sweeps."""
        self._stop.set()
        self._wake.set()

    def sweep(self) -> float | None:
        """Look at all once; return the seconds until the next sweep, None if there is nothing."""
        with self._lock:
            followed = list(self._followers)
        if not followed:
            return None
        pages = self._pages(followed)
        looks = Looks(self._cloud.snapshots, self._sweeps, blame_unclear=self._failures > 1)
        errors = self._look(looks, followed, pages)
        self._note_all(looks)
        self._for_all = looks.for_all
        self._failures = self._failures + 1 if errors or looks.unfinished else 0
        self._sweeps += 1
        slow = next((e for e in errors if isinstance(e, Problem) and e.slow), None)
        blind = bool(errors) and not looks.seen
        lasting = errors[0] if blind and self._failures >= LASTING else None
        if slow or lasting or not blind:
            told = slow or lasting
            self._tell(shown(told) if told else None)
        return pause_after(self._failures, len(pages), slow=slow is not None)

    def _look(
        self, looks: Looks, followed: Sequence[str], pages: Sequence[Sequence[str]]
    ) -> list[Exception]:
        """Look at the pages, until it makes no sense to go on; return what went wrong."""
        still = looks.again(followed, self._for_all) if self._for_all else None
        if still:
            logger.warning("the sweeps are still refused: %s", still)
            return [still]
        errors: list[Exception] = []
        for page in pages:
            error = looks.at(page)
            if error:
                errors.append(error)
                logger.warning("the sweep of %d snapshots failed: %s", len(page), error)
                if looks.for_all or holds_for_all(error) or len(errors) >= MOST_FAILURES:
                    break
        return errors

    def _tell(self, trouble: Problem | None) -> None:
        """Let all know of an error that lasts, or that no waiting mends, and of its end: once."""
        with self._lock:
            last, self._trouble = self._trouble, trouble
            followers = set(self._followers.values())
        if _reason(last) != _reason(trouble):
            for follower in followers:
                self._changed(follower)

    def _pages(self, followed: Sequence[str]) -> list[Sequence[str]]:
        """Put a hundred on a page; whoever could fail a page gets one of its own, now and then.

        Each sweep begins with another page, so that pages that fail keep none from its turn.
        """
        alone = self._suspects.keep(followed)
        alone += [item for item in followed if not SNAPSHOT_ID.fullmatch(item)]
        due = self._suspects.due(set(alone), self._ticks())
        rest = [item for item in followed if item not in set(alone)]
        pages = [rest[start : start + PAGE] for start in range(0, len(rest), PAGE)]
        first = self._sweeps % max(1, len(pages))
        return [*pages[first:], *pages[:first], *([item] for item in due)]

    def _note_all(self, looks: Looks) -> None:
        """Note what was seen; leave who fails alone to itself for a while, and say why."""
        now = self._clock()
        self._suspects.clear(looks.seen)
        for snapshot_id, snapshot in looks.seen.items():
            self._note(snapshot_id, snapshot, now)
        for snapshot_id, error in looks.alone.items():
            self._suspects.add(snapshot_id, self._ticks())
            logger.warning("%s can't be looked at: %s", snapshot_id, error)
            if isinstance(error, CloudProblem) and error.code == NOT_FOUND:
                self._note(snapshot_id, None, now)
            else:
                self._blame(snapshot_id, error)

    def _blame(self, snapshot_id: str, error: Exception) -> None:
        """Let the follower of one snapshot know why it alone isn't seen: once each reason."""
        trouble = shown(error)
        with self._lock:
            follower = self._followers.get(snapshot_id)
            if follower is None:
                return
            last = self._views.get(snapshot_id, View())
            self._views[snapshot_id] = replace(last, trouble=trouble)
        if _reason(last.trouble) != _reason(trouble):
            self._changed(follower)

    def _note(self, snapshot_id: str, snapshot: Snapshot | None, now: datetime) -> None:
        with self._lock:
            follower = self._followers.get(snapshot_id)
            if follower is None:
                return
            last = self._views.get(snapshot_id, View())
            absent_since = None if snapshot else (last.absent_since or now)
            news = snapshot != last.snapshot or bool(last.trouble)
            if absent_since:
                news = _is_news(absent_since, last.told, now)
            told = now if news else last.told
            self._views[snapshot_id] = View(snapshot, absent_since, told if absent_since else None)
        if news:
            self._changed(follower)


def _is_news(absent_since: datetime, told: datetime | None, now: datetime) -> bool:
    """Tell whether to report once more that a snapshot is absent.

    Only its follower knows when it counts as lost, so at first each time; then ever more seldom:
    with keys of another account everything is absent for as long as these are used.
    """
    if told is None or now - absent_since < SURELY_LISTED:
        return True
    return now - absent_since >= (told - absent_since) * 1.5


def _reason(trouble: Problem | None) -> str | None:
    return trouble.reason if trouble else None
