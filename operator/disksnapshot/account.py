"""Tell whether the keys are of the account, and the region is the one, that has our disks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from disksnapshot.cbs.listed import PAGE
from disksnapshot.naming import mark

if TYPE_CHECKING:
    from collections.abc import Iterable

    from disksnapshot.cbs.client import Cloud

MOST = 5  # ids in a message


def knows_a_disk(cloud: Cloud, disk_ids: Iterable[str]) -> bool:
    """Tell whether any of these disks is there.

    In another account or region the cloud lists nothing, without an error, so that by a wrong
    setting everything would seem to be gone.
    """
    return bool(cloud.disks(sorted(disk_ids)[:PAGE]))


def has_something_of(cloud: Cloud, cluster_id: str, disk_ids: Iterable[str]) -> bool:
    """Tell whether it has one of these disks, or else any snapshot of this cluster."""
    return knows_a_disk(cloud, disk_ids) or any(
        mark(item.tags, cluster_id, "uid") for item in cloud.every_snapshot()
    )


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
