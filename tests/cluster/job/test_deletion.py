"""What becomes of the cloud's snapshot, and of the object, when somebody deletes one of them."""

import json
import time
from collections.abc import Mapping
from typing import Any

import pytest

from lab.cluster.waiting import until
from lab.demo import restore, stage
from lab.demo.shop import Shop, condition

from .conftest import OTHER

BOUND = "UnsupportedOperation.SnapshotHasBindedImage"
GONE_SECONDS = 60


def delete(shop: Shop, body: Mapping[str, Any]) -> None:
    shop.lab.kubectl(
        "-n", shop.namespace, "delete", "dsnap", body["metadata"]["name"], "--wait=false"
    )


def gone(shop: Shop, body: Mapping[str, Any], seconds: int = GONE_SECONDS) -> None:
    name = body["metadata"]["name"]
    shop.lab.kubectl(
        "-n", shop.namespace, "wait", "--for=delete", f"dsnap/{name}", f"--timeout={seconds}s"
    )


def ids(shop: Shop) -> set[str]:
    return {snapshot["id"] for snapshot in shop.lab.cbs.snapshots()}


def settled(shop: Shop, body: Mapping[str, Any]) -> dict[str, Any]:
    """Take it, and wait until its finalizers are as they are to stay."""
    ready = shop.ready(body)
    keeps = body["spec"].get("deletionPolicy") == "Delete"

    def as_it_stays() -> bool:
        present = "finalizers" in shop.get(ready)["metadata"]
        return present is keeps

    until(as_it_stays, "the finalizer is there only if something is to be cleaned", seconds=30)
    return ready


def test_a_snapshot_is_kept_or_deleted_with_its_object_as_the_policy_says(shop: Shop) -> None:
    kept = settled(shop, shop.snapshot())
    dropped = settled(shop, shop.snapshot(deletionPolicy="Delete"))
    for body in (kept, dropped):
        delete(shop, body)
        gone(shop, body)
    assert kept["status"]["snapshotID"] in ids(shop)
    assert dropped["status"]["snapshotID"] not in ids(shop)


def test_a_policy_that_is_changed_later_counts_and_the_change_is_acknowledged(shop: Shop) -> None:
    body = settled(shop, shop.snapshot())
    change = json.dumps({"spec": {"deletionPolicy": "Delete"}})
    name = body["metadata"]["name"]
    shop.lab.kubectl("-n", shop.namespace, "patch", "dsnap", name, "--type=merge", "-p", change)

    def acknowledged() -> bool:
        seen = shop.get(body)
        generations = (seen["status"]["observedGeneration"], seen["metadata"]["generation"])
        return generations[0] == generations[1] and "finalizers" in seen["metadata"]

    until(acknowledged, "the new policy is acknowledged", seconds=30)
    assert condition(shop.get(body), "Ready")["status"] == "True"
    delete(shop, body)
    gone(shop, body)
    assert body["status"]["snapshotID"] not in ids(shop)


def test_of_three_snapshots_the_middle_one_is_deleted_and_the_others_hold_their_rows(
    shop: Shop,
) -> None:
    taken = []
    with shop.database.connect() as session, session.cursor() as cursor:
        cursor.execute("CREATE DATABASE IF NOT EXISTS three")
        cursor.execute("CREATE OR REPLACE TABLE three.steps (id INT) ENGINE=InnoDB")
        for number in (1, 2, 3):
            cursor.execute("INSERT INTO three.steps VALUES (%s)", (number,))
            policy = {"deletionPolicy": "Delete"} if number == 2 else {}
            taken.append(settled(shop, shop.snapshot(**policy)))
    first, middle, third = taken
    delete(shop, middle)
    gone(shop, middle)
    password = shop.database.password
    for body, rows in ((first, [1]), (third, [1, 2, 3])):
        snapshot = body["status"]["snapshotID"]
        copy = restore.restored(shop.lab, shop.namespace, "copy", snapshot, password)
        with copy as session, session.cursor() as cursor:
            cursor.execute("SELECT id FROM three.steps ORDER BY id")
            assert [row[0] for row in cursor.fetchall()] == rows


def test_a_blocked_deletion_says_why_and_can_be_given_up_knowingly(shop: Shop) -> None:
    body = settled(shop, shop.snapshot(deletionPolicy="Delete"))
    shop.lab.cbs.error("DeleteSnapshots", BOUND, "an image is bound to it", times=100)
    delete(shop, body)
    blocked = shop.until_reason(body, "DeletionBlocked")
    assert BOUND in condition(blocked, "Ready")["message"]
    where = ("-n", shop.namespace, "annotate", "dsnap", body["metadata"]["name"])
    _, since = shop.lab.cbs.calls()
    shop.lab.kubectl(*where, "disksnapshot.io/give-up=true")
    until(lambda: "DeleteSnapshots" in called(shop, since), "it goes on trying", seconds=60)
    assert shop.get(body)["metadata"]["finalizers"]
    uid = body["metadata"]["uid"]
    shop.lab.kubectl(*where, "--overwrite", f"disksnapshot.io/give-up={uid}")
    gone(shop, body)
    assert body["status"]["snapshotID"] in ids(shop)
    events = shop.events("DiskSnapshot", body["metadata"]["name"])
    assert any(body["status"]["snapshotID"] in e["message"] for e in events if is_given_up(e))


def called(shop: Shop, since: int) -> set[str]:
    """Return the actions that were called, also in vain."""
    return {call["action"] for call in shop.lab.cbs.calls(since)[0]}


def is_given_up(event: Mapping[str, Any]) -> bool:
    return bool(event["reason"] == "GivenUp")


@pytest.fixture
def elsewhere(shop: Shop) -> Shop:
    """A database in a namespace that will be deleted."""
    return Shop(shop.lab, stage.start_database(shop.lab, OTHER, "ledger"))


def test_a_namespace_with_snapshots_in_every_phase_is_gone_within_a_minute(
    elsewhere: Shop,
) -> None:
    shop, none = elsewhere, {"quiesce": {"steps": [{"freeze": {"method": "Agent"}}]}}
    kept = settled(shop, shop.snapshot(**none))
    dropped = settled(shop, shop.snapshot(**none, deletionPolicy="Delete"))
    waiting = shop.snapshot()
    shop.apply(waiting)
    shop.until_reason(waiting, "SecretForbidden")
    shop.lab.cbs.settings(creationMilliseconds=600_000)
    copied = shop.snapshot(**none, deletionPolicy="Delete")
    shop.apply(copied)
    copying = shop.until_reason(copied, "Creating")
    # Kubernetes deletes a namespace's pods before all else, and waits for them.
    shop.lab.kubectl("-n", OTHER, "delete", "pod", "ledger", "--wait")
    shop.lab.kubectl("delete", "namespace", OTHER, "--wait=false")
    blocked = shop.until_reason(copied, "DeletionBlocked")
    assert "complete" in condition(blocked, "Ready")["message"]
    began = time.monotonic()
    shop.complete(copied)
    stage.remove_namespace(shop.lab, OTHER)
    assert time.monotonic() - began < GONE_SECONDS
    left = ids(shop)
    assert kept["status"]["snapshotID"] in left
    assert not {b["status"]["snapshotID"] for b in (dropped, copying)} & left
