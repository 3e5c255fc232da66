"""A database is asked at its pod's own address, or not at all."""

from collections.abc import Iterator
from typing import Any

import pytest

from lab.demo import stage
from lab.demo.shop import Shop, condition


@pytest.fixture
def on_the_nodes_network(shop: Shop) -> Iterator[dict[str, str]]:
    """Run a pod that mounts the database's claim and has its node's address; return its labels."""
    labels = {"app": "on-the-nodes-network"}
    container = {
        "name": "idle",
        "image": "localhost/mariadb:lab",
        "imagePullPolicy": "Never",
        "command": ["sleep", "infinity"],
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    spec: dict[str, Any] = {
        "hostNetwork": True,
        "terminationGracePeriodSeconds": 1,
        "containers": [container],
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": shop.database.claim}}],
    }
    metadata = {"name": labels["app"], "namespace": shop.namespace, "labels": labels}
    stage.apply(shop.lab, {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    where = ("--namespace", shop.namespace, f"pod/{labels['app']}")
    shop.lab.kubectl("wait", "--for=condition=Ready", *where, "--timeout=60s")
    yield labels
    shop.lab.kubectl("delete", *where, "--wait")


def test_a_password_is_never_sent_to_an_address_that_a_pod_shares_with_its_node(
    shop: Shop, on_the_nodes_network: dict[str, str]
) -> None:
    target = {"podSelector": {"matchLabels": on_the_nodes_network}}
    body = shop.snapshot(quiesce=shop.mysql(target=target))
    shop.apply(body)
    seen = shop.until_reason(body, "PodAddressRefused")
    assert on_the_nodes_network["app"] in condition(seen, "Ready")["message"]
    assert shop.in_the_cloud(body) == []
