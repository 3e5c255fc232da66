"""A namespace is deleted while a workload in it is at zero for a snapshot."""

from collections.abc import Iterator

import pytest

from cluster.job import statefulset
from lab.cluster.waiting import until
from lab.demo import stage, taken
from lab.demo.shop import Shop
from lab.demo.stage import Database

from .conftest import OTHER

GONE_SECONDS = 60


@pytest.fixture
def leaving(shop: Shop) -> Iterator[Shop]:
    """A namespace with a workload that the operator may scale, and no database."""
    nobody = Database(
        namespace=OTHER, pod="none", claim=statefulset.CLAIM, disk_id="", address="", password=""
    )
    stage.install_operator(shop.lab, [shop.namespace, OTHER])
    other = Shop(shop.lab, nobody)
    shop.lab.make_claim(OTHER, statefulset.CLAIM)
    yield other
    stage.remove_namespace(shop.lab, OTHER)
    stage.apply(shop.lab, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": OTHER}})
    stage.install_operator(shop.lab, [shop.namespace])


def is_gone(shop: Shop) -> bool:
    found = shop.lab.kubectl("get", "namespace", OTHER, "--ignore-not-found", "-o", "name")
    return not found.strip()


def goes_in_time(shop: Shop) -> None:
    shop.lab.kubectl("delete", "namespace", OTHER, "--wait=false")
    until(lambda: is_gone(shop), "the namespace is gone", seconds=GONE_SECONDS)


def test_a_namespace_whose_workload_is_at_zero_in_its_hold_is_gone_within_a_minute(
    leaving: Shop,
) -> None:
    shop = leaving
    statefulset.start(shop)
    shop.lab.cbs.settings(replyDelayMilliseconds=4000)
    _, since = shop.lab.cbs.calls()
    body = statefulset.offline(shop)
    shop.apply(body)
    shop.lab.cbs.wait_call("CreateSnapshot", since=since, timeout=60)
    assert statefulset.replicas(shop) == 0
    seen = shop.get(body)
    assert seen["status"]["intent"]["state"] == "Open"
    goes_in_time(shop)
    assert len(taken.in_the_cloud(shop.lab, seen["metadata"]["uid"])) == 1


def test_a_namespace_whose_workload_waits_at_zero_for_a_disk_is_gone_within_a_minute(
    leaving: Shop,
) -> None:
    shop = leaving
    statefulset.start(shop, deaf="yes", grace_seconds=20)
    body = statefulset.offline(shop)
    seen = statefulset.at_zero(shop, body)
    goes_in_time(shop)
    assert taken.in_the_cloud(shop.lab, seen["metadata"]["uid"]) == []
