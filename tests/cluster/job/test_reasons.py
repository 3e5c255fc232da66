"""What a person reads when something is missing: one reason each, nothing held, nothing cut."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from lab.cluster.waiting import until
from lab.demo import stage
from lab.demo.shop import Shop, condition

from .conftest import OTHER


def refused(shop: Shop, body: Mapping[str, Any], reason: str) -> dict[str, Any]:
    """Apply, wait for the reason, and see that nothing was done to the cloud or the writers."""
    shop.apply(body)
    seen = shop.until_reason(body, reason)
    assert shop.in_the_cloud(body) == []
    assert "quiesce" not in seen["status"]
    shop.writes_go_on()
    return seen


def test_a_claim_that_is_missing_is_named_and_waited_for(shop: Shop) -> None:
    body = shop.snapshot(source={"claims": [{"name": "nowhere"}]})
    seen = refused(shop, body, "ClaimNotFound")
    assert "nowhere" in condition(seen, "Ready")["message"]
    assert condition(seen, "Stalled")["status"] == "False"
    assert seen["status"]["retryTime"]


def test_a_failure_is_told_by_one_warning_with_its_remedy(shop: Shop) -> None:
    body = shop.snapshot(source={"claims": [{"name": "nowhere"}]})
    refused(shop, body, "ClaimNotFound")
    name = body["metadata"]["name"]
    until(lambda: bool(shop.events("DiskSnapshot", name)), "the event follows the status")
    (event,) = shop.events("DiskSnapshot", name)
    assert event["type"] == "Warning"
    assert "Create the claim" in event["message"]


def test_a_claim_without_a_volume_is_waited_for(shop: Shop) -> None:
    stage.apply(shop.lab, _claim(shop.namespace, "unbound", "no-such-volume"))
    refused(shop, shop.snapshot(source={"claims": [{"name": "unbound"}]}), "ClaimNotBound")


def test_a_claim_that_only_names_the_volume_of_another_is_refused(shop: Shop) -> None:
    stage.apply(shop.lab, _claim(shop.namespace, "thief", f"pv-{shop.database.disk_id}"))
    refused(shop, shop.snapshot(source={"claims": [{"name": "thief"}]}), "ClaimNotBound")


@pytest.fixture
def foreign_volume(shop: Shop) -> Iterator[str]:
    """A claim on a volume that is no CBS disk."""
    name = "foreign"
    volume = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": "pv-foreign"},
        "spec": {
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "",
            "claimRef": {"namespace": shop.namespace, "name": name},
            "hostPath": {"path": "/tmp"},  # noqa: S108 - never mounted
        },
    }
    stage.apply(shop.lab, volume, _claim(shop.namespace, name, "pv-foreign"))
    where = ("-n", shop.namespace, "pvc", name)
    shop.lab.kubectl("wait", "--for=jsonpath={.status.phase}=Bound", *where, "--timeout=30s")
    yield name
    shop.lab.kubectl("delete", *where)
    shop.lab.kubectl("delete", "pv", "pv-foreign")


def test_a_volume_that_is_no_cbs_disk_is_refused_for_good(shop: Shop, foreign_volume: str) -> None:
    body = shop.snapshot(source={"claims": [{"name": foreign_volume}]})
    seen = refused(shop, body, "NotACbsVolume")
    assert condition(seen, "Stalled")["status"] == "True"
    assert condition(seen, "Reconciling")["status"] == "False"


def test_a_claim_that_no_pod_mounts_has_no_writer_to_hold(shop: Shop) -> None:
    shop.lab.make_claim(shop.namespace, "idle")
    try:
        refused(shop, shop.snapshot(source={"claims": [{"name": "idle"}]}), "PodNotFound")
    finally:
        shop.lab.remove_claim(shop.namespace, "idle")


def test_two_pods_on_one_claim_are_ambiguous_until_a_selector_tells_them_apart(shop: Shop) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "second", "namespace": shop.namespace},
        "spec": {
            "terminationGracePeriodSeconds": 1,
            "containers": [
                {
                    "name": "idle",
                    "image": "localhost/mariadb:lab",
                    "imagePullPolicy": "Never",
                    "command": ["sleep", "infinity"],
                    "volumeMounts": [{"name": "data", "mountPath": "/data"}],
                }
            ],
            "volumes": [
                {
                    "name": "data",
                    "persistentVolumeClaim": {"claimName": shop.database.claim},
                }
            ],
        },
    }
    stage.apply(shop.lab, pod)
    where = ("-n", shop.namespace, "pod/second")
    try:
        shop.lab.kubectl("wait", "--for=condition=Ready", *where, "--timeout=60s")
        seen = refused(shop, shop.snapshot(), "AmbiguousPod")
        assert "second" in condition(seen, "Ready")["message"]
        chosen = {"podSelector": {"matchLabels": {"app": shop.database.pod}}}
        told_apart = shop.ready(shop.snapshot(quiesce=shop.mysql(target=chosen)))
        assert told_apart["status"]["consistency"] == "ApplicationConsistent"
    finally:
        shop.lab.kubectl("delete", *where, "--wait")


def test_a_secret_in_a_namespace_that_was_not_opened_is_not_read(shop: Shop) -> None:
    other = stage.start_database(shop.lab, OTHER, "ledger")
    try:
        body = stage.disk_snapshot(other, "closed")
        shop.apply(body)
        seen = shop.until_reason(body, "SecretForbidden")
        assert OTHER in condition(seen, "Ready")["message"]
        assert shop.in_the_cloud(body) == []
    finally:
        shop.lab.kubectl("-n", OTHER, "delete", "dsnap", "--all", "--wait")
        stage.remove_database(shop.lab, other)


def test_a_secret_that_is_missing_is_named(shop: Shop) -> None:
    quiesce = shop.mysql(credentialsSecretRef={"name": "absent"})
    seen = refused(shop, shop.snapshot(quiesce=quiesce), "SecretNotFound")
    assert "absent" in condition(seen, "Ready")["message"]


def test_a_port_on_which_nobody_listens_is_said_before_anything_is_held(shop: Shop) -> None:
    refused(shop, shop.snapshot(quiesce=shop.mysql(port=3307)), "MySQLUnreachable")


def test_a_password_never_shows_in_status_or_events(shop: Shop) -> None:
    canary = "canary-of-the-test"
    stage.apply(
        shop.lab,
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "wrong", "namespace": shop.namespace},
            "stringData": {"username": "snapshot", "password": canary},
        },
    )
    quiesce = shop.mysql(credentialsSecretRef={"name": "wrong"})
    body = shop.snapshot(quiesce=quiesce)
    seen = refused(shop, body, "MySQLAccessDenied")
    events = shop.events("DiskSnapshot", body["metadata"]["name"])
    log = shop.lab.kubectl("-n", stage.OPERATOR_NAMESPACE, "logs", stage.DEPLOYMENT)
    assert canary not in json.dumps(seen) + json.dumps(events) + log


def test_a_server_that_is_locked_by_somebody_else_is_given_up_in_time(shop: Shop) -> None:
    with shop.database.connect() as session, session.cursor() as cursor:
        cursor.execute("BACKUP STAGE START")
        try:
            body = shop.snapshot()
            shop.apply(body)
            seen = shop.until_reason(body, "LockTimeout")
        finally:
            cursor.execute("BACKUP STAGE END")
    assert shop.in_the_cloud(body) == []
    assert seen["status"]["intent"]["state"] == "Settled"
    assert seen["status"]["retryTime"]
    shop.writes_go_on()


def test_a_file_system_that_somebody_else_froze_is_left_frozen_and_costs_an_attempt(
    shop: Shop,
) -> None:
    mount = stage.mount_of(shop.lab, shop.database)
    fsfreeze = shutil.which("fsfreeze") or ""
    # Armed before the freeze: whatever happens to this test, writers go on.
    with subprocess.Popen(["sh", "-c", f"sleep 40; {fsfreeze} -u {mount}"]) as thaw:
        subprocess.run([fsfreeze, "-f", mount], check=True)
        try:
            body = shop.snapshot(quiesce={"steps": [{"freeze": {"method": "Agent"}}]})
            shop.apply(body)
            seen = shop.until_reason(body, "FreezeRefused", seconds=30)
        finally:
            ours = subprocess.run([fsfreeze, "-u", mount], check=False).returncode
            thaw.kill()
    assert ours == 0, "somebody thawed a foreign freeze"
    intent = seen["status"]["intent"]
    assert (intent["attempt"], intent["state"]) == (1, "Settled")
    assert shop.in_the_cloud(body) == []


def test_a_crash_consistent_cut_is_taken_where_the_policy_allows_it(shop: Shop) -> None:
    quiesce = shop.mysql(port=3307) | {"failurePolicy": "AllowCrashConsistent"}
    status = shop.ready(shop.snapshot(quiesce=quiesce))["status"]
    assert status["consistency"] == "CrashConsistent"


def test_without_a_freezer_the_remedy_is_named(shop: Shop) -> None:
    lab, namespaces = shop.lab, [shop.namespace]
    try:
        stage.install_operator(lab, namespaces, freezer={"enabled": False})
        seen = refused(shop, shop.snapshot(), "FreezerNotInstalled")
        assert "not installed" in condition(seen, "Ready")["message"]
        nowhere = stage.freezer_values(lab) | {"nodeSelector": {"nowhere": "true"}}
        stage.install_operator(lab, namespaces, freezer=nowhere)
        seen = refused(shop, shop.snapshot(), "NoFreezerOnNode")
        assert "lab-node" in condition(seen, "Ready")["message"]
    finally:
        stage.install_operator(lab, namespaces)


def _claim(namespace: str, name: str, volume: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "",
            "volumeName": volume,
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
