"""The objects of the scene, good and bad: volumes, claims, pods, Secrets, users. No I/O."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from lab.disks.images import MARIADB_IMAGE
from lab.layout import CSI_DRIVER, PAUSE_IMAGE
from lab.refusals.case import NAMESPACE

LABEL: Final = {"lab": "refusals"}  # of volumes that stand for no disk of their own
USERS: Final = {
    "asker": [("create", "disksnapshots", "disksnapshot.io")],
    "runner": [("create", "disksnapshots", "disksnapshot.io"), ("create", "pods/exec", "")],
    "forger": [
        ("get", "disksnapshots/status", "disksnapshot.io"),
        ("patch", "disksnapshots/status", "disksnapshot.io"),
    ],
}
SECRETS: Final[dict[str, dict[str, str]]] = {
    "other-keys": {"user": "snapshot", "pass": "secret"},
    "empty": {},
    "nameless": {"username": "", "password": "secret"},
    "wrong": {"username": "snapshot", "password": "wrong-password-of-the-catalogue"},
    "nobody": {"ca.crt": ""},
    "garbage": {"ca.crt": "nothing of the kind"},
}
_IDLE: Final = "trap 'exit 0' TERM; sleep infinity & wait"
_DEAF: Final = "trap '' TERM; while :; do sleep 1; done"
_MOUNT_TMPFS: Final = f"mount -t tmpfs none /data; {_IDLE}"
_MOUNT_OVERLAY: Final = (
    "mount -t tmpfs none /mnt; mkdir /mnt/upper /mnt/work; mount -t overlay none"
    f" -o lowerdir=/data,upperdir=/mnt/upper,workdir=/mnt/work /data; {_IDLE}"
)


def foreign_volumes(shelf: str, frozen: str) -> dict[str, dict[str, Any]]:
    """Return what volumes are, by the claims that are bound to them; the ids are of real disks."""
    alien = {"csi": {"driver": "cfs.csi.example", "volumeHandle": "cfs-1"}}
    return {
        "folder": {"hostPath": {"path": "/var/empty"}},
        "share": {"nfs": {"server": "192.0.2.1", "path": "/"}},
        "alien": alien,
        "striped": _cbs("disk-aaaaaaaa,disk-bbbbbbbb"),
        "lapsed": _cbs("disk-00000000"),
        "double": _cbs(shelf),
        "raw": {**_cbs(frozen), "volumeMode": "Block"},
    }


def volume(claim: str, source: Mapping[str, Any]) -> dict[str, Any]:
    spec = {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteOnce"],
        "persistentVolumeReclaimPolicy": "Retain",
        "storageClassName": "",
        "claimRef": {"namespace": NAMESPACE, "name": claim},
        **source,
    }
    metadata = {"name": f"pv-{claim}", "labels": LABEL}
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": metadata, "spec": spec}


def claim(name: str, volume_name: str, mode: str = "Filesystem") -> dict[str, Any]:
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "",
        "volumeName": volume_name,
        "volumeMode": mode,
        "resources": {"requests": {"storage": "1Gi"}},
    }
    metadata = {"name": name, "namespace": NAMESPACE}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": metadata,
        "spec": spec,
    }


def empty_claims() -> Iterator[dict[str, Any]]:
    """Return one more than may be cut together; none is ever bound."""
    for number in range(17):
        made = claim(f"empty-{number}", "no-such-volume")
        made["metadata"]["labels"] = {"kept": "empty"}
        yield made


def pods() -> Iterator[dict[str, Any]]:
    """Return the pods of the open namespace, all but the database's."""
    admin: dict[str, Any] = {"securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}}}
    yield pod(
        "shelf",
        container("app"),
        container("narrow", env=[{"name": "PATH", "value": "/usr/bin:/bin"}]),
        container("silent", image=PAUSE_IMAGE, command=None),
        container("tmpfs", words=_MOUNT_TMPFS, **admin),
        container("overlay", words=_MOUNT_OVERLAY, **admin),
        container("beside", volumeMounts=[]),
    )
    never = {"exec": {"command": ["false"]}}
    yield pod("unready", container("app", readinessProbe=never), disk="shelf")
    yield pod("crashing", container("app", words="false"), disk="shelf")
    yield pod("over", container("app", words="true"), disk="shelf", restartPolicy="Never")
    yield pod("host", container("app"), disk="shelf", hostNetwork=True)
    for name in ("frozen", "slow", "lost", "covered", "brief"):
        yield pod(name, container("app"))


def workloads() -> Iterator[dict[str, Any]]:
    """Return two sets without a pod, one of which deletes its claims at zero, and two with one."""
    yield _set("keeping", container("app", volumeMounts=[]))
    yield _set("shedding", container("app", volumeMounts=[]), when_scaled="Delete")
    yield _set("contested", container("app"), disk="contested")
    yield _set("deaf", container("app", words=_DEAF), disk="deaf")


def _set(
    name: str, program: dict[str, Any], *, disk: str = "", when_scaled: str = "Retain"
) -> dict[str, Any]:
    """Return a StatefulSet; it has one pod if that has a disk to write on."""
    label = {"app": name}
    # Longer than anybody waits for it; who listens to SIGTERM ends at once.
    inside: dict[str, Any] = {"terminationGracePeriodSeconds": 300, "containers": [program]}
    if disk:
        inside["volumes"] = [_data(disk)]
    spec = {
        "replicas": 1 if disk else 0,
        "serviceName": name,
        "selector": {"matchLabels": label},
        "template": {"metadata": {"labels": label}, "spec": inside},
        "persistentVolumeClaimRetentionPolicy": {"whenScaled": when_scaled},
    }
    metadata = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": metadata, "spec": spec}


def pod(
    name: str, *containers: dict[str, Any], disk: str = "", namespace: str = NAMESPACE, **more: Any
) -> dict[str, Any]:
    """Return a pod that mounts the claim of its own name unless another is named."""
    volumes = [_data(disk or name)]
    spec = {"terminationGracePeriodSeconds": 0, "containers": containers, "volumes": volumes}
    metadata = {"name": name, "namespace": namespace, "labels": {"app": name}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec | more}


def container(
    name: str, *, image: str = MARIADB_IMAGE, words: str = _IDLE, **more: Any
) -> dict[str, Any]:
    said = {
        "name": name,
        "image": image,
        "imagePullPolicy": "Never",
        "command": ["sh", "-c", words],
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    return {key: value for key, value in (said | more).items() if value is not None}


def secrets() -> Iterator[dict[str, Any]]:
    for name, content in SECRETS.items():
        metadata = {"name": name, "namespace": NAMESPACE}
        yield {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": content}


def users() -> Iterator[dict[str, Any]]:
    """Return what gives each user their rights, and no more."""
    group = "rbac.authorization.k8s.io"
    for name, rights in USERS.items():
        rules = [
            {"verbs": [verb], "resources": [resource], "apiGroups": [api_group]}
            for verb, resource, api_group in rights
        ]
        metadata = {"name": name, "namespace": NAMESPACE}
        yield {
            "apiVersion": f"{group}/v1",
            "kind": "Role",
            "metadata": metadata,
            "rules": rules,
        }
        yield {
            "apiVersion": f"{group}/v1",
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": {"kind": "Role", "name": name, "apiGroup": group},
            "subjects": [{"kind": "User", "name": name, "apiGroup": group}],
        }


def _data(disk: str) -> dict[str, Any]:
    return {"name": "data", "persistentVolumeClaim": {"claimName": f"data-{disk}"}}


def _cbs(handle: str) -> dict[str, Any]:
    return {"csi": {"driver": CSI_DRIVER, "volumeHandle": handle, "fsType": "ext4"}}
