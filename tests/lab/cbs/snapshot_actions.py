"""The actions on snapshots: CreateSnapshot, DescribeSnapshots, DeleteSnapshots."""

import re
from typing import Any

from lab.cbs import marks
from lab.cbs.cloud import Cloud
from lab.cbs.errors import ApiError
from lab.cbs.listing import Listing
from lab.cbs.parameters import FILTERS, FLAG, INTEGER, TAGS, TEXT, ListOf, Structure
from lab.cbs.records import Disk, Snapshot, SnapshotState
from lab.cbs.settings import Settings
from lab.cbs.views import snapshot_document

CREATE = Structure(
    {},
    {
        "DiskId": TEXT,
        "SnapshotName": TEXT,
        "Deadline": TEXT,
        "DiskBackupId": TEXT,
        "Tags": TAGS,
        "DiskUsage": TEXT,
        "LocalSnap": FLAG,
    },
)
DESCRIBE = Structure(
    {},
    {
        "SnapshotIds": ListOf(TEXT),
        "Filters": FILTERS,
        "Limit": INTEGER,
        "Offset": INTEGER,
        "Order": TEXT,
        "OrderField": TEXT,
    },
)
DELETE = Structure({"SnapshotIds": ListOf(TEXT)}, {"DeleteBindImages": FLAG})

_LISTING: Listing[Snapshot] = Listing(
    ids="SnapshotIds",
    form=re.compile(r"snap-[0-9a-z]{8}"),
    filters={
        "snapshot-id": lambda snapshot, _: [snapshot.id],
        "snapshot-name": lambda snapshot, _: [snapshot.name],
        "snapshot-state": lambda snapshot, now: [snapshot.state(now)],
        "snapshot-type": lambda _snapshot, _: ["PRIVATE_SNAPSHOT"],
        "disk-id": lambda snapshot, _: [snapshot.disk_id],
        "disk-usage": lambda snapshot, _: [snapshot.usage],
        "encrypt": lambda snapshot, _: [str(snapshot.encrypted).upper()],
        "project-id": lambda _snapshot, _: ["0"],
    },
    fuzzy="snapshot-name",
    most_values={"disk-id": 10},
)


def create(cloud: Cloud, asked: dict[str, Any]) -> dict[str, Any]:
    """Cut a disk, now: the reply comes after the cut, unless the settings turn that round."""
    for name in ("DiskBackupId", "LocalSnap"):
        if name in asked:
            raise ApiError("UnsupportedOperation", f"{name} isn't emulated.")
    if "DiskId" not in asked:
        raise ApiError("MissingParameter", "The request is missing a required parameter `DiskId`.")
    disk = cloud.disk(asked["DiskId"])
    if not disk.snapshot_ability:
        raise ApiError(
            "InvalidDisk.NotSupportSnapshot", f"The disk `{disk.id}` can't have snapshots."
        )
    return {"SnapshotId": cloud.cut(_intended(cloud, disk, asked)).id}


def describe(cloud: Cloud, asked: dict[str, Any]) -> dict[str, Any]:
    """List the snapshots that are visible; an unknown id is no error, only missing."""
    now = cloud.now()
    page, total = _LISTING.choose(
        asked, cloud.snapshots(visible_at=now), now, fuzzy_names=cloud.settings.fuzzy_names
    )
    return {"TotalCount": total, "SnapshotSet": [snapshot_document(cut, now) for cut in page]}


def delete(cloud: Cloud, asked: dict[str, Any]) -> dict[str, Any]:
    """Delete all of these snapshots, or refuse and delete none."""
    if not asked["SnapshotIds"]:
        raise ApiError("MissingParameter", "SnapshotIds names no snapshot.")
    now = cloud.now()
    for snapshot in [cloud.snapshot(snapshot_id) for snapshot_id in asked["SnapshotIds"]]:
        if snapshot.state(now) != SnapshotState.NORMAL:
            raise ApiError(
                "ResourceUnavailable.SnapshotCreating",
                f"The snapshot `{snapshot.id}` is being created.",
            )
    cloud.delete_snapshots(asked["SnapshotIds"])
    return {}


def _intended(cloud: Cloud, disk: Disk, asked: dict[str, Any]) -> Snapshot:
    now = cloud.now()
    usage = asked.get("DiskUsage", "DATA_DISK")
    if usage not in {"DATA_DISK", "SYSTEM_DISK"}:
        raise ApiError("InvalidParameterValue", "DiskUsage must be SYSTEM_DISK or DATA_DISK.")
    return Snapshot(
        id=cloud.new_id("snap"),
        disk_id=disk.id,
        name=marks.name(asked.get("SnapshotName", "Unnamed")),
        size_gib=disk.size_gib,
        zone=disk.zone,
        tags=marks.tags(asked.get("Tags", [])),
        encrypted=disk.encrypted,
        usage=usage,
        deadline=marks.deadline(asked["Deadline"], now) if "Deadline" in asked else None,
        began=now,
        creation_seconds=cloud.settings.creation_milliseconds / 1000,
        visibility_seconds=cloud.settings.visibility_delay_milliseconds / 1000,
        due=_due(cloud.settings, now),
        visible_before_cut=cloud.settings.visible_before_cut,
    )


def _due(settings: Settings, now: float) -> float | None:
    """Return when a cut is due that comes after the reply; None for one before it."""
    if not settings.cut_delay_milliseconds:
        return None
    after = settings.reply_delay_milliseconds + settings.cut_delay_milliseconds
    return now + after / 1000
