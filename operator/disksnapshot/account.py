"""Tell whether the keys are of the account, and the region is the one, that has our disks."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING

from disksnapshot.cbs.listed import PAGE
from disksnapshot.cbs.there import there
from disksnapshot.naming import mark

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from disksnapshot.cbs.client import Cloud

NO_DISK = {"InvalidDiskId.NotFound", "ResourceNotFound.NotFound", "ResourceNotFound"}
MOST = 5  # ids in a message
EMPTY = timedelta(seconds=30)  # so long an account without anything of ours isn't listed again


def knows_a_disk(cloud: Cloud, disk_ids: Iterable[str]) -> bool:
    """Tell whether any of these disks is there.

    In another account or region the cloud lists nothing, without an error, so that by a wrong
    setting everything would seem to be gone. An id that isn't there may also fail the whole call.
    """
    return bool(there(cloud.disks, sorted(disk_ids)[:PAGE], NO_DISK))


class Account:
    """Tells whether the keys' account has anything of ours, for all objects together.

    Others may have thousands of snapshots there. To list them for each object that asks, each
    time it does, would use up the cloud's rate.
    """

    def __init__(self, cloud: Cloud, cluster_id: str, clock: Callable[[], datetime]) -> None:
        self._cloud = cloud
        self._cluster_id = cluster_id
        self._clock = clock
        self._listing = threading.Lock()
        self._empty: datetime | None = None

    def has_something_of(self, disk_ids: Iterable[str]) -> bool:
        """Tell whether it has one of these disks, or else any snapshot of this cluster."""
        if knows_a_disk(self._cloud, disk_ids):
            return True
        with self._listing:
            now = self._clock()
            # Not by a time that lies ahead: the clock may have gone back since.
            if self._empty and self._empty <= now < self._empty + EMPTY:
                return False
            listed = self._cloud.every_snapshot()
            found = any(mark(item.tags, self._cluster_id, "uid") for item in listed)
            self._empty = None if found else self._clock()
            return found


def nowhere(disk_ids: Iterable[str], snapshot_ids: Iterable[str]) -> str:
    """Say that nothing of ours is there, and what therefore isn't concluded."""
    gone = _named(snapshot_ids) or "what an unanswered request may have made"
    return (
        f"the cloud shows neither {_named(disk_ids)} nor a snapshot with this cluster's marks, so "
        f"{gone} isn't taken for gone: are the keys of the right account, and is the region right?"
    )


def _named(ids: Iterable[str]) -> str:
    every = sorted(ids)
    more = [f"{len(every) - MOST} more"] if len(every) > MOST else []
    return ", ".join([*every[:MOST], *more])
