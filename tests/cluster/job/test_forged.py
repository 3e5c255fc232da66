"""What stands in an object's status or metadata deletes nothing in the cloud: only marks count."""

import json
from typing import Any

from lab.demo.shop import Shop


def unheld(shop: Shop, policy: str) -> dict[str, Any]:
    body = shop.snapshot(deletionPolicy=policy)
    del body["spec"]["quiesce"]
    return body


def snapshots(shop: Shop) -> set[str]:
    return {found["id"] for found in shop.lab.cbs.snapshots()}


def patched(shop: Shop, body: dict[str, Any], change: dict[str, Any], *more: str) -> None:
    where = ("--namespace", shop.namespace, "patch", "dsnap", body["metadata"]["name"])
    shop.lab.kubectl(*where, "--type=merge", f"--patch={json.dumps(change)}", *more)


def delete(shop: Shop, body: dict[str, Any]) -> None:
    where = ("--namespace", shop.namespace, "delete", "dsnap", body["metadata"]["name"])
    shop.lab.kubectl(*where, "--wait=false")


def gone(shop: Shop, body: dict[str, Any]) -> None:
    name = f"dsnap/{body['metadata']['name']}"
    shop.lab.kubectl("--namespace", shop.namespace, "wait", "--for=delete", name, "--timeout=60s")


def test_a_status_that_names_the_snapshot_of_another_object_deletes_only_its_own(
    shop: Shop,
) -> None:
    victim = shop.ready(unheld(shop, "Retain"))
    thief = shop.ready(unheld(shop, "Delete"))
    theirs, own = victim["status"]["snapshotID"], thief["status"]["snapshotID"]
    volumes = [{**thief["status"]["volumes"][0], "snapshotID": theirs}]
    # Only an administrator may write it at all.
    forged = {"status": {"snapshotID": theirs, "volumes": volumes}}
    patched(shop, thief, forged, "--subresource=status")
    marks = {"disksnapshot.io/uid": victim["metadata"]["uid"]}
    patched(shop, thief, {"metadata": {"labels": marks, "annotations": marks}})
    delete(shop, thief)
    gone(shop, thief)
    assert theirs in snapshots(shop)
    assert own not in snapshots(shop)


def test_a_finalizer_that_is_taken_off_by_hand_deletes_nothing(shop: Shop) -> None:
    body = shop.ready(unheld(shop, "Delete"))
    shop.lab.cbs.error("DeleteSnapshots", "InternalError", "not now", times=100)
    delete(shop, body)
    shop.until_reason(body, "DeletionBlocked")
    patched(shop, body, {"metadata": {"finalizers": None}})
    gone(shop, body)
    shop.lab.cbs.clear_faults()
    assert body["status"]["snapshotID"] in snapshots(shop)
