"""Compare what the cloud lists with what the objects say: what is lost, and what is left over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from disksnapshot import naming
from disksnapshot.snapshot import spec, status

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """A cloud snapshot with this cluster's marks, and whom they name."""

    id: str
    uid: str
    namespace: str
    name: str
    policy: str
    complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An object, and the snapshots that its status names."""

    uid: str
    namespace: str
    name: str
    policy: str
    ready: bool
    finished: bool
    snapshots: frozenset[str]
    disks: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What doesn't match.

    `missing` are snapshots of Ready objects by uid; `orphans` have no object that would clean
    them; `retained` were made to outlive their object, and have; `previous` are, by the uid of an
    object, snapshots of earlier objects of its name.
    """

    missing: Mapping[str, frozenset[str]]
    orphans: tuple[Marked, ...]
    retained: tuple[Marked, ...]
    previous: Mapping[str, tuple[Marked, ...]]


def marked(
    snapshot_id: str, tags: Mapping[str, str], cluster: str, *, complete: bool
) -> Marked | None:
    """Read a snapshot's marks; None if they are not this cluster's."""
    words = {
        key: naming.mark(tags, cluster, key) for key in ("uid", "namespace", "name", "policy")
    }
    return Marked(id=snapshot_id, complete=complete, **words) if words["uid"] else None


def kept(body: Mapping[str, Any]) -> Kept:
    """Read an object, whatever its spec."""
    metadata, done, ask = (
        body["metadata"],
        status.parse(body.get("status", {})),
        spec.unreadable(body),
    )
    return Kept(
        uid=metadata["uid"],
        namespace=metadata["namespace"],
        name=metadata["name"],
        policy="Retain" if ask.gives_up else ask.deletion_policy,
        ready=done.ready == "True",
        finished=done.finished,
        snapshots=frozenset(done.snapshots.values()),
        disks=frozenset(done.snapshots),
    )


def wanted_gone(body: Mapping[str, Any]) -> bool:
    """Tell of an object that went whether it wanted its snapshot deleted, and not given up."""
    ask = spec.unreadable(body)
    return ask.deletion_policy == "Delete" and not ask.gives_up


def compare(listed: Collection[Marked], objects: Iterable[Kept]) -> Findings:
    """Compare; the snapshots must have been listed before the objects.

    So what is new since then is only ever missing in the list, which asking for it by its id
    sets right, and never takes an object's new snapshot for an orphan.
    """
    by_uid = {item.uid: item for item in objects}
    known = {item.id for item in listed}
    missing = {
        item.uid: item.snapshots - known
        for item in by_uid.values()
        if item.ready and item.snapshots - known
    }
    alone = [item for item in listed if item.uid not in by_uid]
    surplus = [item for item in listed if _is_surplus(item, by_uid.get(item.uid))]
    return Findings(
        missing=missing,
        orphans=(*(item for item in alone if item.policy == "Delete"), *surplus),
        retained=tuple(item for item in alone if item.policy != "Delete"),
        previous=_previous(alone, by_uid.values()),
    )


def _is_surplus(item: Marked, owner: Kept | None) -> bool:
    """Tell whether its object is done with another one: it came later than anything may."""
    return owner is not None and owner.finished and item.id not in owner.snapshots


def _previous(alone: Iterable[Marked], objects: Iterable[Kept]) -> dict[str, tuple[Marked, ...]]:
    by_name: dict[tuple[str, str], list[Marked]] = {}
    for item in alone:
        by_name.setdefault((item.namespace, item.name), []).append(item)
    named = {
        item.uid: by_name.get((item.namespace, item.name[: naming.TAG_VALUE_LIMIT]), [])
        for item in objects
    }
    return {uid: tuple(found) for uid, found in named.items() if found}
