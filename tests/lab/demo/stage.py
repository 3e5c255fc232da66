"""Set the stage in the lab: the operator from its chart, a database on a claim, a DiskSnapshot."""

import json
import secrets
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pymysql

from lab.cluster import Lab
from lab.cluster.waiting import until
from lab.demo.products import MARIADB, Product
from lab.disks import buildah
from lab.layout import REGION

OPERATOR_NAMESPACE: Final = "disksnapshot-system"
FREEZER_NAMESPACE: Final = "disksnapshot-freezer"
RELEASE: Final = "disksnapshot-operator"
CHART: Final = Path(__file__).parents[3] / "charts" / "disksnapshot-operator"
DEPLOYMENT: Final = "deployment/disksnapshot-operator"
_SECONDS: Final = "120s"


@dataclass(frozen=True, kw_only=True)
class Database:
    """A database pod on a claim, with the account that holds it."""

    namespace: str
    pod: str
    claim: str
    disk_id: str
    address: str
    password: str
    product: Product = MARIADB

    def connect(self, **options: Any) -> "pymysql.Connection[Any]":
        """Open a session as root, over the pod's own address."""
        chosen = {"host": self.address, "user": "root", "password": self.password}
        return pymysql.connect(**(chosen | {"autocommit": True, "connect_timeout": 5} | options))


def install_operator(lab: Lab, namespaces: Sequence[str], **values: Any) -> None:
    """Install or upgrade the operator with its chart, and wait until it is ready."""
    # The chart makes the freezer's namespace; nothing can be made in one that is still going.
    if _terminates(lab, FREEZER_NAMESPACE):
        gone = ("--for=delete", f"namespace/{FREEZER_NAMESPACE}", f"--timeout={_SECONDS}")
        lab.kubectl("wait", *gone)
    # The operator's own namespace enforces the strictest standard: that is part of the test.
    make_namespace(lab, OPERATOR_NAMESPACE, {"pod-security.kubernetes.io/enforce": "restricted"})
    credentials = {"secretId": lab.secret_id, "secretKey": lab.secret_key}
    _secret(lab, OPERATOR_NAMESPACE, "cbs-credentials", credentials)
    chosen = _values(lab, namespaces) | values
    _forget_interrupted(lab)
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(chosen, file)
        file.flush()
        where = ("--namespace", OPERATOR_NAMESPACE, "--values", file.name)
        wait = ("--wait", "--timeout", _SECONDS)
        lab.helm("upgrade", "--install", RELEASE, str(CHART), *where, *wait, "--take-ownership")


def _forget_interrupted(lab: Lab) -> None:
    """Remove a release whose Helm was killed in the middle: Helm refuses to go on with one."""
    status = release_status(lab)
    if status.startswith("pending-") or status == "uninstalling":
        lab.helm("uninstall", RELEASE, "--namespace", OPERATOR_NAMESPACE, "--no-hooks")


def release_status(lab: Lab) -> str:
    """Return what Helm calls the operator's release; nothing where there is none."""
    said = lab.helm("list", "--all", "--namespace", OPERATOR_NAMESPACE, "--output", "json")
    return str({item["name"]: item["status"] for item in json.loads(said)}.get(RELEASE, ""))


def uninstall_operator(lab: Lab) -> None:
    """Remove the release and the namespaces it lived in."""
    lab.helm("uninstall", RELEASE, "--namespace", OPERATOR_NAMESPACE, "--ignore-not-found")
    for namespace in (OPERATOR_NAMESPACE, FREEZER_NAMESPACE):
        lab.kubectl("delete", "namespace", namespace, "--ignore-not-found", "--wait")


def start_database(
    lab: Lab, namespace: str, name: str = "orders", disk_id: str | None = None,
    password: str | None = None, product: Product = MARIADB,
) -> Database:  # fmt: skip
    """Run a database pod on a claim (of an existing disk, if given), with its snapshot account."""
    password = password or secrets.token_urlsafe(12)
    make_namespace(lab, namespace)
    disk = lab.make_claim(namespace, f"data-{name}", size_gib=2, disk_id=disk_id)
    apply(lab, _pod(namespace, name, password, product))
    address = _address_once_ready(lab, namespace, name)
    database = Database(
        namespace=namespace, pod=name, claim=f"data-{name}", disk_id=disk,
        address=address, password=password, product=product,
    )  # fmt: skip
    if disk_id is None:
        _make_account(lab, database)
    return database


def remove_database(lab: Lab, database: Database) -> None:
    """Delete the pod, its claim and its disk."""
    lab.kubectl(
        "-n", database.namespace, "delete", "pod", database.pod, "--wait", "--ignore-not-found"
    )
    lab.remove_claim(database.namespace, database.claim)


def restart_database(lab: Lab, database: Database) -> Database:
    """Run a deleted database pod anew on the claim that is left of it."""
    where = ("-n", database.namespace)
    lab.kubectl(*where, "wait", "--for=delete", f"pod/{database.pod}", f"--timeout={_SECONDS}")
    apply(lab, _pod(database.namespace, database.pod, database.password, database.product))
    return replace(database, address=_address_once_ready(lab, database.namespace, database.pod))


def make_namespace(lab: Lab, name: str, labels: Mapping[str, str] | None = None) -> None:
    """Make it, or see that it is there."""
    metadata = {"name": name, "labels": dict(labels or {})}
    apply(lab, {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})


def remove_namespace(lab: Lab, namespace: str) -> None:
    """Delete a namespace with its claims, volumes and disks; the cloud's snapshots stay."""
    where = ("namespace", namespace, "--ignore-not-found", "--wait", "--timeout=120s")
    lab.kubectl("delete", *where)
    remove_volumes(lab, namespace)


