"""The chart's admission policy against the definition: what may be named must be asked for."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rules.schema import DEFINITION, REPOSITORY

TEMPLATES = REPOSITORY / "charts" / "disksnapshot-operator" / "templates"
POLICY = (TEMPLATES / "admission.yaml").read_text(encoding="utf-8")
SPEC = DEFINITION["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
# What the operator does for its author with a right of its own.
BORROWED = ("SecretRef", "scaleTargetRef", "snapshotIDs")
# Its value may become part of a path of the API server, which is not the author's to write.
NAME = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?"


def fields(schema: dict[str, Any], above: str = "spec") -> Iterator[tuple[str, dict[str, Any]]]:
    """Name every field of a spec, lists and maps included."""
    for name, part in schema.get("properties", {}).items():
        yield f"{above}.{name}", part
        yield from fields(part, f"{above}.{name}")
        yield from fields(part.get("items", {}), f"{above}.{name}")


@pytest.mark.parametrize("path", [p for p, _ in fields(SPEC) if p.endswith(BORROWED)])
def test_whatever_names_a_secret_a_workload_or_a_snapshot_is_asked_for_by_the_policy(
    path: str,
) -> None:
    assert f".{path.rpartition('.')[2]}" in POLICY, f"say in admission.yaml who may name {path}"


def test_every_step_of_a_hold_is_asked_for_by_one_rule_on_the_whole_of_it() -> None:
    assert "!has(object.spec.quiesce)" in POLICY
    assert [path for path, _ in fields(SPEC) if path.endswith(".steps")] == ["spec.quiesce.steps"]


def test_every_name_in_a_spec_is_held_to_what_can_be_a_name() -> None:
    named = [(p, part) for p, part in fields(SPEC) if p.endswith((".name", ".container"))]
    assert len(named) >= 3
    assert [path for path, part in named if not part["pattern"].startswith(NAME)] == []


def test_no_field_of_a_spec_is_an_address() -> None:
    """A database is reached at its pod; free text could name the cloud's metadata server."""
    ends = (".host", ".hostname", ".address", ".url", ".endpoint", ".ip")
    assert [path for path, _ in fields(SPEC) if path.lower().endswith(ends)] == []


def test_the_policies_are_the_only_ones_and_each_refuses_when_it_can_t_tell() -> None:
    files = [path for path in Path(TEMPLATES).rglob("*.yaml") if "kind: Validating" in text(path)]
    assert [path.name for path in files] == ["admission.yaml"]
    assert POLICY.count("failurePolicy: Fail") == POLICY.count("kind: ValidatingAdmissionPolicy\n")
    assert POLICY.count("validationActions: [Deny]") == POLICY.count("PolicyBinding\n")


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")
