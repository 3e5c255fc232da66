"""An API server in memory, as the operator uses it: what it stores, and what it refuses."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from campaign.wire import Reply

if TYPE_CHECKING:
    from collections.abc import Callable

SNAPSHOTS = "/apis/disksnapshot.io/v1alpha1"


class Refused(Exception):  # noqa: N818 - it names what came of a request
    """An answer that is no success."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class ApiServer:
    """Objects by their path. Each write makes a new version of the object and of the store."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.before: dict[str, dict[str, Any]] = {}  # each object as it was one write ago
        self.first: dict[str, dict[str, Any]] = {}  # each as it was made
        self.events: list[dict[str, Any]] = []
        self.writes: list[str] = []
        self.set_back = 0  # statuses that somebody else has changed
        self.gone: list[dict[str, Any]] = []  # what was deleted, as it was last
        self.written: list[Callable[[], object]] = []  # who is told of each write
        self.limit: int | None = None  # of bytes that etcd takes
        self._version = 0
        self._ends: list[tuple[int, dict[str, Any]]] = []  # pods that were deleted, by version

    def put(self, path: str, made: dict[str, Any]) -> None:
        """Store an object that somebody else has made or changed."""
        self._store(path, copy.deepcopy(made))

    def answer(self, method: str, path: str, query: str, body: Any, content: str) -> Reply:
        try:
            if method == "GET":
                return self._history(query) if "watch=1" in query else self._found(path, query)
            if "dryRun=All" in query:
                return Reply.of(self._read(path, {}))
            self.writes.append(f"{method} {path}")
            if method == "POST":
                self.events.append(body)
                return Reply.of(body, 201)
            return Reply.of(self._patch(path, body, content))
        except Refused as refused:
            said = {"kind": "Status", "message": str(refused), "code": refused.status}
            return Reply.of(said, refused.status)

    def delete(self, path: str) -> None:
        """Delete as kubectl does: with finalizers the object stays, marked."""
        stored = copy.deepcopy(self.objects[path])
        stored["metadata"].setdefault("deletionTimestamp", "2026-03-01T12:00:00Z")
        self._store(path, stored)

    def edit(self, path: str, **spec: Any) -> None:
        """Change the spec, as a user does: a new generation."""
        stored = copy.deepcopy(self.objects[path])
        stored["spec"] |= spec
        stored["metadata"]["generation"] += 1
        self._store(path, stored)

    def touch(self, path: str, label: str) -> None:
        """Change what nobody asks about."""
        stored = copy.deepcopy(self.objects[path])
        stored["metadata"].setdefault("labels", {})["touched"] = label
        self._store(path, stored)

    def unmark(self, path: str) -> None:
        """Take all finalizers off, by hand."""
        stored = copy.deepcopy(self.objects[path])
        stored["metadata"]["finalizers"] = []
        self._store(path, stored)

    def change_status(self, path: str, change: Callable[[dict[str, Any]], object]) -> None:
        """Change a status as a restored etcd does, or a schema that lacks some of its fields."""
        stored = copy.deepcopy(self.objects[path])
        change(stored.setdefault("status", {}))
        self.set_back += 1
        self._store(path, stored)

    def remove(self, path: str) -> None:
        """Let something else be gone, if it is there."""
        self.objects.pop(path, None)

    def version(self, path: str) -> str:
        """Return the object's version; empty when it is not there."""
        stored = self.objects.get(path)
        return str(stored["metadata"]["resourceVersion"]) if stored else ""

    def end_pod(self, path: str, ended: dict[str, Any]) -> None:
        """Delete a pod; its end is remembered for those who ask for the history."""
        self._version += 1
        self._ends.append((self._version, copy.deepcopy(ended)))
        del self.objects[path]

    def _found(self, path: str, query: str) -> Reply:
        return Reply.of(self._read(path, parse_qs(query)))

    def _history(self, query: str) -> Reply:
        """Return what happened to pods since a version, a line an event."""
        since = int(parse_qs(query)["resourceVersion"][0])
        events = [
            {"type": "DELETED", "object": pod} for version, pod in self._ends if version > since
        ]
        return Reply(body="\n".join(map(json.dumps, events)).encode())

    def _read(self, path: str, query: dict[str, list[str]]) -> dict[str, Any]:
        if path in self.objects:
            return copy.deepcopy(self.objects[path])
        found = [made for where, made in sorted(self.objects.items()) if _is_listed(where, path)]
        if not found and not path.endswith(("/pods", "/disksnapshots", "/volumeattachments")):
            raise Refused(404, f"{path} not found")
        chosen = [copy.deepcopy(made) for made in found if _is_chosen(made, query)]
        return {"metadata": {"resourceVersion": str(self._version)}, "items": chosen}

    def _patch(self, path: str, change: Any, content: str) -> dict[str, Any]:
        of_status = path.endswith("/status")
        path = path.removesuffix("/status")
        if path not in self.objects:
            raise Refused(404, f"{path} not found")
        stored = self.objects[path]
        patched = copy.deepcopy(stored)
        if "json-patch" in content:
            _json_patch(patched, change)
        else:
            _merge(patched, change)
        for identity, status in (("uid", 409), ("resourceVersion", 409)):
            if patched["metadata"][identity] != stored["metadata"][identity]:
                raise Refused(status, "the object has been modified")
        accepted = _accepted(stored, patched, of_status=of_status)
        size = len(json.dumps(accepted))
        if self.limit and size > max(self.limit, len(json.dumps(stored))):
            raise Refused(500, "etcdserver: request is too large")
        if accepted != stored:  # what changes nothing makes no version, and no watch tells of it
            self._store(path, accepted)
        return copy.deepcopy(self.objects.get(path, patched))

    def _store(self, path: str, made: dict[str, Any]) -> None:
        self._version += 1
        made["metadata"]["resourceVersion"] = str(self._version)
        if path not in self.objects:
            self.first[path] = made
        if path in self.objects:
            self.before[path] = self.objects[path]
        if "deletionTimestamp" in made["metadata"] and not made["metadata"].get("finalizers"):
            self.remove(path)
            self.gone.append(made)
        else:
            self.objects[path] = made
        for told in self.written:
            told()