def remove_volumes(lab: Lab, namespace: str) -> None:
    """Delete what a deleted namespace leaves behind: its volumes and their disks."""
    volumes = json.loads(lab.kubectl("get", "pv", "-o", "json"))["items"]
    for volume in volumes:
        if volume["spec"].get("claimRef", {}).get("namespace") == namespace:
            lab.kubectl("delete", "pv", volume["metadata"]["name"], "--wait", "--ignore-not-found")
            disk = volume["spec"]["csi"]["volumeHandle"]
            until(lambda d=disk: _detached(lab, d), f"{disk} is detached", seconds=60)  # type: ignore[misc]  # d is bound here
            lab.cbs.delete_disk(disk)


def mount_of(lab: Lab, database: Database) -> Path:
    """Return where the node has mounted the database's disk."""
    uid = get(lab, database.namespace, database.pod, "pod")["metadata"]["uid"]
    volumes: Path = lab.layout.kubelet / "pods" / uid / "volumes" / "kubernetes.io~csi"
    return volumes / f"pv-{database.disk_id}" / "mount"


def disk_snapshot(database: Database, name: str, **spec: Any) -> dict[str, Any]:
    """Return a DiskSnapshot that locks and freezes the database."""
    steps = [
        {"mysql": {"credentialsSecretRef": {"name": f"{database.pod}-snapshot"}}},
        {"freeze": {"method": "Agent"}},
    ]
    chosen = {"source": {"claims": [{"name": database.claim}]}, "quiesce": {"steps": steps}}
    return {
        "apiVersion": "disksnapshot.io/v1alpha1",
        "kind": "DiskSnapshot",
        "metadata": {"name": name, "namespace": database.namespace},
        "spec": chosen | spec,
    }


def apply(lab: Lab, *objects: Mapping[str, Any]) -> None:
    """Apply objects as a user would, with kubectl."""
    lab.kubectl(
        "apply",
        "-f",
        "-",
        stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}),
    )


def get(lab: Lab, namespace: str, name: str, kind: str = "disksnapshot") -> dict[str, Any]:
    """Read an object."""
    return dict(json.loads(lab.kubectl("-n", namespace, "get", kind, name, "-o", "json")))


def freezer_values(lab: Lab) -> dict[str, Any]:
    """Return the chart's values for the freezer on the lab's node."""
    return {
        "enabled": True,
        "namespace": FREEZER_NAMESPACE,
        "kubeletDir": str(lab.layout.kubelet),
        "recordDir": str(lab.layout.freezer),
    }


def _address_once_ready(lab: Lab, namespace: str, pod: str) -> str:
    where = ("-n", namespace)
    lab.kubectl(*where, "wait", "--for=condition=Ready", f"pod/{pod}", f"--timeout={_SECONDS}")
    return lab.kubectl(*where, "get", "pod", pod, "-o", "jsonpath={.status.podIP}")


def _terminates(lab: Lab, namespace: str) -> bool:
    field = "jsonpath={.metadata.deletionTimestamp}"
    return bool(lab.kubectl("get", "namespace", namespace, "--ignore-not-found", "-o", field))


def _detached(lab: Lab, disk_id: str) -> bool:
    return bool(lab.cbs.disk(disk_id)["DiskState"] == "UNATTACHED")


def _values(lab: Lab, namespaces: Sequence[str]) -> dict[str, Any]:
    return {
        "image": {"repository": "localhost/operator", "tag": "lab", "pullPolicy": "Never"},
        "tencent": {
            "endpoint": lab.cbs_endpoint,
            "region": REGION,
            "caBundle": lab.ca_file.read_text(),
            "credentials": {"existingSecret": "cbs-credentials"},
        },
        "namespaces": list(namespaces),
        "execNamespaces": list(namespaces),
        "scaleNamespaces": list(namespaces),
        # A changed image keeps its name in the lab: the label makes new pods of it.
        "commonLabels": {"lab-image": buildah.key()},
        "freezer": freezer_values(lab),
    }


def _make_account(lab: Lab, database: Database) -> None:
    password = secrets.token_urlsafe(12)
    with database.connect() as session, session.cursor() as cursor:
        make, *grants = database.product.account
        cursor.execute(make, (password,))
        for grant in grants:
            cursor.execute(grant)
    account = {"username": "snapshot", "password": password}
    _secret(lab, database.namespace, f"{database.pod}-snapshot", account)


def _pod(namespace: str, name: str, password: str, product: Product) -> dict[str, Any]:
    container = {
        "name": product.name,
        "image": product.image,
        "imagePullPolicy": "Never",
        "env": [{"name": product.password_variable, "value": password}],
        "ports": [{"containerPort": 3306}],
        "readinessProbe": {"tcpSocket": {"port": 3306}, "periodSeconds": 1},
        "volumeMounts": [{"name": "data", "mountPath": "/var/lib/mysql"}],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": name}},
        "spec": {
            "terminationGracePeriodSeconds": 20,
            "containers": [container, _tools(container["env"])],
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": f"data-{name}"}}],
        },
    }


def _tools(environment: Any) -> dict[str, Any]:
    """Return the container for commands: the database itself needs no shell and no capability."""
    return {
        "name": "tools",
        "image": "localhost/mariadb:lab",
        "imagePullPolicy": "Never",
        # Its end ends the guards in it: what they have frozen must be thawed before.
        "command": [
            "sh",
            "-c",
            "trap 'fsfreeze --unfreeze /data 2>/dev/null; exit 0' TERM; sleep infinity & wait",
        ],
        "env": environment,
        "securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}},
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }


def _secret(lab: Lab, namespace: str, name: str, content: Mapping[str, str]) -> None:
    metadata = {"name": name, "namespace": namespace}
    apply(lab, {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": content})
