"""Read what the control port is asked to change on a disk or a snapshot."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from lab.cbs.records import Disk, Snapshot

# By the API's names, as DescribeDisks shows them; DiskState "" shows the true one again.
_DISK = {
    "DiskState": ("shown_state", str),
    "DiskName": ("name", str),
    "DiskType": ("type", str),
    "DiskUsage": ("usage", str),
    "DiskChargeType": ("charge_type", str),
    "Encrypt": ("encrypted", bool),
    "Migrating": ("migrating", bool),
    "Shareable": ("shareable", bool),
    "SnapshotAbility": ("snapshot_ability", bool),
    "Tags": ("tags", dict),
    "Zone": ("zone", str),
}
# By the names of `Control.snapshots`; state "" and percent None show the true ones again.
_SNAPSHOT = {
    "state": ("shown_state", str),
    "percent": ("shown_percent", int),
    "images": ("images", list),
    "shares": ("shares", int),
    "locked": ("locked", bool),
    "tags": ("tags", dict),
}


def disk(asked: Mapping[str, Any]) -> Callable[[Disk], Disk]:
    """Return the change that is asked for, or raise ValueError."""
    changes = _read(asked, _DISK)
    return lambda known: replace(known, **changes)


def snapshot(asked: Mapping[str, Any]) -> Callable[[Snapshot], Snapshot]:
    """Return the change that is asked for, or raise ValueError."""
    changes = _read(asked, _SNAPSHOT)
    return lambda known: replace(known, **changes)


def _read(asked: Mapping[str, Any], fields: Mapping[str, tuple[str, type]]) -> dict[str, Any]:
    changes = {}
    for name, value in asked.items():
        if name not in fields:
            raise ValueError(f"{name} can't be changed; these can: {', '.join(fields)}.")
        field, expected = fields[name]
        if type(value) is not expected and not (value is None and field == "shown_percent"):
            raise ValueError(f"{name} takes a value of type {expected.__name__}.")
        changes[field] = value
    return changes
