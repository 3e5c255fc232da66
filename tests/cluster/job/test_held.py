"""The main job on the cluster: a held snapshot, what it says, and what is left of it."""

import json
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from lab.cluster.waiting import until
from lab.demo.shop import Shop, condition


@pytest.fixture(scope="module")
def held(shop: Shop) -> dict[str, Any]:
    """One held snapshot, at its end."""
    return shop.ready(shop.snapshot(tags={"team": "shop"}))


def test_a_held_snapshot_says_what_was_proven(held: Mapping[str, Any]) -> None:
    status = held["status"]
    words = (status["consistency"], status["fileSystem"], status["application"])
    assert words == ("ApplicationConsistent", "Clean", "Proven")
    assert status["quiesce"]["proven"] is True
    assert status["quiesce"]["cutEvidence"] == "Visible"


def test_its_hold_is_measured_and_within_the_bound(held: Mapping[str, Any]) -> None:
    quiesce = held["status"]["quiesce"]
    assert 0 < quiesce["holdMilliseconds"] < 10_000
    names = [moment["name"] for moment in quiesce["timeline"]]
    order = ["ready", "lockSent", "locked", "frozen", "cutSent", "reply", "visible"]
    assert names == [*order, "thawed", "proven", "unlocked"]


def test_the_database_was_asked_under_the_lock_where_its_binlog_ends(
    held: Mapping[str, Any],
) -> None:
    step = held["status"]["quiesce"]["steps"][0]
    assert step["name"] == "0-mysql"
    assert step["mysql"]["binlogPosition"] > 0
    assert step["mysql"]["gtid"]


def test_the_chain_from_claim_to_snapshot_is_written_down(
    shop: Shop, held: Mapping[str, Any]
) -> None:
    (volume,) = held["status"]["volumes"]
    assert volume["claimName"] == shop.database.claim
    assert volume["diskID"] == shop.database.disk_id
    assert volume["snapshotID"] == held["status"]["snapshotID"]
    assert (volume["state"], volume["progressPercent"]) == ("NORMAL", 100)


def test_the_cloud_has_one_snapshot_with_our_marks_and_the_users_tags(
    shop: Shop, held: Mapping[str, Any]
) -> None:
    (snapshot,) = shop.in_the_cloud(held)
    assert snapshot["tags"]["team"] == "shop"
    assert snapshot["tags"]["disksnapshot.io/uid"] == held["metadata"]["uid"]
    assert snapshot["name"].startswith(f"{shop.namespace}-{held['metadata']['name']}-")


def test_one_event_on_the_object_and_one_on_the_claim_say_that_it_is_ready(
    shop: Shop, held: Mapping[str, Any]
) -> None:
    name = held["metadata"]["name"]

    def on_the_claim() -> list[dict[str, Any]]:
        events = shop.events("PersistentVolumeClaim", shop.database.claim)
        return [event for event in events if name in event["message"]]

    until(lambda: bool(on_the_claim()), "the claim's event", seconds=30)
    (on_object,) = shop.events("DiskSnapshot", name)
    (on_claim,) = on_the_claim()
    assert on_object["reason"] == on_claim["reason"] == "SnapshotReady"


def test_kubectl_shows_the_consistency_and_the_hold(shop: Shop, held: Mapping[str, Any]) -> None:
    header, line = shop.lab.kubectl(
        "-n", shop.namespace, "get", "dsnap", held["metadata"]["name"]
    ).splitlines()
    columns = ["NAME", "READY", "STATUS", "CONSISTENCY", "HOLD-MS", "SNAPSHOT", "PROGRESS", "AGE"]
    assert header.split() == columns
    assert line.split()[1:4] == ["True", "Ready", "ApplicationConsistent"]


def test_kubectl_finds_the_object_by_the_kinds_own_name(
    shop: Shop, held: Mapping[str, Any]
) -> None:
    where = ("-n", shop.namespace, "get", "disksnapshot", held["metadata"]["name"], "-o", "name")
    assert held["metadata"]["name"] in shop.lab.kubectl(*where)


