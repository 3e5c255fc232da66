"""Bad input on the real way to a pod: its reason, nothing held, nothing left in the cloud.

`make refusals` has the whole catalogue; these are the cases that nothing else here covers.
"""

from typing import Any

import pytest

from lab.cluster.waiting import until
from lab.demo import stage
from lab.demo.shop import Shop, condition

ENDLESS = "trap '' TERM; while :; do sleep 1; done"
BAD = {
    "hangs": (["sleep", "3600"], 1, "took longer than 1 s"),
    "ignores SIGTERM": (["sh", "-c", ENDLESS], 1, "status 137"),
    "prints a gigabyte": (["sh", "-c", "head -c 1G /dev/zero; exit 3"], 20, "status 3"),
    "prints binary": (["sh", "-c", "head -c 64K /dev/urandom; exit 3"], 20, "status 3"),
    "is missing": (["no-such-program"], 20, "status 127"),
}


def by_command(shop: Shop, acquire: list[str], seconds: int, release: str) -> dict[str, Any]:
    step = {"acquire": acquire, "release": [release], "timeoutSeconds": seconds}
    target = {"podSelector": {"matchLabels": {"app": shop.database.pod}}, "container": "tools"}
    steps = [{"exec": step | {"target": target}}]
    return shop.snapshot(quiesce={"steps": steps, "maxHoldSeconds": 60})


def test_whatever_acquire_does_wrong_ends_as_a_failed_command(shop: Shop) -> None:
    asked = {
        what: by_command(shop, words, seconds, "true") for what, (words, seconds, _) in BAD.items()
    }
    stage.apply(shop.lab, *asked.values())
    for what, body in asked.items():
        seen = shop.until_reason(body, "CommandFailed")
        assert BAD[what][2] in condition(seen, "Ready")["message"], what
        assert shop.in_the_cloud(body) == []
        shop.lab.kubectl("-n", shop.namespace, "delete", "dsnap", body["metadata"]["name"])
    shop.writes_go_on()


def test_a_release_that_fails_takes_the_cut_back(shop: Shop) -> None:
    body = by_command(shop, ["true"], 20, "false")
    shop.apply(body)
    seen = shop.until_reason(body, "ProofFailed")
    assert "release ended with status 1" in condition(seen, "Ready")["message"]
    until(lambda: shop.in_the_cloud(body) == [], "its snapshot is deleted", seconds=30)
    shop.lab.kubectl("-n", shop.namespace, "delete", "dsnap", body["metadata"]["name"])


def test_a_container_that_the_databases_pod_lacks_is_named(shop: Shop) -> None:
    body = shop.snapshot(quiesce=shop.mysql(target={"container": "postgres"}))
    shop.apply(body)
    seen = shop.until_reason(body, "ContainerNotFound")
    assert "no container postgres" in condition(seen, "Ready")["message"]


@pytest.mark.parametrize(
    ("content", "key"),
    [
        ({}, "username"),
        ({"username": "", "password": "x"}, "username"),
        ({"username": "snapshot", "pass": "x"}, "password"),
    ],
    ids=["empty", "no-name", "other-key"],
)
def test_a_secret_that_lacks_something_says_what(
    shop: Shop, content: dict[str, str], key: str
) -> None:
    metadata = {"name": "lacking", "namespace": shop.namespace}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": content}
    stage.apply(shop.lab, secret)
    body = shop.snapshot(quiesce=shop.mysql(credentialsSecretRef={"name": "lacking"}))
    shop.apply(body)
    seen = shop.until_reason(body, "SecretIncomplete")
    assert condition(seen, "Ready")["message"].endswith(f"under the key {key}")
    assert shop.in_the_cloud(body) == []
    shop.lab.kubectl("-n", shop.namespace, "delete", "secret", "lacking")


def test_an_object_that_is_deleted_at_once_leaves_nothing(shop: Shop) -> None:
    body = shop.snapshot(deletionPolicy="Delete")
    shop.apply(body)
    uid = shop.get(body)["metadata"]["uid"]
    shop.lab.kubectl(
        "-n", shop.namespace, "delete", "dsnap", body["metadata"]["name"], "--timeout=60s"
    )
    assert [one for one in shop.lab.cbs.snapshots() if uid in str(one)] == []
    shop.writes_go_on()
