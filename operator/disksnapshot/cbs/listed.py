"""Disks and snapshots as the cloud lists them, in the operator's own words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, TypeVar

from disksnapshot.errors import CloudUnavailable, Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PAGE = 100  # the greatest Limit of a Describe call
T = TypeVar("T")


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
            id=_id(disk.DiskId),
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
            id=_id(snapshot.SnapshotId),
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


def page(answer: Any, items: str, of: Callable[[Any], T], offset: int = 0) -> list[T]:
    """Read a page of the SDK's; one that lacks what it counts must not be taken for all."""
    try:
        total = int(answer.TotalCount)
        found = [of(item) for item in getattr(answer, items) or ()]
    except (AttributeError, TypeError, ValueError) as error:
        raise Unreadable(f"{items} can't be read: {type(error).__name__}: {error}") from error
    due = min(PAGE, total - offset)
    if len(found) < due:
        raise CloudUnavailable(f"{items} holds {len(found)} where there should be {due}")
    return found


def _id(word: object) -> str:
    if not isinstance(word, str) or not word:
        raise ValueError("an id that is no word")
    return word