def _accepted(stored: Any, patched: Any, *, of_status: bool) -> dict[str, Any]:
    """Return what a write may change: the status alone, or all but the status."""
    if of_status:
        return {**copy.deepcopy(stored), "status": patched["status"]}
    added = set(patched["metadata"].get("finalizers", ())) - set(
        stored["metadata"].get("finalizers", ())
    )
    if added and "deletionTimestamp" in stored["metadata"]:
        raise Refused(422, "the object is invalid: metadata.finalizers: Forbidden: is deleted")
    kept = {"status": copy.deepcopy(stored["status"])} if "status" in stored else {}
    return {**{key: value for key, value in patched.items() if key != "status"}, **kept}


def _json_patch(made: dict[str, Any], operations: list[dict[str, Any]]) -> None:
    for operation in operations:
        *parents, last = operation["path"].strip("/").split("/")
        place: Any = made
        for name in parents:
            place = place.get(name) if isinstance(place, dict) else None
            if place is None:
                raise Refused(422, "the server rejected our request due to an error in it")
        if operation["op"] == "add":
            place[last] = operation["value"]
        elif place.get(last) != operation["value"]:
            raise Refused(422, "the server rejected our request due to an error in it")


def _merge(made: dict[str, Any], change: dict[str, Any]) -> None:
    for name, value in change.items():
        if value is None:
            made.pop(name, None)
        elif isinstance(value, dict):
            _merge(made.setdefault(name, {}), value)
        else:
            made[name] = value


def _is_listed(where: str, path: str) -> bool:
    folder, _, kind = path.rpartition("/")
    if where.rpartition("/")[0] == path:
        return True
    return where.startswith(f"{folder}/namespaces/") and where.split("/")[-2] == kind


def _is_chosen(made: dict[str, Any], query: dict[str, list[str]]) -> bool:
    labels = made["metadata"].get("labels", {})
    for pair in query.get("labelSelector", [""])[0].split(","):
        name, _, value = pair.partition("=")
        if pair and labels.get(name) != value:
            return False
    node = query.get("fieldSelector", [""])[0].removeprefix("spec.nodeName=")
    return not node or made["spec"].get("nodeName") == node
