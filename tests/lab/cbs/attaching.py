"""Give disks to instances and take them back."""

from dataclasses import replace

from lab.cbs.cloud import Cloud
from lab.cbs.errors import ApiError
from lab.cbs.records import Disk


def attach(cloud: Cloud, disk_id: str, instance_id: str, *, from_time: float = 0.0) -> Disk:
    """Give a disk to an instance; it is ATTACHING until a time."""

    def given(disk: Disk) -> Disk:
        if disk.holder(cloud.now()) not in {"", instance_id}:
            raise ApiError("ResourceUnavailable.Attached", f"`{disk_id}` is attached.")
        return replace(
            disk,
            instance_id=instance_id,
            last_instance_id=instance_id,
            attached_from=from_time,
            detached_from=None,
        )

    return cloud.change_disk(disk_id, given)


def detach(cloud: Cloud, disk_id: str, *, from_time: float | None = None) -> Disk:
    """Take a disk from its instance: now, or when it was DETACHING until a time."""

    def taken(disk: Disk) -> Disk:
        if from_time is None:
            return replace(disk, instance_id="", detached_from=None)
        return replace(disk, detached_from=from_time)

    return cloud.change_disk(disk_id, taken)
