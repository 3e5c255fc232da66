"""Show records in the form that the API documents."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from lab.cbs.records import Disk, Snapshot

# The API's times carry no zone; they are Beijing's.
_BEIJING = timezone(timedelta(hours=8))


def snapshot_document(snapshot: Snapshot, now: float) -> dict[str, Any]:
    """Show a snapshot as DescribeSnapshots does."""
    return {
        "SnapshotId": snapshot.id,
        "SnapshotName": snapshot.name,
        "SnapshotState": snapshot.state(now),
        "Percent": snapshot.percent(now),
        "DiskId": snapshot.disk_id,
        "DiskUsage": snapshot.usage,
        "DiskSize": snapshot.size_gib,
        "Placement": _placement(snapshot.zone),
        "Encrypt": snapshot.encrypted,
        "CreateTime": _time(snapshot.began),
        "DeadlineTime": "" if snapshot.deadline is None else _time(snapshot.deadline),
        "IsPermanent": snapshot.deadline is None,
        "Tags": _tags(snapshot.tags),
        "CopyFromRemote": False,
        "CopyingToRegions": [],
        "Images": [],
        "ImageCount": 0,
        "ShareReference": 0,
        "SnapshotType": "PRIVATE_SNAPSHOT",
        "TimeStartShare": _time(snapshot.began)[:10],
        # The service really sends keys that nobody documents: a client must live with them.
        "LatestOperationState": "SUCCESS",
    }


def disk_document(disk: Disk, snapshot_count: int) -> dict[str, Any]:
    """Show a disk as DescribeDisks does."""
    attached = bool(disk.instance_id)
    return {
        "DiskId": disk.id,
        "DiskName": disk.name,
        "DiskState": disk.state.value,
        "DiskType": disk.type,
        "DiskSize": disk.size_gib,
        "DiskUsage": "DATA_DISK",
        "DiskChargeType": disk.charge_type,
        "Portable": True,
        "SnapshotAbility": disk.snapshot_ability,
        "SnapshotCount": snapshot_count,
        "SnapshotSize": snapshot_count * disk.size_gib * 1024,
        "Attached": attached,
        "InstanceId": disk.instance_id,
        "InstanceIdList": [disk.instance_id] if attached else [],
        "InstanceType": "CVM" if attached else "",
        "LastAttachInsId": disk.last_instance_id,
        "AttachMode": "PF" if attached else "",
        "DeleteWithInstance": False,
        "Shareable": False,
        "Encrypt": disk.encrypted,
        "Rollbacking": False,
        "RollbackPercent": 100,
        "Migrating": False,
        "MigratePercent": 100,
        "Placement": _placement(disk.zone),
        "Tags": _tags(disk.tags),
        "CreateTime": _time(disk.created),
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


def _time(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, UTC).astimezone(_BEIJING)
    return moment.strftime("%Y-%m-%d %H:%M:%S")
