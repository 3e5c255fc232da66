"""An API server in memory: one DiskSnapshot, the claims and volumes that it names, no pod."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from disksnapshot.errors import Gone
from lab.lives.stored import is_gone, patched

NAMESPACE, NAME = "shop", "orders"
UID = "0a1b2c3d-4e5f-6789-abcd-ef0123456789"


class ApiServer:
    """Reads and patches as the operator makes them: versions, and tests of a JSON Patch."""

    def __init__(
        self, disk_ids: Sequence[str], spec: Mapping[str, Any], name: str, uid: str = UID
    ) -> None:
        claims = [f"data-{index}" for index, _ in enumerate(disk_ids)]
        self.stored: dict[str, Any] | None = {
            "apiVersion": "disksnapshot.io/v1alpha1",
            "kind": "DiskSnapshot",
            "metadata": {
                "namespace": NAMESPACE,
                "name": name,
                "uid": uid,
                "generation": 1,
                "resourceVersion": "1",
            },
            "spec": {"source": {"claims": [{"name": claim} for claim in claims]}, **spec},
            "status": {"observedGeneration": -1},
        }
        self._others = dict(_claim(*pair) for pair in zip(claims, disk_ids, strict=True))
        self._others |= dict(_volume(*pair) for pair in zip(claims, disk_ids, strict=True))
        self.events: list[dict[str, Any]] = []
        self.writes = 0

    def get(self, path: str, **_: str) -> dict[str, Any]:
        if "/disksnapshots/" in path:
            if self.stored is None:
                raise Gone(path)
            return copy.deepcopy(self.stored)
        if path.endswith("/pods"):
            return {"items": []}
        if path.rpartition("/")[2] not in self._others:
            raise Gone(path)
        return copy.deepcopy(self._others[path.rpartition("/")[2]])

    def create(self, _path: str, made: Mapping[str, Any]) -> dict[str, Any]:
        self.events.append(dict(made))
        return dict(made)

    def patch(self, _path: str, change: Any, content_type: str) -> dict[str, Any]:
        if self.stored is None:
            raise Gone("it was deleted")
        stored = patched(self.stored, change, content_type)
        self.writes += 1
        stored["metadata"]["resourceVersion"] = str(self.writes + 1)
        self.stored = None if is_gone(stored) else stored
        return copy.deepcopy(stored)

    def delete(self) -> None:
        """Ask for the object's deletion, as kubectl does."""
        if self.stored:
            self.stored["metadata"]["deletionTimestamp"] = "2026-03-01T12:00:00Z"
            self.stored["metadata"].setdefault("finalizers", [])


def _claim(name: str, disk_id: str) -> tuple[str, dict[str, Any]]:
    return name, {
        "metadata": {"name": name, "namespace": NAMESPACE, "uid": f"uid-{disk_id}"},
        "spec": {"volumeName": f"pv-{name}"},
        "status": {"phase": "Bound"},
    }


def _volume(name: str, disk_id: str) -> tuple[str, dict[str, Any]]:
    return f"pv-{name}", {
        "metadata": {"name": f"pv-{name}"},
        "spec": {
            "claimRef": {"uid": f"uid-{disk_id}"},
            "csi": {"driver": "com.tencent.cloud.csi.cbs", "volumeHandle": disk_id},
        },
    }
