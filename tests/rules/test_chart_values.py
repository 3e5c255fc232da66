"""The chart's values: each in the schema, each explained, and the other way round."""

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).resolve().parents[2] / "charts" / "disksnapshot-operator"
VALUES = (CHART / "values.yaml").read_text(encoding="utf-8")
SCHEMA = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
# Helm adds it to every chart's values by itself.
HELMS_OWN = {"global"}


def paths(values: dict[str, Any], schema: dict[str, Any], above: str = "") -> Iterator[str]:
    """Name each value that the schema lets have more values below it, and each leaf."""
    for name, value in values.items():
        yield f"{above}{name}"
        part = schema.get("properties", {}).get(name, {})
        if "properties" in part:
            yield from paths(value, part, f"{above}{name}.")


def allowed(schema: dict[str, Any], above: str = "") -> Iterator[str]:
    for name, part in schema["properties"].items():
        yield f"{above}{name}"
        if "properties" in part:
            yield from allowed(part, f"{above}{name}.")


def closed(schema: dict[str, Any]) -> Iterator[bool]:
    yield schema["additionalProperties"] is False
    for part in schema["properties"].values():
        if "properties" in part:
            yield from closed(part)


def test_values_and_schema_name_the_same() -> None:
    named = set(paths(yaml.safe_load(VALUES), SCHEMA))
    assert named == set(allowed(SCHEMA)) - HELMS_OWN


def test_the_schema_lets_no_misspelt_value_through() -> None:
    assert all(closed(SCHEMA))


def test_every_value_is_explained_above_it() -> None:
    names = {path.rpartition(".")[2] for path in allowed(SCHEMA)}
    silent = [
        line
        for above, line in pairwise(VALUES.splitlines())
        if is_leaf(line, names) and not above.lstrip().startswith("# ")
    ]
    assert silent == []


def is_leaf(line: str, names: set[str]) -> bool:
    name, _, value = line.strip().partition(":")
    return name in names and bool(value.strip())
