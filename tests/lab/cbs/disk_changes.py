"""The actions that change disks: AttachDisks, DetachDisks and TerminateDisks."""

import re
from collections.abc import Sequence
from typing import Any

from lab.cbs import attaching
from lab.cbs.cloud import Cloud
from lab.cbs.errors import ApiError
from lab.cbs.parameters import FLAG, INTEGER, TEXT, ListOf, Structure
from lab.cbs.records import Disk, DiskState

ATTACH = Structure(
    {"InstanceId": TEXT, "DiskIds": ListOf(TEXT)}, {"DeleteWithInstance": FLAG, "AttachMode": TEXT}
)
DETACH = Structure({"DiskIds": ListOf(TEXT)}, {"InstanceId": TEXT})
TERMINATE = Structure({"DiskIds": ListOf(TEXT)}, {"DeleteSnapshot": INTEGER})
MOST_MOVED = 10
MOST_TERMINATED = 100
MOST_ON_INSTANCE = 20
_INSTANCE = re.compile(r"(ins|eks)-[0-9a-z]{8}")


def attach(cloud: Cloud, asked: dict[str, Any]) -> dict[str, Any]:
    """Give disks to an instance, all or none; they are ATTACHING for a while."""
    instance, now = asked["InstanceId"], cloud.now()
    if not _INSTANCE.fullmatch(instance):
        raise ApiError("InvalidInstanceId.NotFound", f"The instance `{instance}` isn't found.")
    disks = _chosen(cloud, asked["DiskIds"], MOST_MOVED)
    for disk in disks:
        _check_free(disk, now)
    there = sum(disk.holder(now) == instance for disk in cloud.disks())
    if there + len(disks) > MOST_ON_INSTANCE:
        raise ApiError(
            "LimitExceeded.InstanceAttachedDisk", f"`{instance}` has {there} disks already."
        )
    ready = now + cloud.settings.attach_milliseconds / 1000
    for disk in disks:
        attaching.attach(cloud, disk.id, instance, from_time=ready)
    return {}


def detach(cloud: Cloud, asked: dict[str, Any]) -> dict[str, Any]:
    """Take disks from their instance, all or none; they are DETACHING for a while."""
    now = cloud.now()
    disks = _chosen(cloud, asked["DiskIds"], MOST_MOVED)
    for disk in disks:
        if disk.state(now) != DiskState.ATTACHED:
            raise ApiError("InvalidDisk.NotSupported", f"`{disk.id}` is {disk.state(now)}.")
        if asked.get("InstanceId", disk.holder(now)) != disk.holder(now):
            raise ApiError("InvalidParameterValue", f"`{disk.id}` is on another instance.")
    for disk in disks:
        attaching.detach(cloud, disk.id, from_time=now + cloud.settings.attach_milliseconds / 1000)
    return {}


def terminate(cloud: Cloud, asked: dict[str, Any]) -> dict[str, Any]:
    """Delete disks, all or none; their snapshots stay, unless they have an end and go along."""
    disks = _chosen(cloud, asked["DiskIds"], MOST_TERMINATED)
    now = cloud.now()
    for disk in disks:
        if disk.state(now) != DiskState.UNATTACHED:
            raise ApiError("InvalidDisk.NotSupported", f"`{disk.id}` is {disk.state(now)}.")
    ids = {disk.id for disk in disks}
    for disk_id in ids:
        cloud.delete_disk(disk_id)
    if asked.get("DeleteSnapshot", 0):
        ending = [cut for cut in cloud.snapshots() if cut.disk_id in ids and cut.deadline]
        cloud.delete_snapshots([snapshot.id for snapshot in ending])
    return {}


def _chosen(cloud: Cloud, disk_ids: Sequence[str], most: int) -> list[Disk]:
    if not disk_ids:
        raise ApiError("MissingParameter", "DiskIds names no disk.")
    if len(disk_ids) > most:
        raise ApiError("InvalidParameterValue.LimitExceeded", f"DiskIds takes {most} at most.")
    return [cloud.disk(disk_id) for disk_id in disk_ids]


def _check_free(disk: Disk, now: float) -> None:
    if disk.holder(now):
        raise ApiError("ResourceUnavailable.Attached", f"`{disk.id}` is attached.")
    if disk.migrating:
        raise ApiError("ResourceInUse.DiskMigrating", f"`{disk.id}` is being migrated.")
    if disk.state(now) != DiskState.UNATTACHED:
        raise ApiError("InvalidDisk.NotSupported", f"`{disk.id}` is {disk.state(now)}.")
