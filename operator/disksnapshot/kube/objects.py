"""Read and write DiskSnapshots: the finalizer, the status, each guarded against lost updates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from disksnapshot.errors import Conflict
from disksnapshot.kube.api import JSON_PATCH, MERGE, Api, Invalid
from disksnapshot.naming import DOMAIN, FINALIZER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

VERSION = "v1alpha1"
PLURAL = "disksnapshots"
KIND = "DiskSnapshot"
PAGE = "500"


class Objects:
    """The DiskSnapshots of the cluster."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def require_reachable(self) -> None:
        """Raise unless objects can be listed: the API server, our kind, our right to see it."""
        self._api.get(f"/apis/{DOMAIN}/{VERSION}/{PLURAL}", limit="1")

    def every(self) -> Iterator[dict[str, Any]]:
        """Read all objects, page by page."""
        path, query = f"/apis/{DOMAIN}/{VERSION}/{PLURAL}", {"limit": PAGE}
        while True:
            listed = self._api.get(path, **query)
            yield from listed["items"]
            more = listed["metadata"].get("continue")
            if not more:
                return
            query = {"limit": PAGE, "continue": more}

    def read(self, namespace: str, name: str) -> dict[str, Any]:
        """Return the object as it is now; raise Gone."""
        return self._api.get(_path(namespace, name))

    def require_unchanged(self, body: Mapping[str, Any]) -> None:
        """Raise Conflict unless the object is still as it was read; Gone if it is no more."""
        read = body["metadata"]
        now = self.read(read["namespace"], read["name"])["metadata"]
        if any(now[key] != read[key] for key in ("uid", "resourceVersion")):
            raise Conflict("the object has changed since it was read")

    def add_finalizer(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Put our finalizer on; raise Conflict when the object has changed or is being deleted."""
        present = body["metadata"].get("finalizers", [])
        if FINALIZER in present:
            return dict(body)
        return self._set_finalizers(body, [*present, FINALIZER])

    def drop_finalizer(self, body: Mapping[str, Any]) -> None:
        """Take our finalizer off: nothing of ours can appear in the cloud any more."""
        present = body["metadata"].get("finalizers", [])
        self._set_finalizers(body, [item for item in present if item != FINALIZER])

    def write_status(self, body: Mapping[str, Any], status: Mapping[str, Any]) -> dict[str, Any]:
        """Replace the status, only if the object is still the one that was read."""
        return self._replace_status(body, status, "/metadata/resourceVersion")

    def record(self, body: Mapping[str, Any], status: Mapping[str, Any]) -> dict[str, Any]:
        """Replace the status, only if the intent is still ours, and nobody has closed it.

        An unrelated edit must not lose the proof, so the resource version is not compared.
        """
        return self._replace_status(body, status, "/status/intent/nonce", "/status/intent/state")

    def _replace_status(
        self, body: Mapping[str, Any], status: Mapping[str, Any], *guards: str
    ) -> dict[str, Any]:
        metadata = body["metadata"]
        operations = [
            {"op": "test", "path": path, "value": _value(body, path)}
            for path in ("/metadata/uid", *guards)
        ]
        operations.append({"op": "add", "path": "/status", "value": status})
        path = f"{_path(metadata['namespace'], metadata['name'])}/status"
        try:
            return self._api.patch(path, operations, JSON_PATCH)
        except Invalid as error:
            # A failed test is a bare 422; so is a status that breaks the schema, which is our bug.
            if " is invalid: " in str(error):
                raise
            raise Conflict(str(error)) from error

    def _set_finalizers(self, body: Mapping[str, Any], finalizers: list[str]) -> dict[str, Any]:
        metadata = body["metadata"]
        change = {
            "metadata": {
                "uid": metadata["uid"],
                "resourceVersion": metadata["resourceVersion"],
                "finalizers": finalizers,
            }
        }
        try:
            return self._api.patch(_path(metadata["namespace"], metadata["name"]), change, MERGE)
        except Invalid as error:
            raise Conflict(str(error)) from error  # finalizers can't be added while deleting


def _value(body: Mapping[str, Any], path: str) -> Any:
    value: Any = body
    for key in path.strip("/").split("/"):
        value = value[key]
    return value


def _path(namespace: str, name: str) -> str:
    return f"/apis/{DOMAIN}/{VERSION}/namespaces/{namespace}/{PLURAL}/{name}"
