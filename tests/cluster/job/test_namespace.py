"""A namespace is deleted while a workload in it is at zero for a snapshot."""

from cluster.job import statefulset
from lab.cluster.waiting import until
from lab.demo import taken
from lab.demo.shop import Shop

from .conftest import OTHER

GONE_SECONDS = 60


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
    body = statefulset.offline(shop)
    shop.apply_until_sent(body)
    assert statefulset.replicas(shop) == 0
    seen = shop.get(body)
    assert seen["status"]["intent"]["state"] == "Open"
    goes_in_time(shop)
    assert len(taken.in_the_cloud(shop.lab, seen["metadata"]["uid"])) == 1
