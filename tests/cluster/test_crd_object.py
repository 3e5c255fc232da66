"""What people see of a DiskSnapshot in kubectl: defaults, changes, columns, explanations."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster.definition import (
    FREEZE,
    GROUP,
    KIND,
    MYSQL,
    REPOSITORY,
    installed,
    snapshot,
    stored,
)
from lab.cluster import Lab, LabError
from lab.cluster.waiting import until

EXAMPLES = sorted((REPOSITORY / "examples").glob("*.yaml"))
MOMENT = "2026-03-01T02:03:04.123456Z"
QUIESCE = {"steps": [MYSQL, FREEZE]}
CHANGES = [
    {"source": {"claims": [{"name": "another"}]}},
    {"quiesce": {"maxHoldSeconds": 20}},
    {"quiesce": {"steps": [FREEZE]}},
    {"quiesce": None},
    {"whenNotMounted": "Snapshot"},
    {"tags": {"team": "another"}},
    {"tags": None},
]


@pytest.fixture(scope="module", autouse=True)
def _definition(lab: Lab) -> Iterator[None]:
    with installed(lab):
        yield


@pytest.fixture
def kept(lab: Lab) -> Iterator[str]:
    document = snapshot("kept", quiesce=QUIESCE, tags={"team": "shop"})
    lab.kubectl("create", "--filename=-", stdin=document)
    yield "kept"
    lab.kubectl("delete", KIND, "kept")


def changed(lab: Lab, spec: dict[str, Any]) -> Any:
    patch = f"--patch={json.dumps({'spec': spec})}"
    arguments = ("kept", "--type=merge", patch, "--dry-run=server", "--output=json")
    return json.loads(lab.kubectl("patch", KIND, *arguments))


def write_status(lab: Lab, status: dict[str, Any]) -> Any:
    patch = f"--patch={json.dumps({'status': status})}"
    arguments = ("kept", "--subresource=status", "--type=merge", patch, "--output=json")
    return json.loads(lab.kubectl("patch", KIND, *arguments))["status"]


def explained(lab: Lab, *more: str, path: str = "", check: bool = True) -> str:
    version = f"--api-version={GROUP}/v1alpha1"
    return lab.kubectl("explain", f"disksnapshots{path}", version, *more, check=check)


LEFT_OUT = {
    "port": 3306,
    "lock": "Auto",
    "longStatement": {"thresholdSeconds": 5, "waitSeconds": 30},
}


def test_what_is_left_out_is_shown_with_its_default(lab: Lab) -> None:
    assert stored(lab, snapshot(quiesce=QUIESCE))["spec"] == {
        "source": {"claims": [{"name": "data-mysql-0"}]},
        "deletionPolicy": "Retain",
        "whenNotMounted": "Fail",
        "quiesce": {
            "maxHoldSeconds": 10,
            "failurePolicy": "Abort",
            "releaseWhen": "Visible",
            "steps": [{"mysql": {**MYSQL["mysql"], **LEFT_OUT}}, FREEZE],
        },
    }


def test_a_new_object_counts_as_not_yet_seen(lab: Lab, kept: str) -> None:
    assert json.loads(lab.kubectl("get", KIND, kept, "--output=json"))["status"] == {
        "observedGeneration": -1
    }


@pytest.mark.parametrize("change", CHANGES, ids=json.dumps)
@pytest.mark.usefixtures("kept")
def test_a_change_of_the_spec_is_refused_with_the_way_out(
    lab: Lab, change: dict[str, Any]
) -> None:
    with pytest.raises(LabError, match="create a new DiskSnapshot instead"):
        changed(lab, change)


@pytest.mark.usefixtures("kept")
def test_the_deletion_policy_can_be_changed_later(lab: Lab) -> None:
    assert changed(lab, {"deletionPolicy": "Delete"})["spec"]["deletionPolicy"] == "Delete"


@pytest.mark.usefixtures("kept")
def test_an_expiry_can_be_added_changed_and_removed_later(lab: Lab) -> None:
    assert changed(lab, {"expireAfterSeconds": 86400})["spec"]["expireAfterSeconds"] == 86400
    lab.kubectl(
        "patch", KIND, "kept", "--type=merge", "-p", '{"spec":{"expireAfterSeconds":86400}}'
    )
    assert changed(lab, {"expireAfterSeconds": 172800})["spec"]["expireAfterSeconds"] == 172800
    assert "expireAfterSeconds" not in changed(lab, {"expireAfterSeconds": None})["spec"]


def test_quiesce_and_tags_cannot_be_added_later(lab: Lab) -> None:
    lab.kubectl("create", "--filename=-", stdin=snapshot("kept"))
    try:
        for change in ({"quiesce": QUIESCE}, {"tags": {"team": "shop"}}):
            with pytest.raises(LabError, match="create a new DiskSnapshot instead"):
                changed(lab, change)
    finally:
        lab.kubectl("delete", KIND, "kept")


@pytest.mark.usefixtures("kept")
def test_the_moments_of_a_hold_keep_their_microseconds(lab: Lab) -> None:
    hold = {
        "heldTime": MOMENT,
        "holdMilliseconds": 107.312,
        "timeline": [{"name": "frozen", "time": MOMENT}],
    }
    assert write_status(lab, {"quiesce": hold})["quiesce"] == hold


@pytest.mark.usefixtures("kept")
def test_a_whole_status_is_kept_as_it_was_written(lab: Lab) -> None:
    status = yaml.safe_load(Path(__file__).with_name("status.yaml").read_text(encoding="utf-8"))
    assert write_status(lab, status) == json.loads(json.dumps(status))


@pytest.mark.usefixtures("kept")
def test_the_list_shows_what_was_proven_and_how_long_writers_waited(lab: Lab) -> None:
    status = yaml.safe_load(Path(__file__).with_name("status.yaml").read_text(encoding="utf-8"))
    write_status(lab, status)
    head, row = lab.kubectl("get", KIND, "kept", "--output=wide").splitlines()
    columns = "NAME READY STATUS CONSISTENCY HOLD-MS SNAPSHOT PROGRESS AGE CLAIMS EXPIRES MESSAGE"
    assert head.split() == columns.split()
    shown = row.split()
    assert shown[:7] == [
        "kept",
        "True",
        "Ready",
        "ApplicationConsistent",
        "107.312",
        "snap-abcdefgh",
        "100",
    ]
    assert shown[8] == "data-mysql-0"
    assert shown[-4:] == ["The", "snapshot", "is", "complete."]


def test_kubectl_explains_the_fields(lab: Lab) -> None:
    # The API server publishes the explanations a little later than the kind itself.
    until(lambda: "DiskSnapshot" in explained(lab, check=False), "kubectl explains DiskSnapshots")
    assert "maxHoldSeconds" in explained(lab, "--recursive")
    for path in (".spec", ".spec.quiesce", ".spec.quiesce.steps.mysql", ".status.quiesce.steps"):
        assert "<no description>" not in explained(lab, path=path)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_is_accepted_as_it_is_written(lab: Lab, example: Path) -> None:
    document = yaml.safe_load(example.read_text(encoding="utf-8"))
    assert document["apiVersion"] == "disksnapshot.io/v1alpha1"
    # The namespace of the example need not exist here; all else is as people would apply it.
    document["apiVersion"], document["metadata"]["namespace"] = f"{GROUP}/v1alpha1", "default"
    assert stored(lab, json.dumps(document))["spec"]["source"] == document["spec"]["source"]
