"""The operator is upgraded or removed, also in the middle of a hold."""

import pytest

from lab.cluster.waiting import until
from lab.demo import kill, stage
from lab.demo.shop import Shop

SYSTEM = ("-n", stage.OPERATOR_NAMESPACE)
LEASE = "lease/disksnapshot-operator"
JOB = "job/disksnapshot-operator-release"

pytestmark = pytest.mark.usefixtures("installed_again")


def thawed(shop: Shop) -> None:
    """Wait until no record is left: a dead owner's is cleared some time after the thaw."""
    until(lambda: kill.frozen_devices(shop.lab) == [], "nothing is frozen", seconds=10)


def test_an_upgrade_in_a_hold_lets_go_and_the_new_operator_goes_on(shop: Shop) -> None:
    body = shop.held_without_reply()
    stage.install_operator(shop.lab, [shop.namespace], podAnnotations={"upgraded": "true"})
    thawed(shop)
    shop.ready(body)
    assert len(shop.in_the_cloud(body)) == 1
    shop.writes_go_on()


def test_an_uninstall_in_a_hold_leaves_nothing_frozen_no_finalizer_and_lists_the_snapshot(
    shop: Shop,
) -> None:
    body = shop.held_without_reply(deletionPolicy="Delete")
    where = ("--namespace", stage.OPERATOR_NAMESPACE)
    shop.lab.helm("uninstall", stage.RELEASE, *where, "--wait", "--timeout", "120s")
    shop.writes_go_on()
    thawed(shop)
    assert shop.finalizers() == []
    (held,) = (str(one["id"]) for one in shop.in_the_cloud(body))
    said = shop.lab.kubectl(*SYSTEM, "logs", JOB)
    assert held in said or "may still appear" in said
    assert f"{shop.namespace}/{body['metadata']['name']}" in said
    # The Job keeps it for half a minute, in which the next operator would do nothing.
    shop.lab.kubectl(*SYSTEM, "delete", LEASE)


def test_the_definition_can_be_deleted_and_the_operator_goes_on_when_it_is_back(
    shop: Shop,
) -> None:
    body = shop.ready(shop.snapshot(deletionPolicy="Delete"))
    made = body["status"]["snapshotID"]
    shop.lab.kubectl("delete", "crd", "disksnapshots.disksnapshot.io", "--timeout=60s")
    assert made not in {item["id"] for item in shop.lab.cbs.snapshots()}
    stage.install_operator(shop.lab, [shop.namespace])
    assert shop.ready(shop.snapshot())["status"]["consistency"] == "ApplicationConsistent"
