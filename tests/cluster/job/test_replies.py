"""Replies of the cloud that say nothing, on the cluster: one snapshot, found and proven."""

from lab.demo.shop import Shop


def test_a_success_without_an_id_is_found_while_held_and_is_one_proven_snapshot(
    shop: Shop,
) -> None:
    _, since = shop.lab.cbs.calls()
    shop.lab.cbs.fault("CreateSnapshot", "NullSnapshotIdAfterAct")
    seen = shop.ready(shop.snapshot())
    calls, _ = shop.lab.cbs.calls(since)
    assert [call["action"] for call in calls].count("CreateSnapshot") == 1
    [made] = shop.in_the_cloud(seen)
    assert seen["status"]["snapshotID"] == made["id"]
    assert seen["status"]["consistency"] == "ApplicationConsistent"


def test_a_disk_with_a_snapshot_in_the_making_costs_no_attempt(shop: Shop) -> None:
    shop.lab.cbs.settings(creationMilliseconds=12_000)
    first = shop.snapshot()
    shop.apply(first)
    shop.until_reason(first, "Creating")
    shop.lab.cbs.settings(creationMilliseconds=0)
    second = shop.snapshot()
    shop.apply(second)
    busy = shop.until_reason(second, "DiskBusy")
    assert "intent" not in busy["status"]
    assert shop.ready(second)["status"]["intent"]["attempt"] == 1
