"""The definitions in crds/: bounded and described throughout, and the same in the chart."""

import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
RENDER = REPOSITORY / "charts" / "render_crds.py"
COPIES = REPOSITORY / "charts" / "disksnapshot-operator" / "templates" / "crds"
SOURCES = sorted((REPOSITORY / "crds").glob("*.yaml"))
BOUND = {"array": "maxItems", "integer": "minimum", "number": "minimum"}
EVERY_SOURCE = pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)


def fields(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for name, field in schema.get("properties", {}).items():
        if path or name in {"spec", "status"}:
            yield f"{path}.{name}", field
            yield from fields(field, f"{path}.{name}")
    for part in ("items", "additionalProperties"):
        if part in schema:
            yield from fields(schema[part], f"{path}[]")


def fields_of(source: Path) -> list[tuple[str, dict[str, Any]]]:
    definition = yaml.safe_load(source.read_text(encoding="utf-8"))
    (version,) = definition["spec"]["versions"]
    return list(fields(version["schema"]["openAPIV3Schema"]))


def is_bounded(field: dict[str, Any]) -> bool:
    if field["type"] == "string":
        return bool({"maxLength", "enum"} & field.keys()) or field.get("format") == "date-time"
    if field["type"] == "object":
        return "properties" in field or "maxProperties" in field
    return field["type"] not in BOUND or BOUND[field["type"]] in field


@EVERY_SOURCE
def test_every_field_says_what_it_is_in_whole_sentences(source: Path) -> None:
    silent = [
        path for path, field in fields_of(source) if not field.get("description", "").endswith(".")
    ]
    assert silent == []


@EVERY_SOURCE
def test_every_field_has_a_bound(source: Path) -> None:
    assert [path for path, field in fields_of(source) if not is_bounded(field)] == []


@EVERY_SOURCE
def test_every_list_says_how_it_is_merged(source: Path) -> None:
    lists = [(path, field) for path, field in fields_of(source) if field["type"] == "array"]
    assert [path for path, field in lists if "x-kubernetes-list-type" not in field] == []


def test_the_chart_carries_the_definitions_as_they_are_in_their_source() -> None:
    template = runpy.run_path(str(RENDER))["template"]
    assert {path.name for path in COPIES.iterdir()} == {path.name for path in SOURCES}
    for source in SOURCES:
        copy = (COPIES / source.name).read_text(encoding="utf-8")
        assert copy == template(source), "run `python charts/render_crds.py`"
