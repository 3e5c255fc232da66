"""What people are told, and how often: events, and `kubectl describe` of object and claim."""

import re
from collections.abc import Mapping
from typing import Any

import pytest

from lab.cluster.waiting import until
from lab.demo.shop import Shop
from lab.demo.taken import NET


def describe(shop: Shop, kind: str, name: str) -> str:
    return shop.lab.kubectl("-n", shop.namespace, "describe", kind, name)


def on_the_claim(shop: Shop, body: Mapping[str, Any]) -> list[dict[str, Any]]:
    name = body["metadata"]["name"]
    events = shop.events("PersistentVolumeClaim", shop.database.claim)
    return [event for event in events if f"DiskSnapshot {name}:" in event["message"]]


@pytest.fixture(scope="module")
def told(shop: Shop) -> dict[str, Any]:
    """One held snapshot, of which everybody has been told."""
    body = shop.ready(shop.snapshot())
    until(lambda: bool(on_the_claim(shop, body)), "the claim's event", seconds=30)
    return body


def test_a_failure_that_lasts_over_retries_is_one_warning_on_object_and_claim(shop: Shop) -> None:
    body = shop.snapshot(quiesce=shop.mysql(credentialsSecretRef={"name": "nowhere"}))
    shop.apply(body)
    shop.until_reason(body, "SecretNotFound")
    times: set[str] = set()

    def tried_again_twice() -> bool:
        times.add(shop.get(body)["status"].get("retryTime", ""))
        return len(times) > 2

    until(tried_again_twice, "two retries", seconds=NET)
    (on_object,) = shop.events("DiskSnapshot", body["metadata"]["name"])
    (on_claim,) = on_the_claim(shop, body)
    for event in (on_object, on_claim):
        assert (event["type"], event["reason"]) == ("Warning", "SecretNotFound")


def test_describe_says_first_whether_the_snapshot_is_ready(
    shop: Shop, told: Mapping[str, Any]
) -> None:
    said = describe(shop, "dsnap", told["metadata"]["name"])
    status = said.partition("\nStatus:")[2]
    conditions = re.findall(r"^ {4}Type: +(\w+)$", status, re.MULTILINE)
    assert conditions[0] == "Ready"
    assert set(conditions) == {
        "Ready", "Reconciling", "Stalled", "Quiesced", "SnapshotTaken", "Resumed",
    }  # fmt: skip
    assert re.search(r"^ +Consistency: +ApplicationConsistent$", status, re.MULTILINE)


def test_describe_of_object_and_claim_ends_with_the_one_event_that_tells_the_snapshot(
    shop: Shop, told: Mapping[str, Any]
) -> None:
    name, snapshot = told["metadata"]["name"], told["status"]["snapshotID"]
    for kind, subject in (("dsnap", name), ("pvc", shop.database.claim)):
        events = describe(shop, kind, subject).partition("\nEvents:")[2].splitlines()
        lines = [line for line in events if snapshot in line]
        assert len(lines) == 1, events
        assert lines[0].split()[:2] == ["Normal", "SnapshotReady"]
        assert f"{snapshot} is complete; it is ApplicationConsistent" in lines[0]
