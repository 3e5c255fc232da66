"""Follow all snapshots in creation together: one Describe for up to a hundred of them."""

from __future__ import annotations

import logging
import re
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic, TypeVar

from disksnapshot.cbs.calls import CloudProblem
from disksnapshot.cbs.client import NOT_FOUND, Cloud
from disksnapshot.cbs.clock import own_time
from disksnapshot.cbs.errors import Remedy
from disksnapshot.cbs.listed import PAGE
from disksnapshot.cbs.suspects import Suspects
from disksnapshot.errors import Problem, Unavailable, Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from disksnapshot.cbs.listed import Snapshot

SNAPSHOT_ID = re.compile(r"snap-[a-z0-9]{8}")
PERIOD_SECONDS = 5.0
PAGES_A_SECOND = 10  # at most half of the account's 20 calls a second
# While sweeps fail: twice as long each time, up to this; longer where only a person can help.
LONGEST_SECONDS, LONGEST_SELDOM_SECONDS = 60.0, 900.0
MOST_FAILURES = 3  # of pages in one sweep; then it is no matter of single pages
# Classes of codes that one id of a page may be the cause of.
ABOUT_AN_ID = {"InvalidSnapshotId", "InvalidSnapshot", "InvalidParameterValue", "ResourceNotFound"}
NARROWING_CALLS = 20  # a sweep: a page of a hundred with one bad id takes 14

K = TypeVar("K")
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class View:
    """What the last sweeps saw of one snapshot; `absent_since` while it isn't listed.

    `trouble` is what keeps the sweeps from seeing anything, where only a person can help.
    """

    snapshot: Snapshot | None = None
    absent_since: datetime | None = None
    trouble: Problem | None = None


def pause_after(failures: int, pages: int, *, slow: bool) -> float:
    """Return the seconds until the next sweep."""
    usual = max(PERIOD_SECONDS, pages / PAGES_A_SECOND)
    longest = LONGEST_SELDOM_SECONDS if slow else LONGEST_SECONDS
    return max(usual, min(usual * 2 ** min(failures, 10), longest)) if failures else usual


class Poller(Generic[K]):
    """One thread that sweeps; `changed` is called with whoever follows a snapshot that changed."""

    def __init__(
        self,
        cloud: Cloud,
        changed: Callable[[K], None],
        clock: Callable[[], datetime] = own_time,
    ) -> None:
        self._clock = clock  # the same as of all who judge by the times of a View
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
        self._narrowing = 0
        self._trouble: Problem | None = None

    def follow(self, snapshot_ids: Iterable[str], follower: K) -> dict[str, View]:
        """Keep these in the sweeps; return what has been seen of them so far."""
        with self._lock:
            new = [item for item in snapshot_ids if item not in self._followers]
            for snapshot_id in new:
                self._followers[snapshot_id] = follower
            views = {
                item: replace(self._views.get(item, View()), trouble=self._trouble)
                for item in snapshot_ids
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
        """Sweep until stopped; a new snapshot is looked at right away."""
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
        self._narrowing = NARROWING_CALLS
        errors = []
        for page in pages:
            error = self._look(page)
            if error:
                errors.append(error)
                logger.warning("the sweep of %d snapshots failed: %s", len(page), error)
            if len(errors) >= MOST_FAILURES or (error and _holds_for_all(error)):
                break
        self._failures = self._failures + 1 if errors else 0
        self._sweeps += 1
        slow = next((e for e in errors if isinstance(e, Problem) and e.slow), None)
        if slow or not errors:
            self._tell(slow)
        return pause_after(self._failures, len(pages), slow=slow is not None)

    def _tell(self, trouble: Problem | None) -> None:
        """Let all know of an error that no waiting mends, and of its end: once each."""
        with self._lock:
            last, self._trouble = self._trouble, trouble
            followers = set(self._followers.values())
        if (last and last.reason) != (trouble and trouble.reason):
            for follower in followers:
                self._changed(follower)

    def _pages(self, followed: Sequence[str]) -> list[Sequence[str]]:
        """Put a hundred on a page; whoever could fail a page gets one of its own, now and then.

        Each sweep begins with another page, so that pages that fail keep none from its turn.
        """
        alone = self._suspects.keep(followed)
        alone += [item for item in followed if not SNAPSHOT_ID.fullmatch(item)]
        due = self._suspects.due(set(alone), time.monotonic())
        rest = [item for item in followed if item not in set(alone)]
        pages = [rest[start : start + PAGE] for start in range(0, len(rest), PAGE)]
        first = self._sweeps % max(1, len(pages))
        return [*pages[first:], *pages[:first], *([item] for item in due)]

    def _look(self, page: Sequence[str]) -> Exception | None:
        """Look at one page; return what kept it from being looked at."""
        try:
            listed = self._cloud.snapshots(page)
        except CloudProblem as problem:
            if not self._blames_an_id(problem):
                return problem
            return self._narrow(page, problem)
        except Unreadable as error:
            return self._narrow(page, error)
        except (Problem, Unavailable) as error:
            return error
        except Exception as error:  # one answer that can't be read must not hide all others
            logger.exception("a sweep's answer can't be read")
            return self._narrow(page, error)
        now = self._clock()
        self._suspects.clear(page)
        for snapshot_id in page:
            self._note(snapshot_id, listed.get(snapshot_id), now)
        return None

    def _blames_an_id(self, problem: CloudProblem) -> bool:
        """Tell whether one id may have failed the page: by the code, or as it fails each time."""
        if problem.code.partition(".")[0] in ABOUT_AN_ID:
            return True
        return problem.meaning.remedy is Remedy.LOOK_UP and self._failures > 1

    def _narrow(self, page: Sequence[str], error: Exception) -> Exception | None:
        """Find the id that fails a page, so that the others are seen in this very sweep."""
        if len(page) == 1:
            self._suspects.add(page[0], time.monotonic())
            logger.warning("%s can't be looked at: %s", page[0], error)
            if isinstance(error, CloudProblem) and error.code == NOT_FOUND:
                self._note(page[0], None, self._clock())
            return None
        self._narrowing -= 2
        if self._narrowing < 0:
            return error
        named = [item for item in page if item in str(error)]
        parts = [named, [item for item in page if item not in named]]
        if not all(parts):
            parts = [list(page[: len(page) // 2]), list(page[len(page) // 2 :])]
        errors = [self._look(part) for part in parts]
        return next((found for found in errors if found), None)

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


def _holds_for_all(error: Exception) -> bool:
    """Tell whether the other pages would meet the same: a throttle, keys, a right."""
    if not isinstance(error, CloudProblem):
        return False
    return error.slow or error.meaning.remedy is Remedy.SEND_AGAIN
