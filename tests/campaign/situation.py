"""What is in the cluster before the fault: two objects, a database, and its neighbours."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from campaign.apiserver import SNAPSHOTS
from campaign.operators import FREEZERS
from disksnapshot.sight import Key

if TYPE_CHECKING:
    from campaign.apiserver import ApiServer

NAMESPACE = "shop"
SUBJECT, NEIGHBOUR = Key(NAMESPACE, "orders"), Key(NAMESPACE, "calm")
UIDS = {
    SUBJECT: "0a1b2c3d-4e5f-6789-abcd-ef0123456789",
    NEIGHBOUR: "1a1b2c3d-4e5f-6789-abcd-ef0123456789",
}
DISKS = {SUBJECT: "disk-aaaaaaaa", NEIGHBOUR: "disk-bbbbbbbb"}
LOGS = "logs-orders"  # a second claim of the database
ARCHIVE = "archive-orders"  # a claim that no pod mounts
OTHER_DISKS = {LOGS: "disk-dddddddd", ARCHIVE: "disk-eeeeeeee"}
PASSWORD = "the-database's-password"  # noqa: S105 - of a database in memory
RIGHT_ADDRESS, RIGHT_NODE = "10.0.0.7", "node-1"
MOUNTS = "freezer-node-1: /host/kubelet/pods/uid-mysql-0/volumes/kubernetes.io~csi"
RIGHT_PLACES = {
    RIGHT_ADDRESS, f"{MOUNTS}/pv-orders/mount", f"{MOUNTS}/pv-{LOGS}/mount",
    "container main of pod mysql-0",
}  # fmt: skip
RIGHT_POD = f"/api/v1/namespaces/{NAMESPACE}/pods/mysql-0"
CLAIM = f"/api/v1/namespaces/{NAMESPACE}/persistentvolumeclaims/data-orders"
VOLUME = "/api/v1/persistentvolumes/pv-orders"
CLASS = "/apis/storage.k8s.io/v1/storageclasses/cbs"
FREEZER_POD = f"/api/v1/namespaces/{FREEZERS}/pods/freezer-{RIGHT_NODE}"
QUIESCE: dict[str, Any] = {
    "maxHoldSeconds": 10,
    "steps": [
        {"mysql": {"credentialsSecretRef": {"name": "mysql-snapshot"}}},
        {"freeze": {"method": "Agent"}},
    ],
}


def path(key: Key) -> str:
    return f"{SNAPSHOTS}/namespaces/{key.namespace}/disksnapshots/{key.name}"


def furnish(server: ApiServer, spec: dict[str, Any]) -> None:
    """Put everything there; `spec` is that of the object under test."""
    core = f"/api/v1/namespaces/{NAMESPACE}"
    server.put(CLASS, {"metadata": {"name": "cbs"}, "provisioner": "com.tencent.cloud.csi.cbs"})
    own = ("data-orders", LOGS) if _claims(spec) == ["data-orders", LOGS] else ("data-orders",)
    _pod(server, NAMESPACE, "mysql-0", RIGHT_NODE, RIGHT_ADDRESS, *own)
    # One that is Ready too, on the same node, of the same application, and mounts something else.
    _pod(server, NAMESPACE, "mysql-1", RIGHT_NODE, "10.0.0.8", "data-other")
    _pod(server, NAMESPACE, "apple", RIGHT_NODE, "10.0.0.6", "data-apple")
    for node in ("node-0", RIGHT_NODE):
        _pod(server, FREEZERS, f"freezer-{node}", node, "10.0.1.1", labels={"app": "freezer"})
    secret = {"username": _text("snap"), "password": _text(PASSWORD)}
    server.put(
        f"{core}/secrets/mysql-snapshot",
        {"metadata": {"name": "mysql-snapshot"}, "data": secret},
    )
    for name, disk_id in OTHER_DISKS.items():
        _claim(server, name, f"pv-{name}", disk_id)
    put(server, SUBJECT, UIDS[SUBJECT], DISKS[SUBJECT], spec)
    put(server, NEIGHBOUR, UIDS[NEIGHBOUR], DISKS[NEIGHBOUR], {})


def put(server: ApiServer, key: Key, uid: str, disk_id: str, spec: dict[str, Any]) -> None:
    """Put one object there, with the claim and the volume that it is about."""
    _claim(server, f"data-{key.name}", f"pv-{key.name}", disk_id)
    server.put(path(key), snapshot(key, spec, uid))


def snapshot(key: Key, spec: dict[str, Any], uid: str = "") -> dict[str, Any]:
    source = {"claims": [{"name": f"data-{key.name}"}]}
    return {
        "apiVersion": "disksnapshot.io/v1alpha1",
        "kind": "DiskSnapshot",
        "metadata": {
            "namespace": key.namespace,
            "name": key.name,
            "uid": uid or UIDS[key],
            "generation": 1,
        },
        "spec": {"source": source, "deletionPolicy": "Retain", **spec},
        "status": {"observedGeneration": -1},
    }


def _claims(spec: dict[str, Any]) -> list[str]:
    return [claim["name"] for claim in spec.get("source", {}).get("claims", ())]


def disks(spec: dict[str, Any]) -> list[str]:
    """Return the disks that an object with this spec is about."""
    return [OTHER_DISKS.get(name, DISKS[SUBJECT]) for name in _claims(spec)] or [DISKS[SUBJECT]]


def _claim(server: ApiServer, name: str, volume: str, disk_id: str) -> None:
    server.put(
        f"/api/v1/namespaces/{NAMESPACE}/persistentvolumeclaims/{name}",
        {
            "metadata": {"name": name, "uid": f"uid-{name}"},
            "spec": {"volumeName": volume, "storageClassName": "cbs"},
            "status": {"phase": "Bound"},
        },
    )
    source = {"driver": "com.tencent.cloud.csi.cbs", "volumeHandle": disk_id}
    server.put(
        f"/api/v1/persistentvolumes/{volume}",
        {
            "metadata": {"name": volume},
            "spec": {"claimRef": {"uid": f"uid-{name}"}, "csi": source},
        },
    )


def _pod(
    server: ApiServer, namespace: str, name: str, node: str, address: str,
    *claims: str, labels: dict[str, str] | None = None,
) -> None:  # fmt: skip
    volumes = [{"name": claim, "persistentVolumeClaim": {"claimName": claim}} for claim in claims]
    server.put(
        f"/api/v1/namespaces/{namespace}/pods/{name}",
        {
            "metadata": {"name": name, "uid": f"uid-{name}", "labels": labels or {}},
            "spec": {"nodeName": node, "volumes": volumes, "containers": [{"name": "main"}]},
            "status": {
                "phase": "Running",
                "podIP": address,
                "conditions": [{"type": "Ready", "status": "True"}],
                "containerStatuses": [{"name": "main", "ready": True, "state": {"running": {}}}],
            },
        },
    )


def _text(word: str) -> str:
    return base64.b64encode(word.encode()).decode()
