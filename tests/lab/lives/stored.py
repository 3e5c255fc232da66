"""What a write makes of a stored object, as the API server's rules have it."""

import copy
from collections.abc import Mapping
from typing import Any

from disksnapshot.errors import Conflict

IDENTITIES = ("uid", "resourceVersion")


def patched(stored: Mapping[str, Any], change: Any, content_type: str) -> dict[str, Any]:
    """Return the object after a patch of the operator's: of its status, or of its finalizers.

    Raises: Conflict if a test of a JSON Patch fails, or if it is another object or version.
    """
    made: dict[str, Any] = copy.deepcopy(dict(stored))
    if "json-patch" in content_type:
        _json_patch(made, change)
        return made
    for identity in IDENTITIES:
        if change["metadata"][identity] != made["metadata"][identity]:
            raise Conflict(f"the {identity} differs")
    made["metadata"]["finalizers"] = change["metadata"]["finalizers"]
    return made


def is_gone(made: Mapping[str, Any]) -> bool:
    """Tell whether nothing keeps an object any more whose deletion was asked for."""
    metadata = made["metadata"]
    return "deletionTimestamp" in metadata and not metadata.get("finalizers")


def _json_patch(made: dict[str, Any], operations: list[dict[str, Any]]) -> None:
    for operation in operations:
        *parents, last = operation["path"].strip("/").split("/")
        place = made
        for name in parents:
            place = place[name]
        if operation["op"] == "add":
            place[last] = operation["value"]
        elif place.get(last) != operation["value"]:
            raise Conflict("a test failed")
