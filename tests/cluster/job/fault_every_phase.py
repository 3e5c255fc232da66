"""The operator is upgraded, rolled back or removed, with an object in each phase at once."""

import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from cluster.job import statefulset
from lab.cluster.waiting import until
from lab.demo import kill, stage, taken
from lab.demo.shop import Shop, condition

SYSTEM = ("-n", stage.OPERATOR_NAMESPACE)
ORPHANS = ("--cascade=orphan",)
JOB = "job/disksnapshot-operator-release"

pytestmark = pytest.mark.usefixtures("installed_again")


@pytest.fixture
def idle(shop: Shop) -> Iterator[tuple[str, str]]:
    """Two claims that no pod mounts, each on a disk of its own: a disk has one cut at a time."""
    claims = ("idle-one", "idle-two")
    for claim in claims:
        shop.lab.make_claim(shop.namespace, claim)
    yield claims
    for claim in claims:
        shop.lab.remove_claim(shop.namespace, claim)


def of(shop: Shop, claim: str, **spec: Any) -> dict[str, Any]:
    return shop.snapshot(source={"claims": [{"name": claim}]}, whenNotMounted="Snapshot", **spec)


class Phases(NamedTuple):
    """An object in each phase but the hold, at one time."""

    pending: dict[str, Any]
    creating: dict[str, Any]
    deleting: dict[str, Any]
    ready: dict[str, Any]


def in_every_phase(shop: Shop, idle: tuple[str, str]) -> Phases:
    pending, ready = of(shop, "not-there-yet"), shop.ready(shop.snapshot(deletionPolicy="Delete"))
    # From here on the cloud takes its time, so that all of them are in their phase at once.
    shop.lab.cbs.settings(creationMilliseconds=30_000)
    creating, deleting = of(shop, idle[0]), of(shop, idle[1], deletionPolicy="Delete")
    for body, reason in (
        (pending, "ClaimNotFound"),
        (creating, "Creating"),
        (deleting, "Creating"),
    ):
        shop.apply(body)
        shop.until_reason(body, reason)
    shop.lab.kubectl("-n", shop.namespace, "delete", "dsnap", name(deleting), "--wait=false")
    deleting = shop.until_reason(deleting, "DeletionBlocked")
    return Phases(pending, creating, deleting, ready)


def uid(body: dict[str, Any]) -> str:
    return str(body["metadata"]["uid"])


def test_an_upgrade_and_its_rollback_take_up_an_object_in_every_phase(
    shop: Shop, idle: tuple[str, str]
) -> None:
    all_of = in_every_phase(shop, idle)
    made = [ids(shop, body) for body in (all_of.ready, all_of.creating)]
    held = shop.held_without_reply(deletionPolicy="Delete")

    stage.install_operator(shop.lab, [shop.namespace], podAnnotations={"upgraded": "true"})
    where = ("--namespace", stage.OPERATOR_NAMESPACE)
    shop.lab.helm("rollback", stage.RELEASE, *where, "--wait", "--timeout", "120s")

    assert kill.frozen_devices(shop.lab) == []
    assert condition(shop.get(all_of.pending), "Ready")["reason"] == "ClaimNotFound"
    delete = ("-n", shop.namespace, "delete", "dsnap", name(all_of.pending), "--timeout=60s")
    shop.lab.kubectl(*delete)
    gone = ("wait", "--for=delete", f"dsnap/{name(all_of.deleting)}", "--timeout=120s")
    shop.lab.kubectl("-n", shop.namespace, *gone)
    assert taken.in_the_cloud(shop.lab, uid(all_of.deleting)) == []
    for body in (held, all_of.creating):
        assert shop.ready(body)["status"]["intent"]["attempt"] == 1
    assert len(ids(shop, held)) == 1
    assert [ids(shop, body) for body in (all_of.ready, all_of.creating)] == made


def name(body: dict[str, Any]) -> str:
    return str(body["metadata"]["name"])


def ids(shop: Shop, body: dict[str, Any]) -> list[str]:
    return [str(one["id"]) for one in shop.in_the_cloud(body)]


@pytest.fixture
def workload(shop: Shop) -> Iterator[None]:
    """One whose pod takes long to end, so that it is at zero for so long."""
    shop.lab.make_claim(shop.namespace, statefulset.CLAIM)
    statefulset.start(shop, deaf="yes", grace_seconds=20)
    yield
    end = ("delete", "pods", "-l", f"app={statefulset.NAME}", "--force", "--grace-period=0")
    shop.lab.kubectl("-n", shop.namespace, "delete", f"statefulset/{statefulset.NAME}", *ORPHANS)
    shop.lab.kubectl("-n", shop.namespace, *end)
    statefulset.remove(shop)


@pytest.mark.usefixtures("workload")
def test_an_uninstall_in_every_phase_leaves_nothing_held_no_finalizer_and_lists_each_snapshot(
    shop: Shop, idle: tuple[str, str]
) -> None:
    all_of = in_every_phase(shop, idle)
    statefulset.at_zero(shop, statefulset.offline(shop))
    in_hold = shop.held_without_reply(deletionPolicy="Delete")
    assert statefulset.replicas(shop) == 0

    began = time.monotonic()
    where = ("--namespace", stage.OPERATOR_NAMESPACE)
    shop.lab.helm("uninstall", stage.RELEASE, *where, "--wait", "--timeout", "120s")
    assert time.monotonic() - began < 60

    shop.writes_go_on()
    until(lambda: kill.frozen_devices(shop.lab) == [], "nothing is frozen", seconds=10)
    assert shop.finalizers() == []
    statefulset.runs_again(shop)
    (held,) = ids(shop, in_hold)
    listed = [ids(shop, body) for body in (all_of.ready, all_of.creating)]
    (left,) = (item["id"] for item in taken.in_the_cloud(shop.lab, uid(all_of.deleting)))
    said = shop.lab.kubectl(*SYSTEM, "logs", JOB)
    assert [len(found) for found in listed] == [1, 1]
    assert [one for (one,) in listed if one not in said] == []
    assert left in said
    assert held in said or "may still appear" in said
    assert f"{shop.namespace}/{name(in_hold)}" in said
    assert name(all_of.pending) not in said

    stage.install_operator(shop.lab, [shop.namespace])
    for body in (in_hold, all_of.creating):
        shop.ready(body)
    # It may have been Ready before; the uninstall keeps the Lease for 30 seconds.
    until(lambda: len(shop.finalizers()) >= 2, "the finalizers are back", seconds=40)
    assert ids(shop, in_hold) == [held]
    assert [ids(shop, body) for body in (all_of.ready, all_of.creating)] == listed
    statefulset.runs_again(shop)
