"""An upgrade from the first chart there was, on the real cluster."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.cluster import Lab
from lab.demo import stage

REPOSITORY = Path(__file__).resolve().parents[2]
CHART = "charts/disksnapshot-operator"
RELEASE = "upgrade-test"
DEPLOYMENT = f"deployment/{RELEASE}-disksnapshot-operator"
FREEZER = "upgrade-test-freezer"
DEFINITION = "crd/disksnapshots.disksnapshot.io"
NONCE = "0123456789abcdef"


@pytest.fixture(scope="module")
def first_chart() -> Path:
    """Return the first chart there was, packed as it was then: no release is older."""
    return Path(__file__).parent / "first-chart" / "disksnapshot-operator-0.1.0.tgz"


@pytest.fixture
def values(lab: Lab, tmp_path: Path) -> Iterator[Path]:
    _remove(lab)  # what a run that was cut off has left
    # The definition is upgraded too, so this must be the only release.
    stage.uninstall_operator(lab)
    lab.kubectl("delete", DEFINITION, "--ignore-not-found", "--timeout=60s")
    lab.kubectl("create", "namespace", RELEASE)
    secret = ("secret", "generic", "cbs-credentials")
    keys = (
        f"--from-literal=secretId={lab.secret_id}",
        f"--from-literal=secretKey={lab.secret_key}",
    )
    lab.kubectl("--namespace", RELEASE, "create", *secret, *keys)
    file = tmp_path / "values.json"
    chosen = {
        "image": {"repository": "localhost/operator", "tag": "lab", "pullPolicy": "Never"},
        "tencent": {
            "endpoint": lab.cbs_endpoint,
            "region": "ap-guangzhou",
            "caBundle": lab.ca_file.read_text(),
            "credentials": {"existingSecret": "cbs-credentials"},
        },
        "freezer": {
            "enabled": True,
            "namespace": FREEZER,
            "kubeletDir": str(lab.state / "kubelet"),
            "recordDir": str(lab.state / "run" / RELEASE),
        },
    }
    file.write_text(json.dumps(chosen), encoding="utf-8")
    yield file
    _remove(lab)


def _remove(lab: Lab) -> None:
    lab.helm("uninstall", RELEASE, f"--namespace={RELEASE}", "--wait", "--ignore-not-found")
    stage.remove_namespace(lab, FREEZER)
    stage.remove_namespace(lab, RELEASE)
    lab.kubectl("delete", DEFINITION, "--ignore-not-found", "--timeout=60s")


def test_the_first_chart_is_upgraded_with_its_values_and_the_operator_goes_on_with_its_objects(
    lab: Lab, first_chart: Path, values: Path
) -> None:
    where = (f"--namespace={RELEASE}", f"--values={values}", "--wait", "--timeout=120s")
    lab.helm("install", RELEASE, str(first_chart), *where)
    before = _selector(lab)
    copying, ready = _as_the_first_version_left_them(lab)

    lab.helm("upgrade", RELEASE, str(REPOSITORY / CHART), *where)

    history = json.loads(lab.helm("history", RELEASE, f"--namespace={RELEASE}", "--output=json"))
    assert [revision["status"] for revision in history] == ["superseded", "deployed"]
    assert _selector(lab) == before
    rollout = ("rollout", "status", DEPLOYMENT, "--timeout=60s")
    assert "successfully rolled out" in lab.kubectl("--namespace", RELEASE, *rollout)
    assert _fields(lab) > {"expireAfterSeconds", "source"}
    _goes_on(lab, copying, ready)


def _goes_on(lab: Lab, copying: str, ready: str) -> None:
    """See the one finished and the other, whose policy is changed now, end with its snapshot."""
    made = ("wait", "--for=condition=Ready", f"dsnap/{copying}", "--timeout=60s")
    lab.kubectl("--namespace", RELEASE, *made)
    status = stage.get(lab, RELEASE, copying)["status"]
    assert status["snapshotID"] == "".join(_snapshots(lab, copying))
    assert status["consistency"] == "CrashConsistent"
    assert stage.get(lab, RELEASE, ready)["status"]["snapshotID"] in _snapshots(lab, ready)
    for name in (copying, ready):
        patch = '{"spec": {"deletionPolicy": "Delete"}}'
        lab.kubectl("--namespace", RELEASE, "patch", "dsnap", name, "--type=merge", "-p", patch)
        held = ("wait", "--for=jsonpath={.metadata.finalizers}", f"dsnap/{name}", "--timeout=30s")
        lab.kubectl("--namespace", RELEASE, *held)
        lab.kubectl("--namespace", RELEASE, "delete", "dsnap", name, "--timeout=60s")
        assert _snapshots(lab, name) == []


def _as_the_first_version_left_them(lab: Lab) -> tuple[str, str]:
    """Make two objects with their snapshots: one still copying, and one Ready."""
    scale = ("scale", DEPLOYMENT, "--replicas=0")
    lab.kubectl("--namespace", RELEASE, *scale)
    gone = ("wait", "--for=delete", "pod", "-l", "app.kubernetes.io/component=operator")
    lab.kubectl("--namespace", RELEASE, *gone, "--timeout=60s")
    disk = lab.make_claim(RELEASE, "data")
    for name, ready in (("copying", False), ("ready", True)):
        spec = {"source": {"claims": [{"name": "data"}]}}
        kind = {"apiVersion": "disksnapshot.io/v1alpha1", "kind": "DiskSnapshot"}
        stage.apply(lab, kind | {"metadata": {"name": name, "namespace": RELEASE}, "spec": spec})
        uid = stage.get(lab, RELEASE, name)["metadata"]["uid"]
        patch = json.dumps({"status": _first_status(disk, _snapshot(lab, disk, name, uid), ready)})
        write = ("patch", "dsnap", name, "--subresource=status", "--type=merge", "-p", patch)
        lab.kubectl("--namespace", RELEASE, *write)
    return "copying", "ready"


def _snapshot(lab: Lab, disk: str, name: str, uid: str) -> str:
    system = stage.get(lab, "", "kube-system", "namespace")
    marks = {
        "cluster": system["metadata"]["uid"], "uid": uid, "attempt": "1", "nonce": NONCE,
        "namespace": RELEASE, "name": name,
    }  # fmt: skip
    tags = {f"disksnapshot.io/{key}": value for key, value in marks.items()}
    [made] = lab.cbs.add_snapshots(1, disk, f"{RELEASE}-{name}-{uid[:8]}-1", tags)
    return made


def _snapshots(lab: Lab, name: str) -> list[str]:
    wanted = f"{RELEASE}-{name}-"
    return [item["id"] for item in lab.cbs.snapshots() if item["name"].startswith(wanted)]


def _first_status(disk: str, snapshot: str, ready: bool) -> dict[str, object]:
    """Return a status with what the first version wrote, and nothing that came later."""
    word, reason = ("True", "Ready") if ready else ("False", "Creating")
    conditions = [
        ("Ready", word, reason),
        ("Reconciling", "False" if ready else "True", reason),
        ("Stalled", "False", reason),
        ("Quiesced", "False", "NotHeld"),
        ("SnapshotTaken", "True", "Creating"),
        ("Resumed", "True", "NotHeld"),
    ]
    volume = {
        "claimName": "data", "volumeName": f"pv-{disk}", "diskID": disk, "sizeGiB": 1,
        "snapshotName": "of-the-first-version", "snapshotID": snapshot,
        "state": "NORMAL" if ready else "CREATING", "progressPercent": 100 if ready else 0,
    }  # fmt: skip
    return {
        "observedGeneration": 1,
        "claims": "data",
        "conditions": [
            {"type": kind, "status": status, "reason": why, "message": "of the first version",
             "observedGeneration": 1, "lastTransitionTime": "2026-11-24T18:00:00Z"}
            for kind, status, why in conditions
        ],
        "intent": {
            "attempt": 1, "state": "Recorded", "nonce": NONCE, "diskIDs": [disk],
            "signedTime": "2026-11-24T18:00:00.000000Z",
            "notAfterTime": "2026-11-24T18:05:00.000000Z",
        },
        "volumes": [volume],
        "snapshotID": snapshot,
        "progressPercent": volume["progressPercent"],
        "consistency": "CrashConsistent",
        "fileSystem": "NeedsReplay",
        "application": "None",
    }  # fmt: skip


def _fields(lab: Lab) -> set[str]:
    """Return what the spec of a DiskSnapshot may hold by the definition in force."""
    version = json.loads(lab.kubectl("get", DEFINITION, "-o", "json"))["spec"]["versions"][0]
    return set(version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"])


def _selector(lab: Lab) -> str:
    path = "jsonpath={.spec.selector.matchLabels}"
    return lab.kubectl("--namespace", RELEASE, "get", DEPLOYMENT, "--output", path)