def test_kubectl_explains_how_writers_are_held(shop: Shop) -> None:
    text = " ".join(shop.lab.kubectl("explain", "disksnapshot.spec.quiesce").split())
    for words in ("maxHoldSeconds", "in seconds, from 5 to 60", "CrashConsistent"):
        assert words in text


def test_a_snapshot_without_a_hold_is_called_crash_consistent(shop: Shop) -> None:
    body = shop.snapshot()
    del body["spec"]["quiesce"]
    status = shop.ready(body)["status"]
    assert (status["consistency"], status["fileSystem"]) == ("CrashConsistent", "NeedsReplay")
    assert "quiesce" not in status


def test_a_freeze_alone_is_called_filesystem_consistent(shop: Shop) -> None:
    body = shop.snapshot(quiesce={"steps": [{"freeze": {"method": "Agent"}}]})
    assert shop.ready(body)["status"]["consistency"] == "FilesystemConsistent"


def test_a_lock_by_tables_holds_as_well(shop: Shop) -> None:
    body = shop.snapshot(quiesce=shop.mysql(lock="Tables"))
    assert shop.ready(body)["status"]["consistency"] == "ApplicationConsistent"


def test_release_at_the_reply_does_not_wait_for_the_listing(shop: Shop) -> None:
    quiesce = shop.mysql() | {"releaseWhen": "Accepted"}
    status = shop.ready(shop.snapshot(quiesce=quiesce))["status"]
    assert status["quiesce"]["cutEvidence"] == "Accepted"


def test_progress_is_followed_until_the_copy_is_complete(shop: Shop) -> None:
    shop.lab.cbs.settings(creationMilliseconds=6000)
    body = shop.snapshot()
    shop.apply(body)
    creating = shop.until_reason(body, "Creating")
    assert condition(creating, "SnapshotTaken")["status"] == "True"
    assert condition(creating, "Reconciling")["status"] == "True"
    assert shop.ready(body)["status"]["progressPercent"] == 100


def test_an_object_that_others_keep_changing_is_captured_in_one_attempt(shop: Shop) -> None:
    body = shop.snapshot()
    name, done = body["metadata"]["name"], threading.Event()

    def annotate() -> None:
        number = 0
        while not done.is_set():
            number += 1
            where = ("-n", shop.namespace, "annotate", "dsnap", name, "--overwrite")
            shop.lab.kubectl(*where, f"someone/number={number}", check=False)

    with ThreadPoolExecutor(1) as pool:
        changes = pool.submit(annotate)
        try:
            status = shop.ready(body)["status"]
        finally:
            done.set()
        changes.result()
    assert (status["intent"]["attempt"], status["consistency"]) == (1, "ApplicationConsistent")


def test_a_deleted_object_leaves_its_snapshot_under_retain(shop: Shop) -> None:
    body = shop.ready(shop.snapshot())
    _delete(shop, body)
    assert _cloud_has(shop, body)


def test_a_deleted_object_takes_its_snapshot_along_under_delete(shop: Shop) -> None:
    body = shop.ready(shop.snapshot(deletionPolicy="Delete"))
    _delete(shop, body)
    until(lambda: not _cloud_has(shop, body), "the snapshot is gone", seconds=30)


def test_kopf_leaves_no_mark_on_the_object(held: Mapping[str, Any]) -> None:
    assert "kopf" not in json.dumps(held).lower()


def _delete(shop: Shop, body: Mapping[str, Any]) -> None:
    name = body["metadata"]["name"]
    shop.lab.kubectl("-n", shop.namespace, "delete", "dsnap", name, "--wait", "--timeout=30s")


def _cloud_has(shop: Shop, body: Mapping[str, Any]) -> bool:
    wanted = body["status"]["snapshotID"]
    return any(snapshot["id"] == wanted for snapshot in shop.lab.cbs.snapshots())
