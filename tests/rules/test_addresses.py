"""Where a database may be asked: at an address that is its pod's own."""

from typing import Any

import pytest

from disksnapshot.errors import Problem
from disksnapshot.kube import addresses, pods


class Cluster:
    """Lists one pod, which mounts the claim."""

    def __init__(self, address: str, *, host_network: bool = False) -> None:
        self._pod: dict[str, Any] = {
            "metadata": {"name": "mysql-0", "uid": "u"},
            "spec": {"volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]},
            "status": {"phase": "Running", "podIP": address},
        }
        if host_network:
            self._pod["spec"]["hostNetwork"] = True

    def get(self, path: str, **_: str) -> dict[str, Any]:
        assert path == "/api/v1/namespaces/shop/pods"
        return {"items": [self._pod]}


def asked(address: str, *, host_network: bool = False) -> str:
    cluster = Cluster(address, host_network=host_network)
    (pod,) = pods.mounting(cluster, "shop", ["data"])  # type: ignore[arg-type]  # the part used
    return addresses.of_database(pod)


@pytest.mark.parametrize("address", ["10.0.3.7", "172.16.0.9", "9.135.1.2", "fd00::7"])
def test_a_pods_own_address_is_where_its_database_is_asked(address: str) -> None:
    assert asked(address) == address


def test_a_pod_on_its_nodes_network_is_refused() -> None:
    with pytest.raises(Problem, match="its address is not its own") as refused:
        asked("10.0.0.4", host_network=True)
    assert refused.value.reason == "PodAddressRefused"


@pytest.mark.parametrize(
    "address",
    [
        "169.254.0.23",
        "169.254.169.254",
        "::ffff:169.254.0.23",
        "fe80::1",
        "127.0.0.1",
        "::1",
        "::ffff:127.0.0.1",
        "0.0.0.0",  # noqa: S104 - an address to refuse
        "::",
        "224.0.0.1",
        "metadata.tencentyun.com",
        "",
    ],
)
def test_an_address_that_no_pod_can_have_is_refused(address: str) -> None:
    with pytest.raises(Problem, match="which can't be a pod's") as refused:
        asked(address)
    assert refused.value.reason == "PodAddressRefused"
