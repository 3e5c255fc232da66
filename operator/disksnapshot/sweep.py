"""Look, once an hour, for what was lost and for what is left over, and tell of both."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any

from disksnapshot import account
from disksnapshot.cbs.client import NOT_FOUND
from disksnapshot.cbs.listed import PAGE
from disksnapshot.cbs.there import there
from disksnapshot.errors import Conflict, Forbidden, Gone, Problem, Unavailable
from disksnapshot.kube.events import snapshot_subject
from disksnapshot.reasons import REMEDIES, Reason
from disksnapshot.sight import Key
from disksnapshot.snapshot import inventory

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Mapping
    from datetime import datetime

    from disksnapshot.cbs.client import Cloud
    from disksnapshot.cbs.listed import Snapshot
    from disksnapshot.kube.events import Events
    from disksnapshot.kube.objects import Objects
    from disksnapshot.metrics import Metrics
    from disksnapshot.snapshot.inventory import Findings, Kept, Marked

FIRST_SECONDS = 60.0
AGAIN_SECONDS = 60.0  # so long must a snapshot stay missing: a listing may lag
ORPHAN_AGE = timedelta(hours=24)
SELDOM_SECONDS = 900.0  # where only a person can help

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often, and how fast to look again; and whether old orphans are deleted."""

    every_seconds: float = 3600.0
    deletes_orphans: bool = False

    @property
    def first_seconds(self) -> float:
        """How long after the start."""
        return min(FIRST_SECONDS, self.every_seconds)

    @property
    def again_seconds(self) -> float:
        """How long until what is missing is asked for once more."""
        return min(AGAIN_SECONDS, self.every_seconds)

    def after(self, failures: int, *, slow: bool) -> float:
        """How long after so many failures in a row: ever longer, up to the usual pause."""
        shortest = SELDOM_SECONDS if slow else FIRST_SECONDS
        return min(shortest * 2.0 ** min(failures - 1, 10), self.every_seconds)


