"""Names, tags and marks by which our cloud snapshots are known, and known as ours."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

DOMAIN = "disksnapshot.io"
FINALIZER = f"{DOMAIN}/settle"
GIVE_UP = f"{DOMAIN}/give-up"  # an annotation; it lets an object go, and never deletes anything
NAME_LIMIT = 60  # SDK cbs/v20170312/models.py, ModifySnapshotAttributeRequest.SnapshotName
TAG_VALUE_LIMIT = 255
UID_DIGITS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What ties a cloud snapshot to one attempt of one object of one cluster."""

    cluster: str
    uid: str
    namespace: str
    name: str
    attempt: int
    nonce: str
    policy: str = "Retain"  # when it was made; a later change can't be told to the cloud


def snapshot_name(marks: Marks) -> str:
    """Return the cloud's name: readable in the console, and the same for the same attempt."""
    suffix = f"-{_digits(marks.uid)}-{marks.attempt}"
    readable = re.sub(r"[^A-Za-z0-9._-]", "-", f"{marks.namespace}-{marks.name}")
    return readable[: NAME_LIMIT - len(suffix)].rstrip("-.") + suffix


def tags(marks: Marks, chosen: Mapping[str, str]) -> dict[str, str]:
    """Return the tags of a new snapshot: the user's, and ours, which win."""
    ours = {
        "cluster": marks.cluster,
        "uid": marks.uid,
        "attempt": str(marks.attempt),
        "nonce": marks.nonce,
        "namespace": marks.namespace,
        "name": marks.name[:TAG_VALUE_LIMIT],
        "policy": marks.policy,
    }
    # Whether the cloud trims or folds keys is not documented: none may become one of ours there.
    theirs = {
        key: value
        for key, value in chosen.items()
        if not key.strip().casefold().startswith(f"{DOMAIN}/")
    }
    return {**theirs, **{f"{DOMAIN}/{key}": value for key, value in ours.items()}}


def has_tags_of(found: Mapping[str, str], cluster: str, uid: str) -> bool:
    """Tell whether tags prove that a snapshot is this object's. Only then may it be deleted."""
    return found.get(f"{DOMAIN}/cluster") == cluster and found.get(f"{DOMAIN}/uid") == uid


def mark(found: Mapping[str, str], cluster: str, name: str) -> str:
    """Return one of our marks by tags, if they name this cluster; else nothing."""
    return found.get(f"{DOMAIN}/{name}", "") if found.get(f"{DOMAIN}/cluster") == cluster else ""


def attempt_of(found: Mapping[str, str], name: str, uid: str) -> int | None:
    """Return the attempt that made a snapshot of object `uid`, by its tags or else by its name.

    Tags may not stick to a snapshot (seen in the field), so a name may adopt; it never deletes.
    """
    if found.get(f"{DOMAIN}/uid") == uid:
        number = found.get(f"{DOMAIN}/attempt", "")
    elif f"{DOMAIN}/uid" in found:
        return None
    else:
        match = re.search(rf"-{_digits(uid)}-(\d+)$", name)
        number = match[1] if match else ""
    return int(number) if number.isdecimal() else None


def _digits(uid: str) -> str:
    return uid.replace("-", "")[:UID_DIGITS]
