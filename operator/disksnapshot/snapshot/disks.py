"""Judge disks before anything is held: which can be cut now, later, or never."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from disksnapshot.errors import Problem
from disksnapshot.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from disksnapshot.cbs.listed import Disk
    from disksnapshot.kube.claims import Claim

DETACHED = "UNATTACHED"
# States in which the cloud refuses to cut (DescribeDisks, DiskState), and what goes on in them.
BUSY = {
    "EXPANDING": "is being expanded",
    "ROLLBACKING": "is being rolled back to a snapshot",
    "DUMPING": "is being copied",
}
OVERDUE = "TORECYCLE"
ZONE = re.compile(r"([a-z]{2,}-[a-z0-9-]+)-[0-9]+")  # old volumes name zones by bare numbers


def require_distinct(claims: Iterable[Claim]) -> None:
    """One snapshot a disk: two volumes written by hand may stand for the same one."""
    by_disk: dict[str, str] = {}
    for claim in claims:
        other = by_disk.setdefault(claim.disk_id, claim.name)
        if other != claim.name:
            message = f"claims {other} and {claim.name} stand for the same disk {claim.disk_id}"
            raise Problem(Reason.DISK_UNUSABLE, message, final=True)


def usable(claim: Claim, disks: Mapping[str, Disk], region: str) -> Disk:
    """Return the disk of a claim; raise Problem when the cloud would refuse to cut it."""
    disk = disks.get(claim.disk_id)
    if disk is None:
        raise Problem(Reason.DISK_UNUSABLE, _unknown(claim, region), slow=True)
    _refuse_for_good(claim, disk)
    if disk.state == OVERDUE:
        message = (
            f"disk {disk.id} of claim {claim.name} waits to be recycled ({OVERDUE}): it, or the "
            "account, is overdue"
        )
        raise Problem(Reason.DISK_UNUSABLE, message, slow=True)
    busy = _busy(disk)
    if busy:
        raise Problem(Reason.DISK_BUSY, f"disk {disk.id} of claim {claim.name} {busy}")
    return disk


def require_still(claim: Claim, disk: Disk) -> None:
    """Refuse what nobody mounts, but what is not proven still: its hold could not be proven."""
    if claim.is_block:
        message = (
            f"claim {claim.name} is a raw block device that no pod uses: without a file system "
            "nothing proves what it holds; leave spec.quiesce out to cut it all the same"
        )
        raise Problem(Reason.FREEZE_REFUSED, message, final=True)
    if disk.state != DETACHED:
        where = f" to {disk.instance_id}" if disk.instance_id else ""
        message = (
            f"no pod mounts claim {claim.name}, but its disk {disk.id} is {disk.state}{where}, so "
            "it is not proven still"
        )
        raise Problem(Reason.DISK_BUSY, message)


def _refuse_for_good(claim: Claim, disk: Disk) -> None:
    if disk.shareable:
        message = f"disk {disk.id} of claim {claim.name} is shared, and can't have snapshots"
        raise Problem(Reason.DISK_UNUSABLE, message, final=True)
    if not disk.snapshot_ability:
        message = (
            f"disk {disk.id} of claim {claim.name} can't have snapshots (its SnapshotAbility)"
        )
        raise Problem(Reason.DISK_UNUSABLE, message, final=True)


def _busy(disk: Disk) -> str:
    """Return what goes on; the flags are asked too, since the state can say ATTACHED meanwhile."""
    if disk.rolling_back:
        return BUSY["ROLLBACKING"]
    if disk.migrating:
        return "is being migrated to another type"
    return BUSY.get(disk.state, "")


def _unknown(claim: Claim, region: str) -> str:
    message = (
        f"the cloud knows no disk {claim.disk_id}, the volume of claim {claim.name}, "
        f"in region {region}"
    )
    zone = ZONE.fullmatch(claim.zone)
    if zone and zone[1] != region:
        message += f": the volume lies in zone {claim.zone}, which the operator doesn't serve"
    return message
