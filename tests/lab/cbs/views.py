"""Show records in the form that the API documents."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from lab.cbs.records import Disk, DiskState, Snapshot
from lab.cbs.settings import Settings

_MONTH_SECONDS = 30 * 86400
_HALF, _DONE = 50, 100  # per cent of what goes on, and of what doesn't
_UNUSED_ON_DISKS: Mapping[str, Any] = {
    "DeadlineTime": "",
    "DifferDaysOfDeadline": 0,
    "DeadlineError": False,
    "AutoRenewFlagError": False,
    "RenewFlag": "NOTIFY_AND_MANUAL_RENEW",
    "IsReturnable": False,
    "ReturnFailCode": 0,
    "BackupDisk": True,
    "DeleteSnapshot": 0,
    "DiskBackupQuota": 0,
    "DiskBackupCount": 0,
    "ThroughputPerformance": 0,
    "BurstPerformance": False,
    "ErrorPrompt": "",
    "AutoSnapshotPolicyIds": None,
    "LatestOperation": "",
}


def snapshot_document(snapshot: Snapshot, now: float, settings: Settings) -> dict[str, Any]:
    """Show a snapshot as DescribeSnapshots does."""
    permanent = snapshot.deadline is None
    shown_deadline = snapshot.deadline
    if permanent and settings.deadline_when_permanent:
        shown_deadline = snapshot.began + _MONTH_SECONDS
    document = {
        "SnapshotId": snapshot.id,
        "SnapshotName": snapshot.name,
        "SnapshotState": snapshot.state(now),
        "Percent": snapshot.percent(now),
        "DiskId": snapshot.disk_id,
        "DiskUsage": snapshot.usage,
        "DiskSize": snapshot.size_gib,
        "Placement": _placement(snapshot.zone),
        "Encrypt": snapshot.encrypted,
        "CreateTime": _time(snapshot.began, settings),
        "DeadlineTime": "" if shown_deadline is None else _time(shown_deadline, settings),
        "IsPermanent": permanent,
        "Tags": _tags(snapshot.tags),
        "CopyFromRemote": False,
        "CopyingToRegions": [],
        "Images": [{"ImageId": image, "ImageName": "Unnamed"} for image in snapshot.images],
        "ImageCount": len(snapshot.images),
        "ShareReference": snapshot.shares,
        "SnapshotType": "PRIVATE_SNAPSHOT",
        "TimeStartShare": _time(snapshot.began, settings)[:10],
        # The service really sends keys that nobody documents: a client must live with them.
        "LatestOperationState": "SUCCESS",
    }
    return document | (_newer_keys(snapshot) if settings.newer_keys else {})


def _newer_keys(snapshot: Snapshot) -> dict[str, Any]:
    modified = datetime.fromtimestamp(snapshot.modified or snapshot.began, UTC)
    return {
        "IsLocked": snapshot.locked,
        "LatestModifyTime": modified.isoformat(timespec="seconds"),
        "AutoSnapshotPolicyId": "",
        "SnapshotMode": "STANDARD_SNAPSHOT",
    }


def disk_document(
    disk: Disk, snapshot_count: int, now: float, settings: Settings
) -> dict[str, Any]:
    """Show a disk as DescribeDisks does."""
    state, holder = disk.state(now), disk.holder(now)
    listed = bool(holder) and (settings.instance_id_lists or disk.shareable)
    return {
        "DiskId": disk.id,
        "DiskName": disk.name,
        "DiskState": state,
        "DiskType": disk.type,
        "DiskSize": disk.size_gib,
        "DiskUsage": disk.usage,
        "DiskChargeType": disk.charge_type,
        "Portable": True,
        "SnapshotAbility": disk.snapshot_ability,
        "SnapshotCount": snapshot_count,
        "SnapshotSize": snapshot_count * disk.size_gib * 1024,
        "Attached": bool(holder) and state != DiskState.ATTACHING,
        "InstanceId": holder,
        "InstanceIdList": [holder] if listed else [],
        "InstanceType": "CVM" if holder else "",
        "LastAttachInsId": disk.last_instance_id,
        "AttachMode": "PF" if holder else "",
        "DeleteWithInstance": False,
        "Shareable": disk.shareable,
        "Encrypt": disk.encrypted,
        "Rollbacking": state == DiskState.ROLLBACKING,
        "RollbackPercent": _HALF if state == DiskState.ROLLBACKING else _DONE,
        "Migrating": disk.migrating,
        "MigratePercent": _HALF if disk.migrating else _DONE,
        "Placement": _placement(disk.zone),
        "Tags": _tags(disk.tags),
        "CreateTime": _time(disk.created, settings),
        **_UNUSED_ON_DISKS,
    }


def _placement(zone: str) -> dict[str, Any]:
    return {
        "Zone": zone,
        "ProjectId": 0,
        "ProjectName": "",
        "CageId": "",
        "CdcId": "",
        "CdcName": "",
        "DedicatedClusterId": "",
    }


def _tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _time(seconds: float, settings: Settings) -> str:
    """Show a time without its zone, which is Beijing's."""
    zone = timezone(timedelta(hours=settings.time_zone_hours))
    return datetime.fromtimestamp(seconds, zone).strftime("%Y-%m-%d %H:%M:%S")
