"""The schema of the chart's values and its templates name the same values."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from disksnapshot import settings

CHART: Final = Path(__file__).resolve().parents[2] / "charts" / "disksnapshot-operator"
SCHEMA: Final = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
READ: Final = re.compile(r"\.Values((?:\.\w+)+)")
# Helm gives every chart this one, whether it reads it or not.
HELMS_OWN: Final = {("global",)}

ValuePath = tuple[str, ...]


def templates(*, notes: bool) -> list[Path]:
    found = [file for file in (CHART / "templates").rglob("*") if file.is_file()]
    return [file for file in found if notes or file.name != "NOTES.txt"]


def read(*, notes: bool = True) -> set[ValuePath]:
    """Return every value that a template names."""
    texts = [file.read_text(encoding="utf-8") for file in templates(notes=notes)]
    return {tuple(path[1:].split(".")) for text in texts for path in READ.findall(text)}


def resolved(part: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" in part:
        return dict(SCHEMA["definitions"][part["$ref"].rpartition("/")[2]])
    return part


def leaves(part: Mapping[str, Any] = SCHEMA, path: ValuePath = ()) -> Iterator[ValuePath]:
    """Return the path of every value that the schema knows, down to what has no parts."""
    properties = resolved(part).get("properties", {})
    if not properties:
        yield path
    for name, below in properties.items():
        yield from leaves(below, (*path, name))


def known(path: ValuePath) -> bool:
    """Tell whether the schema describes a path, or leaves open what lies on it."""
    part: Mapping[str, Any] = SCHEMA
    for name in path:
        properties = resolved(part).get("properties", {})
        if name not in properties:
            return not properties and resolved(part).get("additionalProperties") is not False
        part = properties[name]
    return True


def test_every_value_that_a_template_reads_is_in_the_schema() -> None:
    assert sorted(path for path in read() if not known(path)) == []


@pytest.mark.parametrize("path", sorted(set(leaves()) - HELMS_OWN), ids=".".join)
def test_every_value_of_the_schema_is_read_by_a_template(path: ValuePath) -> None:
    named = read(notes=False)  # the notes only tell of it
    assert any(path[:length] in named for length in range(1, len(path) + 1))


def test_a_value_that_nobody_described_would_be_found() -> None:
    assert not known(("tencent", "regoin"))
    assert known(("tencent", "region"))
    assert known(("podAnnotations", "anything"))


def test_every_setting_that_the_chart_hands_on_is_read_by_the_operator() -> None:
    """One that is not would still make a new pod, and end what it holds, when it changes."""
    source = Path(settings.__file__).read_text(encoding="utf-8")
    texts = "".join(file.read_text(encoding="utf-8") for file in templates(notes=False))
    handed_on = set(re.findall(r"- name: DISKSNAPSHOT_(\w+)", texts))
    assert handed_on
    assert {name for name in handed_on if f'"{name}"' not in source} == set()
