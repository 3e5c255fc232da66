"""The actions on snapshots: create, describe, delete, modify, and the overview."""

import re
from dataclasses import replace
from typing import Any

from lab.cbs import admission, marks
from lab.cbs.cloud import Cloud
from lab.cbs.errors import ApiError
from lab.cbs.listing import MAX_LIMIT, Listing
from lab.cbs.parameters import FILTERS, FLAG, INTEGER, TAGS, TEXT, ListOf, Structure
from lab.cbs.records import Disk, Snapshot
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
MODIFY = Structure(
    {"SnapshotId": TEXT}, {"IsPermanent": FLAG, "SnapshotName": TEXT, "Deadline": TEXT}
)
OVERVIEW = Structure({}, {})
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
    most_values={"disk-id": 10, "snapshot-id": MAX_LIMIT},
)
_WITH_ZONE = replace(
    _LISTING, filters={**_LISTING.filters, "zone": lambda snapshot, _: [snapshot.zone]}
)


def create(cloud: Cloud, asked: dict[str, Any]) -> dict[str, Any]:
    """Cut a disk, now: the reply comes after the cut, unless the settings turn that round."""
    for name in ("DiskBackupId", "LocalSnap"):
        if name in asked:
            raise ApiError("UnsupportedOperation", f"{name} isn't emulated.")
    if "DiskId" not in asked:
        raise ApiError("MissingParameter", "The request is missing a required parameter `DiskId`.")
    disk = cloud.disk(asked["DiskId"])
    admission.check_account(cloud.settings)
    admission.check_disk(disk, cloud.now())
    return {"SnapshotId": cloud.cut(_intended(cloud, disk, asked)).id}


def describe(cloud: Cloud, asked: dict[str, Any]) -> dict[str, Any]:
    """List the snapshots that are visible; an unknown id is no error, only missing."""
    now = cloud.now()
    listing = _WITH_ZONE if cloud.settings.zone_filter else _LISTING
    page, total = listing.choose(asked, cloud.snapshots(visible_at=now), now, cloud.settings)
    shown = [snapshot_document(cut, now, cloud.settings) for cut in page]
    return {"TotalCount": total, "SnapshotSet": shown}


def delete(cloud: Cloud, asked: dict[str, Any]) -> dict[str, Any]:
    """Delete all of these snapshots, or refuse and delete none."""
    if not asked["SnapshotIds"]:
        raise ApiError("MissingParameter", "SnapshotIds names no snapshot.")
    now, with_images = cloud.now(), asked.get("DeleteBindImages", False)
    for snapshot in [cloud.snapshot(snapshot_id) for snapshot_id in asked["SnapshotIds"]]:
        admission.check_deletion(snapshot, now, with_images=with_images)
    cloud.delete_snapshots(asked["SnapshotIds"])
    return {}


def modify(cloud: Cloud, asked: dict[str, Any]) -> dict[str, Any]:
    """Change a snapshot's name, or when it ends; a deadline makes it end."""
    if asked.keys() == {"SnapshotId"}:
        raise ApiError("MissingParameter", "The request names nothing to change.")

    def changed(snapshot: Snapshot) -> Snapshot:
        return replace(
            snapshot,
            name=marks.name(asked.get("SnapshotName", snapshot.name)),
            deadline=_new_deadline(snapshot, asked, cloud.now()),
            modified=cloud.now(),
        )

    cloud.change_snapshot(asked["SnapshotId"], changed)
    return {}


def overview(cloud: Cloud, _: dict[str, Any]) -> dict[str, Any]:
    """Count the region's snapshots; sizes are those of the disks, as nothing better is kept."""
    found = cloud.snapshots(visible_at=cloud.now())
    total, free = sum(snapshot.size_gib for snapshot in found), cloud.settings.free_gib
    return {
        "TotalNums": len(found),
        "TotalSize": float(total),
        "FreeQuota": float(free),
        "RealTradeSize": float(max(0, total - free)),
    }


def _new_deadline(snapshot: Snapshot, asked: dict[str, Any], now: float) -> float | None:
    """Return when the snapshot ends from now on; None: never."""
    if asked.get("IsPermanent"):
        return None
    if "Deadline" not in asked:
        if "IsPermanent" in asked and snapshot.deadline is None:
            raise ApiError("MissingParameter", "A snapshot that isn't permanent needs a Deadline.")
        return snapshot.deadline
    if snapshot.shares:
        raise ApiError("UnsupportedOperation.SnapHasShared", f"`{snapshot.id}` is shared.")
    if snapshot.images:
        raise ApiError(
            "UnsupportedOperation.SnapshotHasBindedImage",
            f"An image was made from `{snapshot.id}`.",
        )
    return marks.deadline(asked["Deadline"], now)


def _intended(cloud: Cloud, disk: Disk, asked: dict[str, Any]) -> Snapshot:
    now = cloud.now()
    usage = asked.get("DiskUsage", disk.usage)
    if usage not in {"DATA_DISK", "SYSTEM_DISK"}:
        raise ApiError("InvalidParameterValue", "DiskUsage must be SYSTEM_DISK or DATA_DISK.")
    return Snapshot(
        id=cloud.new_id("snap"),
        disk_id=disk.id,
        name=marks.name(asked.get("SnapshotName", "Unnamed")),
        size_gib=disk.size_gib,
        zone=disk.zone,
        tags=_kept_tags(cloud.settings, asked),
        encrypted=disk.encrypted,
        usage=usage,
        deadline=marks.deadline(asked["Deadline"], now) if "Deadline" in asked else None,
        began=now,
        creation_seconds=cloud.settings.creation_milliseconds / 1000,
        visibility_seconds=cloud.settings.visibility_delay_milliseconds / 1000,
        due=_due(cloud.settings, now),
        visible_before_cut=cloud.settings.visible_before_cut,
    )


def _kept_tags(settings: Settings, asked: dict[str, Any]) -> dict[str, str]:
    """Check the tags; whether they stick is another question."""
    tags = marks.tags(asked.get("Tags", []))
    return tags if settings.tags_stick else {}


def _due(settings: Settings, now: float) -> float | None:
    """Return when a cut is due that comes after the reply; None for one before it."""
    if not settings.cut_delay_milliseconds:
        return None
    after = settings.reply_delay_milliseconds + settings.cut_delay_milliseconds
    return now + after / 1000
