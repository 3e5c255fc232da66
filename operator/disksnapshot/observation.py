"""See what the cloud has of one object: by the poller's sweeps, or by a look-up of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from disksnapshot import naming
from disksnapshot.snapshot import steps

if TYPE_CHECKING:
    from collections.abc import Callable
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

    def __init__(self, cloud: Cloud, poller: Poller[K], memory: Memory, cluster_id: str) -> None:
        self._cloud = cloud
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
        found = []
        for snapshot in self._cloud.snapshots_of(*intent.disk_ids):
            attempt = naming.attempt_of(
                snapshot.tags, snapshot.name, namespace=ask.namespace, name=ask.name, uid=ask.uid
            )
            if attempt is not None and snapshot.disk_id in intent.disk_ids:
                ours = naming.has_tags_of(snapshot.tags, self._cluster_id, ask.uid)
                found.append(_found(snapshot, attempt, ours=ours))
        # Of two that say they are of one attempt, the one with our tags is believed: it is last.
        found.sort(key=lambda item: item.ours)
        ids = [item.id for item in found]
        noted = self._memory.look_up(ask.uid, intent.nonce, ids, clock())
        return steps.Seen(
            snapshots=tuple(found), looked=True, absent_since=noted.since, listed=noted.listed
        )


def _found(snapshot: Snapshot, attempt: int, *, ours: bool) -> steps.Found:
    return steps.Found(
        id=snapshot.id,
        disk_id=snapshot.disk_id,
        attempt=attempt,
        state=snapshot.state,
        percent=snapshot.percent,
        ours=ours,
    )
