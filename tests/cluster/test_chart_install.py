"""The chart on the real cluster: what it may do there, and what is left when it goes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cluster import definition
from lab.cluster import Lab
from lab.cluster.waiting import until

CHART = Path(__file__).resolve().parents[2] / "charts" / "disksnapshot-operator"
RELEASE = "chart-test"
HOME = "chart-test"
OPENED = "chart-test-opened"
COMMANDS = "chart-test-commands"
FREEZER = "chart-test-freezer"
NAME = f"{RELEASE}-disksnapshot-operator"
ACCOUNT = f"system:serviceaccount:{HOME}:{NAME}"

SUBRESOURCES = {"exec", "attach", "ephemeralcontainers", "status", "proxy"}

ALLOWED = [
    ("get", "disksnapshots.disksnapshot.io", "default"),
    ("list", "disksnapshots.disksnapshot.io", ""),
    ("watch", "disksnapshots.disksnapshot.io", ""),
    ("patch", "disksnapshots.disksnapshot.io", "default"),
    ("patch", "disksnapshots.disksnapshot.io/status", "default"),
    ("record", "disksnapshots.disksnapshot.io", "default"),
    ("get", "persistentvolumeclaims", "default"),
    ("get", "persistentvolumes", ""),
    ("list", "pods", "default"),
    ("get", "namespaces/kube-system", ""),
    ("create", "events", "default"),
    ("get", "secrets/mysql-snapshot", OPENED),
    ("get", "pods/exec", COMMANDS),
    ("create", "pods/exec", COMMANDS),
    ("list", "pods", FREEZER),
    ("get", "pods/exec", FREEZER),
    ("create", "pods/exec", FREEZER),
    ("create", "leases.coordination.k8s.io", HOME),
    ("get", "leases.coordination.k8s.io/disksnapshot-operator", HOME),
    ("patch", "leases.coordination.k8s.io/disksnapshot-operator", HOME),
]
REFUSED = [
    ("patch", "events", "default"),
    ("get", "pods", "default"),
    ("get", "pods", FREEZER),
    ("get", "disksnapshots.disksnapshot.io/status", "default"),
    ("update", "disksnapshots.disksnapshot.io/status", "default"),
    ("get", "secrets/mysql-snapshot", "default"),
    ("get", "secrets/cbs", HOME),
    ("get", "secrets", "kube-system"),
    ("list", "secrets", OPENED),
    ("watch", "secrets", OPENED),
    ("get", "secrets", FREEZER),
    ("get", "pods/exec", "default"),
    ("create", "pods/exec", OPENED),
    ("create", "pods/attach", COMMANDS),
    ("create", "pods/ephemeralcontainers", COMMANDS),
    ("create", "pods", COMMANDS),
    ("get", "secrets/mysql-snapshot", COMMANDS),
    ("create", "pods/exec", HOME),
    ("create", "pods/attach", FREEZER),
    ("create", "pods/ephemeralcontainers", FREEZER),
    ("create", "disksnapshots.disksnapshot.io", "default"),
    ("delete", "disksnapshots.disksnapshot.io", "default"),
    ("delete", "pods", "default"),
    ("delete", "pods", FREEZER),
    ("delete", "persistentvolumeclaims", "default"),
    ("delete", "persistentvolumes", ""),
    ("delete", "events", "default"),
    ("patch", "persistentvolumeclaims", "default"),
    ("create", "pods", FREEZER),
    ("create", "leases.coordination.k8s.io", "default"),
    ("patch", "leases.coordination.k8s.io/another", HOME),
    ("delete", "leases.coordination.k8s.io/disksnapshot-operator", HOME),
    ("list", "namespaces", ""),
    ("get", "namespaces/default", ""),
    ("get", "nodes/proxy", ""),
    ("list", "customresourcedefinitions.apiextensions.k8s.io", ""),
    ("impersonate", "serviceaccounts", "kube-system"),
    ("*", "*", ""),
]


def may(lab: Lab, account: str, verb: str, resource: str, namespace: str) -> bool:
    """Ask the API server itself: `kubectl auth can-i` knows installed kinds only."""
    what, _, part = resource.partition("/")
    plural, _, group = what.partition(".")
    asked = {"verb": verb, "resource": plural, "group": group, "namespace": namespace}
    asked["subresource" if part in SUBRESOURCES else "name"] = part
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": account,
            "groups": ["system:serviceaccounts", "system:authenticated"],
            "resourceAttributes": asked,
        },
    }
    said = lab.kubectl("create", "--output=json", "--filename=-", stdin=json.dumps(review))
    return bool(json.loads(said)["status"]["allowed"])


def objects(lab: Lab, kind: str, namespace: str) -> list[dict[str, Any]]:
    found = lab.kubectl("get", kind, f"--namespace={namespace}", "--output=json")
    listed: list[dict[str, Any]] = json.loads(found)["items"]
    return listed


def left_of_the_release(lab: Lab) -> str:
    kinds = "deployments,daemonsets,serviceaccounts,configmaps,roles,rolebindings"
    label = f"--selector=app.kubernetes.io/instance={RELEASE}"
    output = "--output=name"
    return lab.kubectl("get", kinds, "--all-namespaces", label, output) + lab.kubectl(
        "get",
        "namespaces,clusterroles,clusterrolebindings,validatingadmissionpolicies,"
        "validatingadmissionpolicybindings",
        label,
        output,
    )


def values(lab: Lab) -> tuple[str, ...]:
    """Without the Secret, so that this operator never comes to work beside another one."""
    settings = {
        "image.registry": "localhost",
        "image.repository": "operator",
        "image.tag": "lab",
        "image.pullPolicy": "Never",
        "tencent.region": "ap-guangzhou",
        "tencent.credentials.existingSecret": "cbs",
        "namespaces": f"{{{OPENED}}}",
        "execNamespaces": f"{{{COMMANDS}}}",
        "freezer.enabled": "true",
        "freezer.namespace": FREEZER,
        "freezer.kubeletDir": str(lab.state / "kubelet"),
        "freezer.recordDir": str(lab.state / "run" / "chart-test"),
    }
    return tuple(f"--set={name}={value}" for name, value in settings.items())


def remove(lab: Lab) -> None:
    lab.helm("uninstall", RELEASE, f"--namespace={HOME}", "--wait", "--ignore-not-found")
    lab.kubectl("delete", "namespace", HOME, OPENED, COMMANDS, FREEZER, "--ignore-not-found")


@pytest.fixture(scope="module", autouse=True)
def _release(lab: Lab) -> Iterator[None]:
    remove(lab)  # what a run that was cut off has left
    definition.keep(lab)
    for namespace in (HOME, OPENED, COMMANDS):
        lab.kubectl("create", "namespace", namespace)
    restricted = "pod-security.kubernetes.io/enforce=restricted"
    lab.kubectl("label", "namespace", HOME, restricted)
    # The definitions stay out of it: another release on this cluster may own them.
    arguments = (f"--namespace={HOME}", "--set=crds.install=false", *values(lab))
    lab.helm("install", RELEASE, str(CHART), *arguments)
    yield
    remove(lab)


@pytest.fixture
def mount(lab: Lab) -> Iterator[str]:
    """Run a pod on a claim's disk; return where a freezer sees the disk's mount."""
    lab.make_claim(OPENED, "data")
    where = f"--namespace={OPENED}"
    container = {
        "name": "database",
        "image": "localhost/mariadb:lab",
        "imagePullPolicy": "Never",
        "command": ["sh", "-c", "chmod 0700 /data && chown 999 /data && exec sleep infinity"],
        "readinessProbe": {"exec": {"command": ["sh", "-c", "test ! -O /data"]}},
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "database"},
        "spec": {
            "terminationGracePeriodSeconds": 1,
            "containers": [container],
            "volumes": [volume],
        },
    }
    lab.kubectl("create", where, "--filename=-", stdin=json.dumps(pod))
    lab.kubectl("wait", "--for=condition=Ready", "pod/database", where, "--timeout=90s")
    (made,) = objects(lab, "pods", OPENED)
    (claim,) = objects(lab, "persistentvolumeclaims", OPENED)
    volumes = f"/host/kubelet/pods/{made['metadata']['uid']}/volumes/kubernetes.io~csi"
    yield f"{volumes}/{claim['spec']['volumeName']}/mount"
    lab.kubectl("delete", "pod", "database", where)
    lab.remove_claim(OPENED, "data")


@pytest.mark.parametrize(("verb", "resource", "namespace"), ALLOWED)
def test_the_operator_may_do_what_it_needs(
    lab: Lab, verb: str, resource: str, namespace: str
) -> None:
    assert may(lab, ACCOUNT, verb, resource, namespace)


@pytest.mark.parametrize(("verb", "resource", "namespace"), REFUSED)
def test_the_operator_may_do_nothing_else(
    lab: Lab, verb: str, resource: str, namespace: str
) -> None:
    assert not may(lab, ACCOUNT, verb, resource, namespace)


@pytest.mark.parametrize(("verb", "resource", "namespace"), ALLOWED)
def test_the_freezer_may_ask_the_api_server_for_nothing(
    lab: Lab, verb: str, resource: str, namespace: str
) -> None:
    account = f"system:serviceaccount:{FREEZER}:{NAME}-freezer"
    assert not may(lab, account, verb, resource, namespace)


def test_the_operators_pod_is_let_into_a_restricted_namespace(lab: Lab) -> None:
    until(lambda: bool(objects(lab, "pods", HOME)), "The operator's pod exists")
    (pod,) = objects(lab, "pods", HOME)
    assert pod["spec"]["serviceAccountName"] == NAME
    assert pod["spec"]["terminationGracePeriodSeconds"] == 15


def test_the_freezer_runs_on_the_node_with_nothing_but_what_it_needs(lab: Lab) -> None:
    where = f"--namespace={FREEZER}"
    lab.kubectl("rollout", "status", f"daemonset/{NAME}-freezer", where, "--timeout=60s")
    (pod,) = objects(lab, "pods", FREEZER)
    containers = {part["name"]: part["securityContext"] for part in pod["spec"]["containers"]}
    least = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"], "add": ["SYS_ADMIN", "DAC_READ_SEARCH"]},
    }
    assert containers == {"freezer": least, "watcher": least}
    assert {volume["name"] for volume in pod["spec"]["volumes"]} == {"kubelet", "records"}


def test_the_freezer_may_freeze_what_only_the_databases_own_user_may_enter(
    lab: Lab, mount: str
) -> None:
    (pod,) = objects(lab, "pods", FREEZER)
    program = ("python3", "-I", "/app/disksnapshot/inpod/freezer.py", "hold")
    folders = ("--records=/run/disksnapshot", "--kubelet=/host/kubelet", "--nonce=chart-test")
    name = pod["metadata"]["name"]
    where = ("exec", "--stdin", f"--namespace={FREEZER}", name, "--")
    # The freeze comes with its own end, 2 seconds later, should the thaw not arrive.
    said = lab.kubectl(*where, *program, *folders, mount, stdin="freeze 2000\nthaw\n")
    events = [json.loads(line) for line in said.splitlines()]
    assert [event["event"] for event in events] == ["ready", "frozen", "thawed"]
    assert events[-1]["writesUnchanged"] == [True]


# Last in the file: it takes away what the others look at.
def test_uninstalling_leaves_nothing_behind(lab: Lab) -> None:
    assert left_of_the_release(lab)
    lab.helm("uninstall", RELEASE, f"--namespace={HOME}", "--wait")
    assert left_of_the_release(lab) == ""
