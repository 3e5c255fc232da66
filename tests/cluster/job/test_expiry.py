"""A snapshot's own end: told to the cloud, moved by its owner, and kept by the cloud's clock."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from lab.cluster.waiting import until
from lab.demo.shop import Shop, condition

DAY = 86400


@pytest.fixture(autouse=True)
def _right_clock(shop: Shop) -> Iterator[None]:
    yield
    shop.lab.cbs.skew(0)


def expire_after(shop: Shop, body: dict[str, Any], seconds: int | None) -> None:
    change = json.dumps({"spec": {"expireAfterSeconds": seconds}})
    name = body["metadata"]["name"]
    shop.lab.kubectl("-n", shop.namespace, "patch", "dsnap", name, "--type=merge", "-p", change)


def moment(body: dict[str, Any], key: str) -> datetime | None:
    text = body["status"].get(key)
    return datetime.fromisoformat(text) if text else None


def told(shop: Shop, body: dict[str, Any]) -> Any:
    """Return what the cloud has as the snapshot's deadline."""
    (snapshot,) = shop.in_the_cloud(body)
    return snapshot["deadline"]


def test_the_cloud_deletes_it_by_itself_a_day_later_wherever_its_owner_moves_the_end(
    shop: Shop,
) -> None:
    body = shop.ready(shop.snapshot(expireAfterSeconds=DAY))
    cut = datetime.fromisoformat(body["status"]["intent"]["signedTime"])
    assert moment(body, "expireTime") == cut + timedelta(days=1)
    for days in (None, 3, 2):
        expire_after(shop, body, days * DAY if days else None)
        end = cut + timedelta(days=days) if days else None

        def moved(end: datetime | None = end) -> bool:
            seen = shop.get(body)
            same = seen["status"]["observedGeneration"] == seen["metadata"]["generation"]
            deadline = moment(seen, "deadlineTime")
            right = (deadline is None) if end is None else bool(deadline and deadline > end)
            return same and right and moment(seen, "expireTime") == end

        until(moved, f"the end is moved to {end}", seconds=30)
        assert (told(shop, body) is None) == (end is None)
        if end:
            assert told(shop, body) >= (end + timedelta(days=1)).timestamp()
    assert condition(shop.get(body), "Ready")["status"] == "True"


def test_it_is_deleted_in_time_by_the_clouds_clock_and_the_object_stays_to_say_so(
    shop: Shop,
) -> None:
    body = shop.ready(shop.snapshot(expireAfterSeconds=DAY))
    shop.lab.cbs.skew(DAY + 3600)
    # The operator hears of the time with the next reply of the cloud.
    shop.ready(shop.snapshot())
    expire_after(shop, body, DAY + 60)
    seen = shop.until_reason(body, "Expired")
    assert condition(seen, "Stalled")["status"] == "True"
    assert condition(seen, "SnapshotTaken")["status"] == "False"
    assert shop.in_the_cloud(body) == []
    until(lambda: bool(expired(shop, body)), "the event, which follows the status", seconds=30)
    (event,) = expired(shop, body)
    assert body["status"]["snapshotID"] in event["message"]


def expired(shop: Shop, body: dict[str, Any]) -> list[dict[str, Any]]:
    events = shop.events("DiskSnapshot", body["metadata"]["name"])
    return [event for event in events if event["reason"] == "Expired"]
