"""Two operators: one works, the other stands by, and whatever parts them there is one snapshot."""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from disksnapshot.kube.lease import DURATION_SECONDS, RENEW_SECONDS
from lab.bench.builds import Build
from lab.bench.operating import operating
from lab.cluster import Lab
from lab.cluster.stalling import StallingProxy
from lab.cluster.waiting import until
from lab.demo import kill, stage
from lab.demo.load import Load, Server
from lab.demo.shop import Shop
from lab.layout import API_SERVER

TAKEN_OVER_SECONDS = 15
SYSTEM = ("-n", stage.OPERATOR_NAMESPACE)
LEASE = "lease/disksnapshot-operator"


@pytest.fixture(scope="module", autouse=True)
def _pair(shop: Shop) -> Iterator[None]:
    stage.install_operator(shop.lab, [shop.namespace], replicas=2)
    yield
    stage.install_operator(shop.lab, [shop.namespace])


@pytest.fixture
def load(shop: Shop, tmp_path: Path) -> Iterator[Load]:
    database = shop.database
    server = Server(host=database.address, port=3306, password=database.password)
    with Load(server, tmp_path / "ledgers") as load:
        yield load


def lease(lab: Lab) -> dict[str, Any]:
    return dict(json.loads(lab.kubectl(*SYSTEM, "get", LEASE, "-o", "json"))["spec"])


def active(lab: Lab) -> str:
    """Return the pod that works, once there is one and the other one is ready to."""
    lab.kubectl(*SYSTEM, "rollout", "status", stage.DEPLOYMENT, "--timeout=60s")
    until(lambda: bool(lease(lab)["holderIdentity"]), "somebody holds the Lease", seconds=20)
    return str(lease(lab)["holderIdentity"])


def process(lab: Lab, pod: str) -> int:
    return kill.container_pid(lab, stage.get(lab, stage.OPERATOR_NAMESPACE, pod, "pod"))


def seconds_until_taken_from(lab: Lab, holder: str) -> float:
    began = time.monotonic()
    until(lambda: lease(lab)["holderIdentity"] not in {holder, ""}, "the standby", seconds=30)
    return time.monotonic() - began


def one_snapshot(shop: Shop, body: dict[str, Any], consistency: str = "Unknown") -> None:
    assert shop.ready(body)["status"]["consistency"] == consistency
    assert len(shop.in_the_cloud(body)) == 1


def test_a_standby_takes_over_from_one_that_is_killed_in_a_hold(shop: Shop, load: Load) -> None:
    holder = active(shop.lab)
    body = shop.held_without_reply()
    os.kill(process(shop.lab, holder), signal.SIGKILL)
    killed = time.time_ns()
    # As if its node were lost: the kubelet must not start it again.
    gone = ("delete", "pod", holder, "--force", "--grace-period=0", "--wait=false")
    shop.lab.kubectl(*SYSTEM, *gone)
    assert seconds_until_taken_from(shop.lab, holder) < TAKEN_OVER_SECONDS
    load.wait_for_rows(5, since=killed)
    one_snapshot(shop, body)


def test_one_that_is_told_to_stop_hands_over_at_once(shop: Shop) -> None:
    holder = active(shop.lab)
    shop.lab.kubectl(*SYSTEM, "delete", "pod", holder, "--wait=false")
    # Sooner than the Lease, renewed a moment ago, could have ended by itself.
    ended = DURATION_SECONDS - RENEW_SECONDS
    assert seconds_until_taken_from(shop.lab, holder) < ended
    one_snapshot(shop, shop.snapshot(), "ApplicationConsistent")


def test_one_that_is_paused_in_a_hold_and_wakes_up_late_makes_no_second_snapshot(
    shop: Shop, load: Load
) -> None:
    holder = active(shop.lab)
    body = shop.held_without_reply()
    paused = process(shop.lab, holder)
    os.kill(paused, signal.SIGSTOP)
    stopped = time.time_ns()
    try:
        assert seconds_until_taken_from(shop.lab, holder) < TAKEN_OVER_SECONDS
        load.wait_for_rows(5, since=stopped)
        one_snapshot(shop, body)
    finally:
        os.kill(paused, signal.SIGCONT)

    def stepped_down() -> bool:
        said = shop.lab.kubectl(*SYSTEM, "logs", holder, "--since=60s")
        return "no longer the one at work" in said

    until(stepped_down, "the one that woke up lets go", seconds=30)
    assert lease(shop.lab)["holderIdentity"] != holder
    one_snapshot(shop, body)


def test_one_whose_api_server_hangs_in_a_hold_lets_go_and_another_takes_over(
    shop: Shop, load: Load, tmp_path: Path
) -> None:
    with StallingProxy(_address()) as proxy, _beside(shop, proxy, tmp_path):
        _hand_to(shop.lab, "beside")
        body = shop.held_without_reply()
        proxy.stall()
        stalled = time.time_ns()
        assert seconds_until_taken_from(shop.lab, "beside") < TAKEN_OVER_SECONDS
        load.wait_for_rows(5, since=stalled)
        one_snapshot(shop, body)


def _beside(shop: Shop, proxy: StallingProxy, folder: Path) -> Any:
    """Run a third operator, which reaches the API server through the proxy alone."""
    config = folder / "kubeconfig"
    text = shop.lab.kubeconfig.read_text()
    config.write_text(text.replace(API_SERVER, f"https://{proxy.address}"))
    return operating(
        Build.true(),
        shop.lab,
        KUBECONFIG=str(config),
        DISKSNAPSHOT_LEASE_NAMESPACE=stage.OPERATOR_NAMESPACE,
        DISKSNAPSHOT_POD_NAME="beside",
    )


def _hand_to(lab: Lab, name: str) -> None:
    """Take the Lease away from who holds it, and give it to another."""
    before = lease(lab)["acquireTime"]
    change = json.dumps({"spec": {"holderIdentity": name}})
    lab.kubectl(*SYSTEM, "patch", LEASE, "--type=merge", "-p", change)
    until(lambda: lease(lab)["acquireTime"] != before, f"{name} works", seconds=20)
    assert lease(lab)["holderIdentity"] == name


def _address() -> tuple[str, int]:
    host, _, port = API_SERVER.removeprefix("https://").partition(":")
    return host, int(port)
