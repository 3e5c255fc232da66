"""The cluster runs pods, lets them talk, and comes back after any of its parts is killed."""

import json
from collections.abc import Iterator

import pytest

from lab.cluster import Lab
from lab.cluster.up import up
from lab.cluster.waiting import until

_NAMESPACE = "lab-pods"


def _pod(name: str, *command: str) -> dict[str, object]:
    container = {
        "name": "main",
        "image": "localhost/mariadb:lab",
        "imagePullPolicy": "Never",
        "command": list(command),
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": _NAMESPACE, "labels": {"app": name}},
        "spec": {"terminationGracePeriodSeconds": 0, "containers": [container]},
    }


@pytest.fixture(scope="module")
def pods(lab: Lab) -> Iterator[Lab]:
    service: dict[str, object] = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": _NAMESPACE},
        "spec": {"selector": {"app": "server"}, "ports": [{"port": 80, "targetPort": 8080}]},
    }
    objects: list[dict[str, object]] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": _NAMESPACE}},
        _pod("client", "sleep", "100000"),
        _pod("server", "busybox", "httpd", "-f", "-p", "8080", "-h", "/etc"),
        service,
    ]
    lab.kubectl("create", "-f", "-", stdin=_listed(objects))
    try:
        _wait_ready(lab)
        yield lab
    finally:
        lab.kubectl("delete", "namespace", _NAMESPACE)


def _listed(objects: list[dict[str, object]]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})


def _wait_ready(lab: Lab) -> None:
    ready = ("wait", "--for=condition=Ready", "pod", "--all", "--timeout=60s")
    lab.kubectl("-n", _NAMESPACE, *ready)


def _fetch(lab: Lab, pod: str, url: str) -> str:
    get = ("timeout", "5", "busybox", "wget", "-q", "--no-check-certificate", "-O", "-", url)
    return lab.kubectl("-n", _NAMESPACE, "exec", pod, "--", *get, check=False).strip()


def test_a_pod_reaches_another_pod_through_its_service(pods: Lab) -> None:
    address = pods.kubectl(
        "-n", _NAMESPACE, "get", "service", "web", "-o", "jsonpath={.spec.clusterIP}"
    )
    until(lambda: _fetch(pods, "client", f"http://{address}/hostname") == "server", "an answer")


def test_a_pod_reaches_itself_through_its_service(pods: Lab) -> None:
    address = pods.kubectl(
        "-n", _NAMESPACE, "get", "service", "web", "-o", "jsonpath={.spec.clusterIP}"
    )
    until(lambda: _fetch(pods, "server", f"http://{address}/hostname") == "server", "an answer")


def test_a_pod_reaches_the_api_server_at_its_in_cluster_address(pods: Lab) -> None:
    until(lambda: "v1.34.4" in _fetch(pods, "client", "https://10.96.0.1/version"), "an answer")


@pytest.mark.parametrize(
    "name",
    [
        "etcd",
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
        "kube-proxy",
        "containerd",
        "kubelet",
        "cbs",
        "csi",
    ],
)
def test_up_repairs_a_lab_whose_component_was_killed(pods: Lab, name: str) -> None:
    pods.component(name).kill()
    assert not pods.component(name).alive

    up(pods.layout)

    assert pods.component(name).alive
    _wait_ready(pods)


def test_up_on_a_running_lab_restarts_nothing(pods: Lab) -> None:
    names = ("etcd", "kube-apiserver", "containerd", "kubelet", "kube-proxy", "cbs", "csi")
    before = [pods.component(name).pid for name in names]

    up(pods.layout)

    assert [pods.component(name).pid for name in names] == before
