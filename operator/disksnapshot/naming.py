"""Names, tags and marks by which our cloud snapshots are known, and known as ours."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

DOMAIN = "disksnapshot.io"
FINALIZER = f"{DOMAIN}/settle"
GIVE_UP = f"{DOMAIN}/give-up"  # an annotation; it lets an object go, and never deletes anything
NAME_LIMIT = 60  # SDK cbs/v20170312/models.py, ModifySnapshotAttributeRequest.SnapshotName
TAGS_LIMIT, TAG_KEY_LIMIT, TAG_VALUE_LIMIT = 20, 127, 255
TAG_SIGNS = "+-=._:/@()[]"
FOREIGN_KEYS = ("qcs:", "project:", f"{DOMAIN}/")
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
    return _cloud_name(marks.namespace, marks.name, marks.uid, marks.attempt)


def _cloud_name(namespace: str, name: str, uid: str, attempt: int) -> str:
    suffix = f"-{_digits(uid)}-{attempt}"
    readable = re.sub(r"[^A-Za-z0-9._-]", "-", f"{namespace}-{name}")
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


def tag_fault(chosen: Mapping[str, str]) -> str | None:
    """Return what the cloud would refuse about a user's tags, beginning with its path.

    The API server checks the same by the definition; one that was installed earlier may not.
    """
    if len(chosen) > TAGS_LIMIT:
        return f": there are {len(chosen)} tags, and {TAGS_LIMIT} at most are allowed"
    for key, value in chosen.items():
        where = f"[{key[:TAG_KEY_LIMIT]!r}]"
        if not 1 <= len(key) <= TAG_KEY_LIMIT:
            return f"{where}: a key has 1 to {TAG_KEY_LIMIT} characters"
        if key.startswith(FOREIGN_KEYS):
            return f"{where}: keys must not start with {', '.join(FOREIGN_KEYS)}"
        if len(value) > TAG_VALUE_LIMIT:
            return f"{where}: a value has {TAG_VALUE_LIMIT} characters at most"
        if not (_is_tag_text(key) and _is_tag_text(value)):
            return f"{where}: only letters, digits, spaces and {TAG_SIGNS} are allowed"
    return None


def _is_tag_text(text: str) -> bool:
    """Tell whether all is letters and digits of any script, spaces, and the signs of CBS tags."""
    return all(unicodedata.category(c)[0] in "LN" or c in TAG_SIGNS or c == " " for c in text)


def has_tags_of(found: Mapping[str, str], cluster: str, uid: str) -> bool:
    """Tell whether tags prove that a snapshot is this object's. Only then may it be deleted."""
    return found.get(f"{DOMAIN}/cluster") == cluster and found.get(f"{DOMAIN}/uid") == uid


def mark(found: Mapping[str, str], cluster: str, name: str) -> str:
    """Return one of our marks by tags, if they name this cluster; else nothing."""
    return found.get(f"{DOMAIN}/{name}", "") if found.get(f"{DOMAIN}/cluster") == cluster else ""


class Identity(Protocol):
    """Whatever names one object: what is asked of it, or the marks of its snapshots."""

    @property
    def namespace(self) -> str:
        """Return the object's namespace."""

    @property
    def name(self) -> str:
        """Return its name there."""

    @property
    def uid(self) -> str:
        """Return what tells it from every other object, also of its name."""


def attempt_of(tags: Mapping[str, str], found: str, whose: Identity) -> int | None:
    """Return the attempt of an object that made a snapshot, by its tags or else its name `found`.

    Tags may not stick to a snapshot (seen in the field), so a name may adopt; it never deletes.
    It must be the very name: somebody's copy, or a name that only contains it, is not ours.
    """
    if tags.get(f"{DOMAIN}/uid") == whose.uid:
        number = tags.get(f"{DOMAIN}/attempt", "")
        return int(number) if number.isdecimal() else None
    number = found.rpartition("-")[2]
    if f"{DOMAIN}/uid" in tags or not number.isdecimal():
        return None
    attempt = int(number)
    said = _cloud_name(whose.namespace, whose.name, whose.uid, attempt)
    return attempt if found == said else None


def _digits(uid: str) -> str:
    return uid.replace("-", "")[:UID_DIGITS]
