"""A namespace is deleted while a workload in it goes to zero for a snapshot, slowly."""

from cluster.job import statefulset
from cluster.job.test_namespace import goes_in_time
from lab.demo import taken
from lab.demo.shop import Shop


def test_a_namespace_whose_workload_waits_at_zero_for_a_disk_is_gone_within_a_minute(
    leaving: Shop,
) -> None:
    shop = leaving
    statefulset.start(shop, deaf="yes", grace_seconds=20)
    body = statefulset.offline(shop)
    seen = statefulset.at_zero(shop, body)
    goes_in_time(shop)
    assert taken.in_the_cloud(shop.lab, seen["metadata"]["uid"]) == []
