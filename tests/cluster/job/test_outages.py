"""The API server goes away in the middle of a snapshot and comes back: one snapshot, proven."""

import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest

from lab.cluster.components import Component
from lab.demo import kill, stage
from lab.demo.shop import Shop

SYSTEM = ("-n", stage.OPERATOR_NAMESPACE)
# Longer than the Lease; and than kopf's patience with one request that is refused.
AWAY_SECONDS = 15


@pytest.fixture
def api_server(shop: Shop) -> Iterator[Component]:
    server = shop.lab.component("kube-apiserver")
    yield server
    server.start()
    shop.lab.kubectl("wait", "--for=condition=Ready", "node/lab-node", "--timeout=60s")


def cut_without_an_api_server(shop: Shop, server: Component) -> dict[str, Any]:
    """Apply a DiskSnapshot, and kill the API server between its request and the reply."""
    shop.lab.cbs.settings(replyDelayMilliseconds=2500)
    _, since = shop.lab.cbs.calls()
    body = shop.snapshot()
    shop.apply(body)
    shop.lab.cbs.wait_call("CreateSnapshot", since=since, timeout=60)
    server.kill()
    shop.lab.cbs.settings(replyDelayMilliseconds=0)
    return body


def test_an_api_server_that_is_away_for_longer_than_the_lease_costs_no_proof_and_no_restart(
    shop: Shop, api_server: Component
) -> None:
    operator = kill.operator_pid(shop.lab)
    body = cut_without_an_api_server(shop, api_server)
    time.sleep(AWAY_SECONDS)  # what is awaited is that nothing happens
    shop.writes_go_on()
    api_server.start()
    status = shop.ready(body)["status"]
    assert status["consistency"] == "ApplicationConsistent"
    assert status["intent"]["attempt"] == 1
    assert len(shop.in_the_cloud(body)) == 1
    assert kill.operator_pid(shop.lab) == operator
    assert shop.ready(shop.snapshot(), seconds=60)["status"]["snapshotID"]


def test_an_operator_that_dies_while_the_api_server_is_away_finds_its_snapshot(
    shop: Shop, api_server: Component
) -> None:
    operator = kill.operator_pid(shop.lab)
    body = cut_without_an_api_server(shop, api_server)
    os.kill(operator, signal.SIGKILL)
    shop.writes_go_on()
    api_server.start()
    status = shop.ready(body)["status"]
    assert status["consistency"] == "Unknown"
    assert len(shop.in_the_cloud(body)) == 1
