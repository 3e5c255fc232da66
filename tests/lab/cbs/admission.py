"""What keeps a disk from being cut, or from changing hands: the refusals, in one order."""

from collections.abc import Collection

from lab.cbs.errors import ApiError
from lab.cbs.records import Disk, DiskState, Snapshot, SnapshotState
from lab.cbs.settings import Settings

_BUSY_STATES = {DiskState.EXPANDING, DiskState.DUMPING}


def check_account(settings: Settings) -> None:
    """Refuse what costs money while the account owes some."""
    if settings.in_arrears:
        raise ApiError("InvalidAccount.InsufficientBalance", "The account is in arrears.")


def check_disk(disk: Disk, now: float) -> None:
    """Refuse to cut a disk that can't have snapshots, or not now."""
    state = disk.state(now)
    if state == DiskState.ROLLBACKING:
        raise ApiError("ResourceInUse.DiskRollbacking", f"`{disk.id}` is being rolled back.")
    if disk.migrating:
        raise ApiError("ResourceInUse.DiskMigrating", f"`{disk.id}` is being migrated.")
    if state in _BUSY_STATES:
        raise ApiError("InvalidDisk.Busy", f"`{disk.id}` is {state}.")
    if state == DiskState.TORECYCLE:
        raise ApiError("InvalidDisk.NotSupported", f"`{disk.id}` waits to be recycled.")
    if disk.shareable:
        raise ApiError(
            "UnsupportedOperation.ShareDiskNotSupportSnap", f"`{disk.id}` is a shared disk."
        )
    if not disk.snapshot_ability:
        raise ApiError(
            "InvalidDisk.NotSupportSnapshot", f"The disk `{disk.id}` can't have snapshots."
        )


def check_snapshot(
    wanted: Snapshot,
    snapshots: Collection[Snapshot],
    disk_count: int,
    now: float,
    settings: Settings,
) -> None:
    """Refuse a second creation on one disk, also one whose cut goes on now, and one too many."""
    of_disk = [other for other in snapshots if other.disk_id == wanted.disk_id]
    if any(other.state(now) == SnapshotState.CREATING for other in of_disk):
        raise ApiError(
            settings.busy_code, f"A snapshot of the disk `{wanted.disk_id}` is being created."
        )
    quota = settings.quota + settings.quota_per_disk * disk_count
    used_gib = sum(other.size_gib for other in snapshots)
    if (
        _is_over(quota, len(snapshots) + 1)
        or _is_over(settings.disk_quota, len(of_disk) + 1)
        or _is_over(settings.quota_gib, used_gib + wanted.size_gib)
    ):
        raise ApiError(settings.quota_code, "The quota of snapshots is used up.")


def check_deletion(snapshot: Snapshot, now: float, *, with_images: bool) -> None:
    """Refuse to delete a snapshot that isn't NORMAL or that others depend on."""
    state = snapshot.state(now)
    if state == SnapshotState.CREATING:
        raise ApiError(
            "ResourceUnavailable.SnapshotCreating", f"`{snapshot.id}` is being created."
        )
    if state != SnapshotState.NORMAL or snapshot.locked:
        raise ApiError(
            "InvalidSnapshot.NotSupported", f"`{snapshot.id}` can't be deleted: {state}."
        )
    if snapshot.shares:
        raise ApiError("UnsupportedOperation.SnapHasShared", f"`{snapshot.id}` is shared.")
    if snapshot.images and not with_images:
        raise ApiError(
            "UnsupportedOperation.SnapshotHasBindedImage",
            f"An image was made from `{snapshot.id}`.",
        )


def _is_over(limit: int, count: int) -> bool:
    return 0 < limit < count
