"""A claim that no pod mounts: refused by default, cut where that is asked for, named by proof."""

from collections.abc import Iterator
from typing import Any

import pytest

from lab.demo.shop import Shop, condition

FREEZE = {"steps": [{"freeze": {"method": "Agent"}}]}
STILL = ("FilesystemConsistent", "Clean", "None")
CRASH = ("CrashConsistent", "NeedsReplay", "None")
KEYS = ("consistency", "fileSystem", "application")


@pytest.fixture
def idle(shop: Shop) -> Iterator[str]:
    """A claim that no pod mounts, on a disk of its own; returns the disk's id."""
    disk_id = shop.lab.make_claim(shop.namespace, "unmounted")
    yield disk_id
    shop.lab.cbs.detach(disk_id)
    shop.lab.remove_claim(shop.namespace, "unmounted")


def of(shop: Shop, *claims: str, **spec: Any) -> dict[str, Any]:
    source = {"claims": [{"name": name} for name in claims]}
    return shop.snapshot(source=source, whenNotMounted="Snapshot", **spec)


def words(status: dict[str, str]) -> tuple[str, ...]:
    return tuple(status[key] for key in KEYS)


def test_a_detached_disk_is_proven_still_and_the_steps_have_nobody_to_hold(
    shop: Shop, idle: str
) -> None:
    seen = shop.ready(of(shop, "unmounted", quiesce=shop.mysql()))
    assert words(seen["status"]) == STILL
    assert "quiesce" not in seen["status"]
    assert condition(seen, "Quiesced")["status"] == "True"
    assert [volume["diskID"] for volume in seen["status"]["volumes"]] == [idle]


def test_a_database_is_held_while_a_claim_beside_it_stands_still_by_itself(
    shop: Shop, idle: str
) -> None:
    seen = shop.ready(of(shop, shop.database.claim, "unmounted", quiesce=shop.mysql()))
    status = seen["status"]
    assert words(status) == ("ApplicationConsistent", "Clean", "Proven")
    assert {volume["diskID"] for volume in status["volumes"]} == {idle, shop.database.disk_id}
    assert status["quiesce"]["proven"]


def test_a_disk_that_is_attached_without_a_pod_is_waited_for_where_a_proof_is_wanted(
    shop: Shop, idle: str
) -> None:
    shop.lab.cbs.attach(idle, "ins-elsewher")
    body = of(shop, "unmounted", quiesce=FREEZE)
    shop.apply(body)
    seen = shop.until_reason(body, "DiskBusy")
    assert "ins-elsewher" in condition(seen, "Ready")["message"]
    assert shop.in_the_cloud(body) == []
    shop.lab.cbs.detach(idle)
    shop.until_reason(body, "Ready")
    assert words(shop.get(body)["status"]) == STILL


def test_without_a_hold_an_attached_disk_is_cut_and_called_no_more_than_it_is(
    shop: Shop, idle: str
) -> None:
    shop.lab.cbs.attach(idle, "ins-elsewher")
    body = of(shop, "unmounted")
    del body["spec"]["quiesce"]
    assert words(shop.ready(body)["status"]) == CRASH


@pytest.fixture
def expanding(shop: Shop) -> Iterator[str]:
    """The database's disk, while the cloud expands it."""
    disk_id = shop.database.disk_id
    shop.lab.cbs.change_disk(disk_id, DiskState="EXPANDING")
    yield disk_id
    shop.lab.cbs.change_disk(disk_id, DiskState="")


def test_a_disk_that_can_t_be_cut_now_is_told_with_nothing_held_and_cut_later(
    shop: Shop, expanding: str
) -> None:
    body = shop.snapshot()
    shop.apply(body)
    seen = shop.until_reason(body, "DiskBusy")
    assert f"{expanding} of claim" in condition(seen, "Ready")["message"]
    assert not {"quiesce", "intent"} & seen["status"].keys()
    shop.writes_go_on()
    shop.lab.cbs.change_disk(expanding, DiskState="")
    shop.until_reason(body, "Ready")
