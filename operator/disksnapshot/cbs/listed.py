"""Disks and snapshots as the cloud lists them, in the operator's own words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """One CBS disk; `state` is the cloud's own word, `instance_id` empty while it has none."""

    id: str
    state: str
    snapshot_ability: bool
    size_gib: int
    encrypted: bool
    shareable: bool = False
    migrating: bool = False
    rolling_back: bool = False
    instance_id: str = ""
    last_instance_id: str = ""

    @classmethod
    def of(cls, disk: Any) -> Self:
        """Read one of the SDK's."""
        return cls(
            id=disk.DiskId,
            state=str(disk.DiskState or ""),
            snapshot_ability=bool(disk.SnapshotAbility),
            size_gib=int(disk.DiskSize or 0),
            encrypted=bool(disk.Encrypt),
            shareable=bool(disk.Shareable),
            migrating=bool(disk.Migrating),
            rolling_back=bool(disk.Rollbacking),
            instance_id=str(disk.InstanceId or ""),
            last_instance_id=str(disk.LastAttachInsId or ""),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One CBS snapshot; `percent` is 0..100, `state` the cloud's own word."""

    id: str
    name: str
    disk_id: str
    state: str
    percent: int
    tags: Mapping[str, str]

    @classmethod
    def of(cls, snapshot: Any) -> Self:
        """Read one of the SDK's."""
        return cls(
            id=snapshot.SnapshotId,
            name=str(snapshot.SnapshotName or ""),
            disk_id=str(snapshot.DiskId or ""),
            state=str(snapshot.SnapshotState or ""),
            percent=int(snapshot.Percent or 0),
            tags={tag.Key: tag.Value for tag in snapshot.Tags or []},
        )

    @property
    def complete(self) -> bool:
        """Both are asked for: NORMAL alone has been seen before the copy was complete."""
        return self.state == "NORMAL" and self.percent == 100  # noqa: PLR2004 - per cent
