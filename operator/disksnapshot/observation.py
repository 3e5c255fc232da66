"""See what the cloud has of one object: by the poller's sweeps, or by a look-up of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from disksnapshot import account, naming
from disksnapshot.errors import Conflict, Problem
from disksnapshot.reasons import Reason
from disksnapshot.snapshot import steps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from disksnapshot.cbs.client import Cloud
    from disksnapshot.cbs.listed import Snapshot
    from disksnapshot.cbs.poller import Poller
    from disksnapshot.memory import Memory
    from disksnapshot.snapshot.spec import Ask
    from disksnapshot.snapshot.status import Done, Intent

K = TypeVar("K")


class Observer(Generic[K]):
    """Turns what the cloud lists into the plan's facts."""

    def __init__(
        self, cloud: Cloud, poller: Poller[K], memory: Memory, cluster_id: str,
        clock: Callable[[], datetime],
    ) -> None:  # fmt: skip
        self._cloud = cloud
        self._account = account.Account(cloud, cluster_id, clock)
        self._poller = poller
        self._memory = memory
        self._cluster_id = cluster_id

    def follow(self, key: K, ask: Ask, done: Done) -> steps.Seen:
        """Return what the sweeps have seen of recorded snapshots, and keep those in them."""
        if not done.recorded or done.finished or ask.deleting or not done.consistency:
            return steps.Seen()
        views = self._poller.follow(done.snapshots.values(), key)
        attempt = done.intent.attempt if done.intent else 0
        found = tuple(
            _found(view.snapshot, attempt, ours=False) for view in views.values() if view.snapshot
        )
        absent = [view.absent_since for view in views.values() if view.absent_since]
        troubles = [(v.trouble.reason, str(v.trouble)) for v in views.values() if v.trouble]
        return steps.Seen(
            snapshots=found,
            absent_since=min(absent, default=None),
            trouble=troubles[0] if troubles else None,
        )

    def look_up(self, ask: Ask, intent: Intent, clock: Callable[[], datetime]) -> steps.Seen:
        """Ask the cloud for every snapshot of this object on the disks of its intent."""
        keys = self._cloud.keys
        found = self._listed(ask, intent)
        # Of two that say they are of one attempt, the one with our tags is believed: it is last.
        found.sort(key=lambda item: item.ours)
        ids = [item.id for item in found]
        if self._cloud.keys == keys:
            self._memory.show(ask.uid, ids, keys)
        noted = self._memory.look_up(ask.uid, intent.nonce, ids, clock())
        return steps.Seen(
            snapshots=tuple(found), looked=True, absent_since=noted.since, listed=noted.listed
        )

    def require_gone(self, ask: Ask, done: Done, shown: Iterable[str], *, some: bool) -> None:
        """Raise unless what the cloud doesn't list is gone, by keys that would show it.

        All of the attempt's snapshots, or `some`; `shown` are ids that look-ups have shown. Costs
        some calls, so it is asked only before something is concluded for good. The list is read
        between two looks at the account, as the keys may have changed since it was last.

        Raises: Problem where nothing of this cluster is there; Conflict if it is listed again.
        """
        intent, ids = done.intent, set(done.snapshots.values())
        if intent is None:
            return
        made, keys = ids.union(shown), self._cloud.keys
        # They have shown all of it themselves; what disks it was of may be gone as well by now.
        can_tell = self._memory.were_shown(ask.uid, made, keys)
        if not can_tell:
            self._require_account(ask, intent, made)
        listed = {item.id for item in self._listed(ask, intent) if item.attempt == intent.attempt}
        if listed and (listed >= ids or not some):
            self._memory.lose(ask.uid, ())
            self._poller.forget(ids)  # so that they are looked at anew
            raise Conflict("what seemed to be gone is listed again")
        if not (can_tell and self._cloud.keys == keys):
            self._require_account(ask, intent, made)

    def _listed(self, ask: Ask, intent: Intent) -> list[steps.Found]:
        found = []
        for snapshot in self._cloud.snapshots_of(*intent.disk_ids):
            attempt = naming.attempt_of(snapshot.tags, snapshot.name, ask)
            if attempt is not None and snapshot.disk_id in intent.disk_ids:
                ours = naming.has_tags_of(snapshot.tags, self._cluster_id, ask.uid)
                found.append(_found(snapshot, attempt, ours=ours))
        return found

    def _require_account(self, ask: Ask, intent: Intent, ids: Iterable[str]) -> None:
        if not self._account.has_something_of(intent.disk_ids):
            reason = Reason.DELETION_BLOCKED if ask.deleting else Reason.DISK_UNUSABLE
            raise Problem(reason, account.nowhere(intent.disk_ids, ids), slow=True)


def _found(snapshot: Snapshot, attempt: int, *, ours: bool) -> steps.Found:
    return steps.Found(
        id=snapshot.id,
        disk_id=snapshot.disk_id,
        attempt=attempt,
        state=snapshot.state,
        percent=snapshot.percent,
        ours=ours,
    )
