"""Which pods a hold may touch: those of the object's namespace that mount its claims."""

from typing import Any

from disksnapshot.kube import pods


class Cluster:
    """Lists pods of one namespace; the API server is what applies a selector."""

    def __init__(self, *listed: dict[str, Any]) -> None:
        self._listed = list(listed)
        self.asked: list[tuple[str, dict[str, str]]] = []

    def get(self, path: str, **query: str) -> dict[str, Any]:
        self.asked.append((path, query))
        return {"items": self._listed}


def pod(name: str, *claims: str, phase: str = "Running", **metadata: str) -> dict[str, Any]:
    volumes = [{"name": c, "persistentVolumeClaim": {"claimName": c}} for c in claims]
    return {
        "metadata": {"name": name, "uid": f"uid-{name}", **metadata},
        "spec": {"volumes": [*volumes, {"name": "none", "emptyDir": {}}]},
        "status": {"phase": phase, "podIP": "10.0.0.7"},
    }


def touched(cluster: Cluster, *claims: str, selector: str = "") -> list[str]:
    found = pods.mounting(cluster, "shop", claims, selector)  # type: ignore[arg-type]  # the part used
    return [pod.name for pod in found]


def test_a_pod_that_does_not_mount_a_claim_is_left_alone_whatever_its_labels() -> None:
    cluster = Cluster(pod("db", "data"), pod("cache", "other"), pod("web"))
    assert touched(cluster, "data", selector="app in (db,cache,web)") == ["db"]


def test_only_the_objects_own_namespace_is_looked_at() -> None:
    cluster = Cluster(pod("db", "data"))
    touched(cluster, "data", selector="app=db")
    assert cluster.asked == [("/api/v1/namespaces/shop/pods", {"labelSelector": "app=db"})]


def test_a_pod_that_has_ended_or_is_going_is_left_alone() -> None:
    going = pod("going", "data", deletionTimestamp="2026-03-01T12:00:00Z")
    ended = pod("ended", "data", phase="Succeeded")
    assert touched(Cluster(going, ended, pod("db", "data")), "data") == ["db"]
