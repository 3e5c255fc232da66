"""Many claims, pods and containers under one hold, and two objects that want the same."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.cluster.waiting import until
from lab.demo import stage
from lab.demo.shop import Shop, condition
from lab.demo.taken import NET
from lab.disks.images import MARIADB_IMAGE

IDLE = ["sh", "-c", "trap 'exit 0' TERM; sleep infinity & wait"]
FILES, MEDIA = "data-files", "data-media"
AGENT = {"freeze": {"method": "Agent"}}


def container(name: str, mounts: list[dict[str, str]], **more: Any) -> dict[str, Any]:
    said = {"name": name, "image": MARIADB_IMAGE, "imagePullPolicy": "Never", "command": IDLE}
    return said | {"volumeMounts": mounts} | more


def pod(shop: Shop, name: str, *claims: str, **spec: Any) -> dict[str, Any]:
    volumes = [{"name": c, "persistentVolumeClaim": {"claimName": c}} for c in claims]
    metadata = {"name": name, "namespace": shop.namespace, "labels": {"app": name}}
    fixed = {"terminationGracePeriodSeconds": 0, "volumes": volumes}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": fixed | spec}


def web(shop: Shop) -> dict[str, Any]:
    """Return a pod with two folders of one claim, whose sidecar mounts both claims whole."""
    parts = [
        {"name": FILES, "mountPath": "/uploads", "subPath": "uploads"},
        {"name": FILES, "mountPath": "/cache", "subPath": "cache"},
    ]
    whole = [{"name": c, "mountPath": f"/{c}"} for c in (FILES, MEDIA)]
    sidecar = container(
        "tools",
        whole,
        restartPolicy="Always",
        securityContext={"capabilities": {"add": ["SYS_ADMIN"]}},
    )
    main = container("web", parts, securityContext={"capabilities": {"add": ["SYS_ADMIN"]}})
    return pod(shop, "web", FILES, MEDIA, containers=[main], initContainers=[sidecar])


@pytest.fixture(scope="module")
def beside(shop: Shop) -> Iterator[Shop]:
    """Run two pods beside the database, on two more disks, one of them with XFS."""
    where = ("-n", shop.namespace)
    shop.lab.make_claim(shop.namespace, FILES)
    shop.lab.make_claim(shop.namespace, MEDIA, kind="xfs")
    second = pod(shop, "worker", MEDIA, containers=[
        container("worker", [{"name": MEDIA, "mountPath": "/media"}])
    ])  # fmt: skip
    stage.apply(shop.lab, web(shop), second)
    names = ("pod/web", "pod/worker")
    shop.lab.kubectl(*where, "wait", "--for=condition=Ready", *names, "--timeout=90s")
    yield shop
    shop.lab.kubectl(*where, "delete", *names, "--wait")
    for claim in (FILES, MEDIA):
        shop.lab.remove_claim(shop.namespace, claim)


def test_claims_chosen_by_labels_are_recorded_with_the_attempt_and_a_later_one_is_left_out(
    beside: Shop,
) -> None:
    shop, label = beside, {"set": "by-labels"}
    for claim in (FILES, MEDIA):
        mark(shop, claim, label)
    # Its answer is lost: what is taken up again is what the attempt has written down.
    shop.lab.cbs.fault("CreateSnapshot", "ReplyLostAfterAct", times=2)
    body = shop.snapshot(
        source={"claimSelector": {"matchLabels": label}}, quiesce={"steps": [AGENT]}
    )
    shop.apply(body)
    until(lambda: "intent" in shop.get(body).get("status", {}), "the attempt is written down")
    mark(shop, shop.database.claim, label)
    status = shop.ready(body)["status"]
    assert [volume["claimName"] for volume in status["volumes"]] == [FILES, MEDIA]
    assert status["claims"] == f"{FILES},{MEDIA}"
    assert len(shop.in_the_cloud(body)) == 2
    until(lambda: bool(shop.events("PersistentVolumeClaim", MEDIA)), "the claim's event")


def mark(shop: Shop, claim: str, label: dict[str, str]) -> None:
    said = [f"{key}={value}" for key, value in label.items()]
    shop.lab.kubectl("-n", shop.namespace, "label", "pvc", claim, "--overwrite", *said)


def of(*claims: str) -> dict[str, Any]:
    return {"claims": [{"name": claim} for claim in claims]}


def volume(shop: Shop, name: str, claim: str) -> Path:
    uid = stage.get(shop.lab, shop.namespace, name, "pod")["metadata"]["uid"]
    bound = stage.get(shop.lab, shop.namespace, claim, "pvc")["spec"]["volumeName"]
    volumes = shop.lab.layout.kubelet / "pods" / str(uid) / "volumes" / "kubernetes.io~csi"
    return volumes / str(bound) / "mount"


def verdict(status: dict[str, Any]) -> tuple[str, str, bool]:
    quiesce = status["quiesce"]
    return status["consistency"], status["fileSystem"], quiesce["proven"]


def by_fsfreeze(name: str) -> dict[str, Any]:
    chosen = {"podSelector": {"matchLabels": {"app": "web"}}, "container": name}
    return {"freeze": {"method": "Exec", "target": chosen}}


def test_the_file_systems_of_two_pods_are_frozen_under_one_hold(beside: Shop) -> None:
    body = beside.snapshot(source=of(FILES, MEDIA), quiesce={"steps": [AGENT]})
    status = beside.ready(body)["status"]
    assert verdict(status) == ("FilesystemConsistent", "Clean", True)
    assert len({one["snapshotID"] for one in status["volumes"]}) == 2
    assert len(beside.in_the_cloud(body)) == 2


def test_a_database_chosen_by_its_labels_is_held_with_the_files_of_other_pods(
    beside: Shop,
) -> None:
    chosen = {"podSelector": {"matchLabels": {"app": beside.database.pod}}}
    asked = {"source": of(beside.database.claim, FILES, MEDIA)}
    body = beside.snapshot(**asked, quiesce=beside.mysql(target=chosen))
    status = beside.ready(body)["status"]
    assert verdict(status) == ("ApplicationConsistent", "Clean", True)
    assert len(beside.in_the_cloud(body)) == 3


def test_a_sidecar_that_mounts_the_claims_can_freeze_them(beside: Shop) -> None:
    quiesce = {"steps": [by_fsfreeze("tools")]}
    status = beside.ready(beside.snapshot(source=of(FILES, MEDIA), quiesce=quiesce))["status"]
    assert verdict(status) == ("FilesystemConsistent", "Clean", True)


def test_a_container_that_mounts_only_folders_of_a_claim_can_freeze_it_all(beside: Shop) -> None:
    quiesce = {"steps": [by_fsfreeze("web")]}
    status = beside.ready(beside.snapshot(source=of(FILES), quiesce=quiesce))["status"]
    assert verdict(status) == ("FilesystemConsistent", "Clean", True)


def test_one_file_system_that_others_have_frozen_leaves_the_others_free(beside: Shop) -> None:
    theirs, ours = volume(beside, "worker", MEDIA), volume(beside, "web", FILES)
    fsfreeze = shutil.which("fsfreeze") or ""
    # Armed before the freeze: whatever happens to this test, writers go on.
    with subprocess.Popen(["sh", "-c", f"sleep 40; {fsfreeze} -u {theirs}"]) as thaw:
        subprocess.run([fsfreeze, "-f", theirs], check=True)
        try:
            body = beside.snapshot(source=of(FILES, MEDIA), quiesce={"steps": [AGENT]})
            beside.apply(body)
            seen = beside.until_reason(body, "FreezeRefused", seconds=30)
            (ours / "written").touch()
        finally:
            foreign = subprocess.run([fsfreeze, "-u", theirs], check=False).returncode
            thaw.kill()
    assert foreign == 0, "somebody thawed a foreign freeze"
    assert "somebody else" in condition(seen, "Ready")["message"]
    assert beside.in_the_cloud(body) == []


def test_two_objects_that_want_one_server_and_disk_both_get_a_proven_snapshot(
    shop: Shop,
) -> None:
    both = [shop.snapshot(), shop.snapshot()]
    stage.apply(shop.lab, *both)
    until(lambda: all(_is_ready(shop, body) for body in both), "both are Ready", seconds=NET)
    for body in both:
        assert verdict(shop.get(body)["status"]) == ("ApplicationConsistent", "Clean", True)
        assert len(shop.in_the_cloud(body)) == 1


def test_a_pod_that_was_replaced_is_found_by_its_new_self(beside: Shop) -> None:
    where = ("-n", beside.namespace)
    beside.lab.kubectl(*where, "delete", "pod", "web", "--wait")
    beside.lab.kubectl(*where, "wait", "--for=delete", "pod/web", "--timeout=60s")
    body = beside.snapshot(source=of(FILES), quiesce={"steps": [AGENT]})
    beside.apply(body)
    beside.until_reason(body, "PodNotFound")
    stage.apply(beside.lab, web(beside))
    until(lambda: _is_ready(beside, body), "it is Ready once the pod is back", seconds=NET)
    assert verdict(beside.get(body)["status"]) == ("FilesystemConsistent", "Clean", True)


def _is_ready(shop: Shop, body: dict[str, Any]) -> bool:
    return condition(shop.get(body), "Ready").get("status") == "True"
