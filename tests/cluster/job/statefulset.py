"""A StatefulSet that writes on a disk of its own, and can be taken to zero."""

from typing import Any

from lab.cluster.waiting import until
from lab.demo import stage
from lab.demo.shop import Shop

NAME, CLAIM = "ledger", "data-ledger-0"
# Told to go, it writes its last line and goes with status 0; unless it is to be deaf.
WRITER = """
trap 'echo the end >>/data/rows; exit 0' TERM
[ "$DEAF" ] && trap '' TERM
while :; do echo row >>/data/rows; sleep 0.05 & wait $!; done
"""


def start(shop: Shop, deaf: str = "", when_scaled: str = "Retain", grace_seconds: int = 1) -> None:
    container = {
        "name": "writer",
        "image": "localhost/mariadb:lab",
        "imagePullPolicy": "Never",
        "command": ["sh", "-c", WRITER],
        "env": [{"name": "DEAF", "value": deaf}],
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    claim = {
        "metadata": {"name": "data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "",
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    labels = {"app": NAME}
    workload = {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": NAME, "namespace": shop.namespace},
        "spec": {
            "replicas": 1,
            "serviceName": NAME,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "terminationGracePeriodSeconds": grace_seconds,
                    "containers": [container],
                },
            },
            "volumeClaimTemplates": [claim],
            "persistentVolumeClaimRetentionPolicy": {"whenScaled": when_scaled},
        },
    }
    stage.apply(shop.lab, workload)
    wait = ("rollout", "status", f"statefulset/{NAME}", "--timeout=60s")
    shop.lab.kubectl("-n", shop.namespace, *wait)


def offline(shop: Shop) -> dict[str, Any]:
    target = {"scaleTargetRef": {"kind": "StatefulSet", "name": NAME}}
    body = shop.snapshot(source={"claims": [{"name": CLAIM}]}, offline=target)
    del body["spec"]["quiesce"]
    return body


def replicas(shop: Shop) -> int:
    return int(stage.get(shop.lab, shop.namespace, NAME, "statefulset")["spec"]["replicas"])


def runs_again(shop: Shop) -> None:
    assert replicas(shop) == 1
    wait = ("rollout", "status", f"statefulset/{NAME}", "--timeout=60s")
    shop.lab.kubectl("-n", shop.namespace, *wait)


def at_zero(shop: Shop, body: dict[str, Any]) -> dict[str, Any]:
    """Wait until the workload is at zero; return the object."""
    shop.apply(body)
    until(lambda: replicas(shop) == 0, f"{NAME} is at zero")
    return shop.get(body)


def remove(shop: Shop) -> None:
    where = ("-n", shop.namespace, "delete", f"statefulset/{NAME}", "--ignore-not-found")
    shop.lab.kubectl(*where, "--cascade=foreground", "--wait")
    shop.lab.remove_claim(shop.namespace, CLAIM)