class Sweep:
    """One thread; it only works while `may_work` says so."""

    def __init__(
        self, objects: Objects, cloud: Cloud, events: Events, metrics: Metrics, cluster_id: str,
        lost: Callable[[Key, str, frozenset[str]], None], pace: Pace,
    ) -> None:  # fmt: skip
        self._objects = objects
        self._cloud = cloud
        self._events = events
        self._metrics = metrics
        self._cluster_id = cluster_id
        self._lost = lost
        self._pace = pace
        self._stop = threading.Event()
        self._failures = 0
        self._told: set[tuple[str, str]] = set()  # as of the last sweep
        self._unwanted: set[str] = set()  # uids of objects that wanted Delete as they went
        self._left_at: dict[str, datetime] = {}  # when something of these was last left over
        self._orphan_since: dict[str, datetime] = {}

    def run(self, may_work: Callable[[], bool]) -> None:
        """Sweep until stopped."""
        pause = self._pace.first_seconds
        while not self._stop.wait(pause):
            if may_work():
                pause = self.turn()
            else:
                pause = self._pace.first_seconds
                self._unwanted.clear()  # nobody here would ever take it off again
                self._metrics.left_over(0, 0)  # it is another's to show now

    def turn(self) -> float:
        """Sweep once; return the pause until the next."""
        slow = False
        try:
            self._sweep()
        except (Conflict, Forbidden, Gone, Problem, Unavailable) as error:
            logger.warning("the sweep failed: %s", error)
            slow = isinstance(error, Problem) and error.slow
        except Exception:  # what can't be read must not end the sweeps of all others
            logger.exception("the sweep failed")
        else:
            self._failures = 0
            return self._pace.every_seconds
        self._failures += 1
        return self._pace.after(self._failures, slow=slow)

    def stop(self) -> None:
        """End the sweeps."""
        self._stop.set()

    def went(self, body: Mapping[str, Any]) -> None:
        """Note how an object was in the moment that it went: only that tells what it wanted.

        What a sweep saw of it may be an hour old, and its owner may have asked for Retain since,
        so as to keep the snapshot. One that was restored may go twice: the last time counts.
        """
        uid = body["metadata"]["uid"]
        if self._pace.deletes_orphans and inventory.wanted_gone(body):
            self._unwanted.add(uid)
        else:
            self._unwanted.discard(uid)

    def _sweep(self) -> None:
        listed = self._marked(self._cloud.every_snapshot())
        went = set(self._unwanted)
        objects = self._kept()
        # Who went before and is there now was restored, and may go once more unseen.
        self._unwanted -= went & objects.keys()
        found = inventory.compare(listed, objects.values())
        found = replace(found, orphans=self._left(found.orphans))
        self._tell(found, objects)
        self._metrics.left_over(len(found.orphans), len(found.retained))
        if self._pace.deletes_orphans:
            self._forget({item.uid for item in found.orphans})
            self._delete(found.orphans, objects)
        if found.missing and not self._stop.wait(self._pace.again_seconds):
            owners = [objects[uid] for uid in found.missing]
            disks = frozenset[str]().union(*(owner.disks for owner in owners))
            if listed or account.knows_a_disk(self._cloud, disks):
                self._confirm(found.missing, objects)
            else:
                logger.warning("%s", account.nowhere(disks, chain(*found.missing.values())))

    def _kept(self) -> dict[str, Kept]:
        return {item.uid: item for item in map(inventory.kept, self._objects.every())}

    def _marked(self, snapshots: Iterable[Snapshot]) -> list[Marked]:
        found = (
            inventory.marked(item.id, item.tags, self._cluster_id, complete=item.complete)
            for item in snapshots
        )
        return [item for item in found if item]

    def _left(self, orphans: Iterable[Marked]) -> tuple[Marked, ...]:
        """Leave out what went with its object since the listing: new ones are asked for by id."""
        new = {item.id for item in orphans if (item.uid, item.id) not in self._told}
        gone = new - self._there(new)
        return tuple(item for item in orphans if item.id not in gone)

    def _there(self, ids: Iterable[str]) -> set[str]:
        wanted = sorted(set(ids))
        pages = (wanted[start : start + PAGE] for start in range(0, len(wanted), PAGE))
        return {i for page in pages for i in there(self._cloud.snapshots, page, {NOT_FOUND})}

    def _confirm(self, missing: Mapping[str, frozenset[str]], objects: Mapping[str, Kept]) -> None:
        """Ask for what is missing by its id, before anybody is told that it is lost."""
        found = self._there(chain(*missing.values()))
        for uid, ids in missing.items():
            if lost := ids - found:
                owner = objects[uid]
                self._lost(Key(owner.namespace, owner.name), uid, lost)

    def _tell(self, found: Findings, objects: Mapping[str, Kept]) -> None:
        told, self._told = self._told, set()
        for item in found.orphans:
            message = f"{item.id} in the cloud has the marks of this object, which is gone or done"
            whose = (item.uid, item.namespace, item.name)
            self._say(told, whose, Reason.ORPHANED, item.id, message)
        for item in found.retained:
            if self._is_news(told, item.uid, f"{item.id} outlives it"):
                logger.info("%s outlives %s/%s, as asked", item.id, item.namespace, item.name)
        for uid, earlier in found.previous.items():
            ids, owner = ", ".join(sorted(item.id for item in earlier)), objects[uid]
            message = f"an earlier object of this name left {ids}"
            whose = (uid, owner.namespace, owner.name)
            self._say(told, whose, Reason.PREVIOUS_EXISTS, ids, message)

    def _say(
        self, told: set[tuple[str, str]], whose: tuple[str, str, str], reason: Reason,
        what: str, message: str,
    ) -> None:  # fmt: skip
        """Log it, and write an event, unless the sweep before this one has."""
        uid, namespace, name = whose
        if not self._is_news(told, uid, what):
            return
        logger.warning("%s/%s: %s: %s", namespace, name, reason, message)
        kind = "Warning" if reason is Reason.ORPHANED else "Normal"
        self._metrics.told(kind, reason)
        subject = snapshot_subject(namespace, name, uid)
        self._events.post(subject, kind, reason, f"{message}. {REMEDIES[reason]}")

    def _is_news(self, told: set[tuple[str, str]], uid: str, what: str) -> bool:
        """Tell whether the sweep before this one hasn't said it; the next one won't."""
        self._told.add((uid, what))
        return (uid, what) not in told

    def _forget(self, left: Container[str]) -> None:
        """Forget who went of whom a day's listings show nothing; a single one may lack it."""
        now = self._cloud.clock.now()
        went = set(self._unwanted)
        self._left_at = {u: now if u in left else self._left_at.get(u, now) for u in went}
        self._unwanted -= {u for u, last in self._left_at.items() if now - last >= ORPHAN_AGE}

    def _delete(self, orphans: Iterable[Marked], objects: Mapping[str, Kept]) -> None:
        """Delete what has been an orphan for a day, if its object wants that, or did as it went.

        The objects are looked at once more: this process may have been stopped for long since
        they were, and one that was gone may have been restored.
        """
        now = self._cloud.clock.now()
        self._orphan_since = {item.id: self._orphan_since.get(item.id, now) for item in orphans}
        old = [item for item in orphans if now - self._orphan_since[item.id] >= ORPHAN_AGE]
        due = [item for item in old if self._is_unwanted(item, objects)]
        if due:
            objects = self._kept()
        for item in inventory.compare(due, objects.values()).orphans:
            if self._is_unwanted(item, objects):
                self._discard(item)

    def _is_unwanted(self, item: Marked, objects: Mapping[str, Kept]) -> bool:
        """The mark of the policy is as old as the snapshot, so it alone is never enough."""
        owner = objects.get(item.uid)
        unwanted = owner.policy == "Delete" if owner else item.uid in self._unwanted
        return unwanted and item.complete

    def _discard(self, item: Marked) -> None:
        where = f"{item.id}, an orphan of {item.namespace}/{item.name}"
        try:
            self._cloud.delete(item.id)
        except Problem as problem:
            logger.warning("%s, can't be deleted: %s", where, problem)
        else:
            logger.warning("deleted %s", where)
