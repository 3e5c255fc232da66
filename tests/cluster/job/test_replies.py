"""Replies of the cloud that say nothing, on the cluster: one snapshot, found and proven."""

import json

from lab.demo.shop import Shop


def test_a_success_without_an_id_is_found_while_held_and_is_one_proven_snapshot(
    shop: Shop,
) -> None:
    _, since = shop.lab.cbs.calls()
    shop.lab.cbs.fault("CreateSnapshot", "NullSnapshotIdAfterAct")
    seen = shop.ready(shop.snapshot())
    calls, _ = shop.lab.cbs.calls(since)
    # Of this object alone: an earlier test's may be trying again just now.
    uid = seen["metadata"]["uid"]
    cuts = [c for c in calls if c["action"] == "CreateSnapshot" and uid in json.dumps(c)]
    assert len(cuts) == 1
    [made] = shop.in_the_cloud(seen)
    assert seen["status"]["snapshotID"] == made["id"]
    assert seen["status"]["consistency"] == "ApplicationConsistent"


def test_a_disk_with_a_snapshot_in_the_making_costs_no_attempt(shop: Shop) -> None:
    shop.lab.cbs.settings(creationMilliseconds=600_000)
    first = shop.snapshot()
    shop.apply(first)
    shop.until_reason(first, "Creating")
    shop.lab.cbs.settings(creationMilliseconds=0)
    second = shop.snapshot()
    shop.apply(second)
    busy = shop.until_reason(second, "DiskBusy")
    assert "intent" not in busy["status"]
    shop.complete(first)
    assert shop.ready(second)["status"]["intent"]["attempt"] == 1
