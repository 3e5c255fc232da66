"""What Helm says after an install: true for the values, and its example is taken by the API."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster.definition import GROUP, installed, stored
from lab.cluster import Lab

CHART = Path(__file__).resolve().parents[2] / "charts" / "disksnapshot-operator"
NEEDED = {
    "image": {"repository": "registry.test/disksnapshot", "tag": "1"},
    "tencent": {"region": "ap-guangzhou", "credentials": {"existingSecret": "cbs"}},
}
ROLE = "qcs::cam::uin/100000000001:roleName/snapshots"
LINES: list[tuple[dict[str, Any], list[str]]] = [
    (
        {},
        [
            "is installed in namespace here.",
            "CBS API cbs.internal.tencentcloudapi.com, region ap-guangzhou",
            "Credentials Secret cbs (keys secretId, secretKey)",
            "mysql steps nowhere yet: a step that names a Secret ends in SecretForbidden.",
            "freeze steps not yet: they end in FreezerNotInstalled.",
            "who may ask those who may do it themselves",
            "kubectl -n here rollout status deployment/op-disksnapshot-operator",
        ],
    ),
    ({"namespaces": ["shop", "store"]}, ["mysql steps in the namespaces shop, store"]),
    ({"execNamespaces": ["shop"]}, ["exec steps in the namespaces shop"]),
    (
        {"freezer": {"enabled": True, "namespace": "cold"}},
        [
            "freeze steps by the freezer, a DaemonSet in namespace cold",
            "kubectl -n cold rollout status daemonset/op-disksnapshot-operator-freezer",
        ],
    ),
    (
        {"tencent": {"credentials": {"mode": "PodIdentity", "roleARN": ROLE}}},
        [f"Credentials pod identity, role {ROLE}"],
    ),
    (
        {"tencent": {"credentials": {"mode": "CVMRole"}}},
        ["Credentials CAM role that the node has"],
    ),
    ({"admission": {"enabled": False}}, ["who may ask ANYBODY who may create a DiskSnapshot"]),
    (
        {"crds": {"keep": False}},
        ["crds.keep is false: uninstalling this release deletes all DiskSnapshot objects."],
    ),
    (
        {"crds": {"keep": False}, "uninstall": {"release": False}},
        ["those with deletionPolicy Delete then wait for an operator."],
    ),
]


def notes(lab: Lab, folder: Path, values: dict[str, Any]) -> str:
    files = []
    for number, part in enumerate((NEEDED, values)):
        file = folder / f"values-{number}.json"
        file.write_text(json.dumps(part), encoding="utf-8")
        files.append(f"--values={file}")
    # Another release may own the definition; nothing is taken from it in a dry run.
    where = ("--namespace=here", "--dry-run=client", "--take-ownership", "--output=json")
    made = json.loads(lab.helm("install", "op", str(CHART), *where, *files))
    return str(made["info"]["notes"])


@pytest.mark.parametrize(("values", "lines"), LINES, ids=[json.dumps(v) for v, _ in LINES])
def test_the_notes_say_what_the_values_have_come_to(
    lab: Lab, tmp_path: Path, values: dict[str, Any], lines: list[str]
) -> None:
    said = re.sub(r"\s+", " ", notes(lab, tmp_path, values))
    assert [line for line in lines if line not in said] == []


def test_the_notes_are_silent_on_what_was_not_asked_for(lab: Lab, tmp_path: Path) -> None:
    said = notes(lab, tmp_path, {})
    assert "exec steps" not in said
    assert "daemonset/" not in said
    assert "crds.keep" not in said


def test_the_snapshot_that_the_notes_give_is_taken_by_the_definition(
    lab: Lab, tmp_path: Path
) -> None:
    example = re.search(r"<<END\n(.*?)\n +END\n", notes(lab, tmp_path, {}), re.DOTALL)
    assert example
    body = yaml.safe_load(example[1])
    assert body["apiVersion"] == "disksnapshot.io/v1alpha1"
    assert body["spec"]["source"]["claims"] == [{"name": "CLAIM"}]
    body |= {"apiVersion": f"{GROUP}/v1alpha1"}
    body["metadata"]["namespace"] = "default"
    body["spec"]["source"]["claims"] = [{"name": "data"}]
    with installed(lab):
        kept = stored(lab, json.dumps(body))
    assert kept["spec"]["source"] == body["spec"]["source"]
