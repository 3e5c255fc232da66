"""A shop: the operator installed by its chart, and a database on a claim, both real."""

import json
from collections.abc import Generator, Iterator
from typing import Any

import pytest

from cluster.job import statefulset
from lab.cluster import Lab, LabError
from lab.demo import stage
from lab.demo.shop import Shop, at_rest
from lab.demo.stage import Database

NAMESPACE = "snapshot-tests"
OTHER = "snapshot-tests-other"  # a namespace in which the operator may read no Secret


@pytest.fixture(scope="session")
def shop(lab: Lab) -> Iterator[Shop]:
    _clear(lab)
    database = stage.start_database(lab, NAMESPACE)
    stage.make_namespace(lab, OTHER)
    stage.install_operator(lab, [NAMESPACE])
    yield Shop(lab, database)
    lab.cbs.settings(creationMilliseconds=3000)
    _clear(lab)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the operator said with a test that failed: the cluster is gone when it is read."""
    report = yield
    shop = getattr(item, "funcargs", {}).get("shop")
    if report.failed and isinstance(shop, Shop):
        report.sections.append(("what the operator said", _said(shop.lab)))
    return report


def _said(lab: Lab) -> str:
    try:
        return lab.kubectl(
            "-n", stage.OPERATOR_NAMESPACE, "logs", stage.DEPLOYMENT, "--tail=60", "--timestamps"
        )
    except LabError as error:
        return str(error)


@pytest.fixture(autouse=True)
def usual_cloud(shop: Shop) -> Iterator[None]:
    """Let copies be complete at once, and undo whatever a test asks of the emulator."""
    quick = {"visibilityDelayMilliseconds": 50, "creationMilliseconds": 0}
    shop.lab.cbs.settings(**quick, replyDelayMilliseconds=0)
    yield
    _drop_what_goes_on(shop.lab)
    shop.lab.cbs.clear_faults()
    _complete_copies(shop.lab)
    shop.lab.cbs.settings(**quick, replyDelayMilliseconds=0)


def _drop_what_goes_on(lab: Lab) -> None:
    """Delete objects that would be tried again, and then cut in the middle of another test."""
    found = lab.kubectl("get", "dsnap", "--all-namespaces", "-o", "json", check=False)
    for body in json.loads(found)["items"] if found else []:
        if not at_rest(body) and not _is_looked_for(body):
            name, namespace = (body["metadata"][key] for key in ("name", "namespace"))
            gone = ("delete", "dsnap", name, "--wait=false", "--ignore-not-found")
            lab.kubectl("--namespace", namespace, *gone)


@pytest.fixture
def installed_again(shop: Shop) -> Iterator[None]:
    """Whatever a test does to the operator, the next one finds it as usual."""
    yield
    stage.install_operator(shop.lab, [shop.namespace])


@pytest.fixture
def leaving(shop: Shop) -> Iterator[Shop]:
    """A namespace with a workload that the operator may scale, and no database."""
    nobody = Database(
        namespace=OTHER, pod="none", claim=statefulset.CLAIM, disk_id="", address="", password=""
    )
    stage.make_namespace(shop.lab, OTHER)  # who was here before may have deleted it
    stage.install_operator(shop.lab, [shop.namespace, OTHER])
    other = Shop(shop.lab, nobody)
    shop.lab.make_claim(OTHER, statefulset.CLAIM)
    yield other
    stage.remove_namespace(shop.lab, OTHER)
    stage.make_namespace(shop.lab, OTHER)
    stage.install_operator(shop.lab, [shop.namespace])


def _complete_copies(lab: Lab) -> None:
    """Let no copy, which a test has made last for long, keep its disk from the next test."""
    for snapshot in lab.cbs.snapshots():
        if snapshot["state"] == "CREATING" and not snapshot["deleting"]:
            lab.cbs.change_snapshot(snapshot["id"], percent=100)


def _is_looked_for(body: dict[str, Any]) -> bool:
    """Say whether its outcome is unknown: it makes no cut, and its deletion takes six minutes."""
    return bool(body.get("status", {}).get("intent", {}).get("state") == "Open")


def _clear(lab: Lab) -> None:
    for namespace in (NAMESPACE, OTHER):
        stage.remove_namespace(lab, namespace)
