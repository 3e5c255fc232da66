"""The API server goes away in the middle of a snapshot and comes back: there is one snapshot."""

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
AWAY_SECONDS, LONG_SECONDS = 15, 600


@pytest.fixture
def api_server(shop: Shop) -> Iterator[Component]:
    server = shop.lab.component("kube-apiserver")
    yield server
    server.start()
    shop.lab.kubectl("wait", "--for=condition=Ready", "node/lab-node", "--timeout=60s")


def cut_without_an_api_server(
    shop: Shop, server: Component, *steps: dict[str, Any]
) -> dict[str, Any]:
    """Apply a DiskSnapshot, and kill the API server between its request and the reply."""
    shop.lab.cbs.settings(replyDelayMilliseconds=2500)
    body = shop.snapshot(quiesce={"steps": list(steps)})
    shop.apply_until_sent(body)
    server.kill()
    shop.lab.cbs.settings(replyDelayMilliseconds=0)
    return body


@pytest.mark.timeout(LONG_SECONDS + 300)
@pytest.mark.parametrize(
    ("freezes", "seconds"),
    [(False, AWAY_SECONDS), (True, AWAY_SECONDS), (False, LONG_SECONDS)],
    ids=["lock", "lock and freeze", "lock, for ten minutes"],
)
def test_an_api_server_that_is_away_for_longer_than_the_lease_costs_no_second_snapshot(
    shop: Shop, api_server: Component, freezes: bool, seconds: float
) -> None:
    operator = kill.next_operator_pid(shop.lab)
    lock, freeze = shop.mysql()["steps"]
    body = cut_without_an_api_server(shop, api_server, lock, *([freeze] if freezes else []))
    time.sleep(seconds)  # what is awaited is that nothing happens
    shop.writes_go_on()
    api_server.start()
    status = shop.ready(body)["status"]
    # The freezer is talked to by way of the API server: without it, nothing shows what was frozen.
    assert (status["consistency"] == "Unknown") == freezes
    assert status["quiesce"]["proven"] == (not freezes)
    assert status["intent"]["attempt"] == 1
    assert len(shop.in_the_cloud(body)) == 1
    assert kill.operator_pid(shop.lab) == operator, "it keeps what it knows, in its memory"
    # After ten minutes the cluster calls the pods of a silent node not ready, for a while more.
    assert shop.ready(shop.snapshot(), seconds=240)["status"]["snapshotID"]


def test_an_operator_that_dies_while_the_api_server_is_away_finds_its_snapshot(
    shop: Shop, api_server: Component
) -> None:
    operator = kill.next_operator_pid(shop.lab)
    body = cut_without_an_api_server(shop, api_server, *shop.mysql()["steps"])
    os.kill(operator, signal.SIGKILL)
    shop.writes_go_on()
    api_server.start()
    status = shop.ready(body)["status"]
    assert status["consistency"] == "Unknown"
    assert len(shop.in_the_cloud(body)) == 1
