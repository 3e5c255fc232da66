"""What the sweep of the running operator finds: lost, left over, and left by others."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from lab.bench.operating import paused
from lab.cluster.waiting import until
from lab.demo import stage
from lab.demo.shop import Shop, condition

from .test_observing import scraped


@pytest.fixture(scope="module", autouse=True)
def _often(shop: Shop) -> Iterator[None]:
    """Sweep each second instead of each hour."""
    often = [{"name": "DISKSNAPSHOT_SWEEP_SECONDS", "value": "1"}]
    stage.install_operator(shop.lab, [shop.namespace], extraEnv=often)
    yield
    stage.install_operator(shop.lab, [shop.namespace])


def reasons(shop: Shop, name: str) -> list[str]:
    return [event["reason"] for event in shop.events("DiskSnapshot", name)]


def test_a_snapshot_that_somebody_deletes_in_the_cloud_is_missed(shop: Shop) -> None:
    body = shop.ready(shop.snapshot())
    shop.lab.cbs.vanish(body["status"]["snapshotID"])
    seen = shop.until_reason(body, "SnapshotLost")
    states = {kind: condition(seen, kind)["status"] for kind in ("Ready", "SnapshotTaken")}
    assert states == {"Ready": "False", "SnapshotTaken": "False"}
    assert condition(seen, "Stalled")["status"] == "True"
    assert shop.in_the_cloud(body) == []


def test_an_orphan_is_told_of_and_left_and_a_new_object_of_its_name_as_well(shop: Shop) -> None:
    asked: dict[str, Any] = shop.snapshot(deletionPolicy="Delete")
    first = shop.ready(asked)
    name, where = asked["metadata"]["name"], ("-n", shop.namespace)
    nothing = json.dumps({"metadata": {"finalizers": None}})
    before = scraped(shop)["orphans"]
    # Somebody takes the finalizer off by force, so that nobody deletes the snapshot.
    with paused(shop.lab):
        shop.lab.kubectl(*where, "delete", "dsnap", name, "--wait=false")
        shop.lab.kubectl(*where, "patch", "dsnap", name, "--type=merge", "-p", nothing)
        shop.lab.kubectl(*where, "wait", "--for=delete", f"dsnap/{name}", "--timeout=30s")
    until(lambda: "Orphaned" in reasons(shop, name), "the orphan is told of", seconds=30)
    until(lambda: scraped(shop)["orphans"] == before + 1, "the orphan is shown", seconds=30)
    second = shop.ready(asked)
    until(lambda: "PreviousExists" in reasons(shop, name), "the earlier one is told of")
    left = {item["id"] for item in shop.lab.cbs.snapshots()}
    assert {first["status"]["snapshotID"], second["status"]["snapshotID"]} <= left
    assert condition(shop.get(second), "Ready")["status"] == "True"
