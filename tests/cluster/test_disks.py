"""Disks of the emulated cloud in pods of the cluster: the chain, the data, attach and detach."""

import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.cluster import Lab
from lab.cluster.waiting import until
from lab.disks import claims
from lab.disks.loop import LoopDisk
from lab.layout import CSI_DRIVER, INSTANCE_ID

IMAGE = "localhost/mariadb:lab"
CLAIM = "data"


@pytest.fixture
def namespace(lab: Lab) -> Iterator[str]:
    name = f"disks-{secrets.token_hex(3)}"
    lab.kubectl("create", "namespace", name)
    yield name
    lab.kubectl("delete", "pods", "--all", "-n", name, "--force", "--grace-period=0")
    claims.remove_claim(lab, name, CLAIM)
    lab.kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
def disk(lab: Lab, namespace: str) -> str:
    return lab.make_claim(namespace, CLAIM)


def create_pod(lab: Lab, namespace: str, **changed: Any) -> None:
    container = {
        "name": "main",
        "image": IMAGE,
        "imagePullPolicy": "Never",
        "command": ["sleep", "infinity"],
        "volumeMounts": [{"name": "data", "mountPath": "/var/lib/mysql"}],
    }
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "user", "namespace": namespace},
        "spec": {
            "terminationGracePeriodSeconds": 1,
            "automountServiceAccountToken": False,
            "containers": [container | changed],
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": CLAIM}}],
        },
    }
    lab.kubectl("create", "-f", "-", stdin=json.dumps(pod))


def wait_ready(lab: Lab, namespace: str) -> None:
    lab.kubectl("wait", "--for=condition=Ready", "pod/user", "-n", namespace, "--timeout=90s")


def start_pod(lab: Lab, namespace: str, **changed: Any) -> None:
    create_pod(lab, namespace, **changed)
    wait_ready(lab, namespace)


def in_pod(lab: Lab, namespace: str, command: str) -> str:
    return lab.kubectl("exec", "-n", namespace, "user", "--", "sh", "-c", command).strip()


def end_pod(lab: Lab, namespace: str) -> None:
    lab.kubectl("delete", "pod", "user", "-n", namespace)


def wait_detached(lab: Lab, disk: str) -> None:
    until(lambda: lab.cbs.disk(disk)["DiskState"] == "UNATTACHED", f"{disk} is detached")


def device_of(lab: Lab, disk: str) -> Path | None:
    return LoopDisk(Path(lab.cbs.disk(disk)["Path"])).device


def test_a_claim_leads_over_its_volume_to_the_disk(lab: Lab, namespace: str, disk: str) -> None:
    claim = json.loads(lab.kubectl("get", "pvc", CLAIM, "-n", namespace, "-o", "json"))
    volume = json.loads(lab.kubectl("get", "pv", claim["spec"]["volumeName"], "-o", "json"))

    assert disk.startswith("disk-")
    assert volume["spec"]["csi"]["driver"] == CSI_DRIVER
    assert volume["spec"]["csi"]["volumeHandle"] == disk
    assert volume["spec"]["claimRef"]["uid"] == claim["metadata"]["uid"]


def test_a_disk_is_attached_while_a_pod_uses_it_and_not_before_or_after(
    lab: Lab, namespace: str, disk: str
) -> None:
    before = lab.cbs.disk(disk)
    start_pod(lab, namespace)
    during, device = lab.cbs.disk(disk), device_of(lab, disk)
    end_pod(lab, namespace)
    wait_detached(lab, disk)

    assert (before["DiskState"], before["InstanceId"]) == ("UNATTACHED", "")
    assert (during["DiskState"], during["InstanceId"]) == ("ATTACHED", INSTANCE_ID)
    assert device is not None
    assert device_of(lab, disk) is None


def test_a_pod_sees_its_data_again_after_it_was_deleted_and_made_anew(
    lab: Lab, namespace: str, disk: str
) -> None:
    start_pod(lab, namespace)
    in_pod(lab, namespace, "echo kept > /var/lib/mysql/note")
    end_pod(lab, namespace)
    wait_detached(lab, disk)

    start_pod(lab, namespace)

    assert in_pod(lab, namespace, "cat /var/lib/mysql/note") == "kept"


def test_a_plugin_that_was_killed_goes_on_where_it_stopped(
    lab: Lab, namespace: str, disk: str
) -> None:
    start_pod(lab, namespace)
    lab.component("csi").kill()
    lab.kubectl("delete", "pod", "user", "-n", namespace, "--wait=false")

    lab.component("csi").start()

    wait_detached(lab, disk)
    # The disk is free some time before the kubelet lets the pod's name go.
    lab.kubectl("wait", "--for=delete", "pod/user", "-n", namespace, "--timeout=90s")
    start_pod(lab, namespace)
    assert lab.cbs.disk(disk)["DiskState"] == "ATTACHED"


def test_a_disk_is_attached_once_the_cloud_is_back(lab: Lab, namespace: str, disk: str) -> None:
    lab.component("cbs").kill()
    try:
        create_pod(lab, namespace)
    finally:
        lab.component("cbs").start()

    wait_ready(lab, namespace)

    assert lab.cbs.disk(disk)["DiskState"] == "ATTACHED"


def test_the_database_image_keeps_only_data_on_the_disk_and_takes_any_password(
    lab: Lab, namespace: str, disk: str
) -> None:
    start_pod(
        lab,
        namespace,
        command=None,
        env=[{"name": "MARIADB_ROOT_PASSWORD", "value": "a'b\\c"}],
        readinessProbe={"tcpSocket": {"port": 3306}, "periodSeconds": 1},
    )
    ask = 'mariadb -h127.0.0.1 -uroot -p"$MARIADB_ROOT_PASSWORD" -BNe '
    asked = "'SELECT @@log_bin, @@sync_binlog, @@performance_schema, @@tmpdir, @@socket'"
    settings = in_pod(lab, namespace, ask + asked).split()
    owner = in_pod(lab, namespace, "stat -c '%a %U' /var/lib/mysql")
    runs_as = in_pod(lab, namespace, "stat -c %U /proc/1")

    assert settings == ["1", "1", "1", "/run/mariadb/tmp", "/run/mariadb/mariadb.sock"]
    assert owner == "700 mysql"
    assert runs_as == "mysql"
    assert disk
