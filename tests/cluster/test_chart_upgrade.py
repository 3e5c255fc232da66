"""An upgrade from the first chart there was, on the real cluster."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.cluster import Lab

REPOSITORY = Path(__file__).resolve().parents[2]
CHART = "charts/disksnapshot-operator"
RELEASE = "upgrade-test"
DEPLOYMENT = f"deployment/{RELEASE}-disksnapshot-operator"
FREEZER = "upgrade-test-freezer"


@pytest.fixture(scope="module")
def first_chart() -> Path:
    """Return the first chart there was, packed as it was then: no release is older."""
    return Path(__file__).parent / "first-chart" / "disksnapshot-operator-0.1.0.tgz"


@pytest.fixture
def values(lab: Lab, tmp_path: Path) -> Iterator[Path]:
    _remove(lab)  # what a run that was cut off has left
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
        # Another release on this cluster may own the definitions.
        "crds": {"install": False},
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
    lab.kubectl("delete", "namespace", RELEASE, FREEZER, "--ignore-not-found", "--wait")


def test_the_first_chart_is_upgraded_with_its_own_values_and_the_operator_is_ready(
    lab: Lab, first_chart: Path, values: Path
) -> None:
    where = (f"--namespace={RELEASE}", f"--values={values}", "--wait", "--timeout=120s")
    lab.helm("install", RELEASE, str(first_chart), *where)
    before = _selector(lab)
    lab.helm("upgrade", RELEASE, str(REPOSITORY / CHART), *where)
    history = json.loads(lab.helm("history", RELEASE, f"--namespace={RELEASE}", "--output=json"))
    assert [revision["status"] for revision in history] == ["superseded", "deployed"]
    assert _selector(lab) == before
    rollout = ("rollout", "status", DEPLOYMENT, "--timeout=60s")
    assert "successfully rolled out" in lab.kubectl("--namespace", RELEASE, *rollout)


def _selector(lab: Lab) -> str:
    path = "jsonpath={.spec.selector.matchLabels}"
    return lab.kubectl("--namespace", RELEASE, "get", DEPLOYMENT, "--output", path)
