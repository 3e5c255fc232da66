"""Check a value against the definition's schema as the API server would, as far as ours goes."""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
DEFINITION = yaml.safe_load((REPOSITORY / "crds/disksnapshots.yaml").read_text(encoding="utf-8"))
STATUS = DEFINITION["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"]
TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
}


def faults(value: Any, schema: dict[str, Any] = STATUS, path: str = "status") -> Iterator[str]:
    """Name what the API server would refuse, and what it would drop without a word."""
    is_flag = isinstance(value, bool) and schema["type"] != "boolean"
    if is_flag or not isinstance(value, TYPES[schema["type"]]):
        yield f"{path} is {type(value).__name__}, not {schema['type']}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path} is {value!r}, which is no word of the list"
    match value:
        case dict():
            yield from _of_object(value, schema, path)
        case list():
            yield from _of_list(value, schema, path)
        case str():
            yield from _of_text(str(value), schema, path)
        case int() | float():
            yield from _of_number(value, schema, path)


def _of_object(value: dict[str, Any], schema: dict[str, Any], path: str) -> Iterator[str]:
    yield from (f"{path} lacks {name}" for name in schema.get("required", []) if name not in value)
    for name, item in value.items():
        if name in schema["properties"]:
            yield from faults(item, schema["properties"][name], f"{path}.{name}")
        else:
            yield f"{path}.{name} is unknown"


def _of_list(value: list[Any], schema: dict[str, Any], path: str) -> Iterator[str]:
    if len(value) > schema["maxItems"]:
        yield f"{path} has {len(value)} entries"
    keys = schema.get("x-kubernetes-list-map-keys")
    match schema["x-kubernetes-list-type"]:
        case "map":
            names = [tuple(item.get(key) for key in keys or []) for item in value]
        case "set":
            names = [(item,) for item in value]
        case _:
            names = []
    if len(set(names)) < len(names):
        yield f"{path} has two entries of one name"
    for index, item in enumerate(value):
        yield from faults(item, schema["items"], f"{path}[{index}]")


def _of_text(value: str, schema: dict[str, Any], path: str) -> Iterator[str]:
    if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
        yield f"{path} has {len(value)} characters"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{path} is {value!r}, which has a wrong form"
    if schema.get("format") == "date-time":
        moment = datetime.fromisoformat(value)
        if moment.utcoffset() is None:
            yield f"{path} is {value!r}, a time without a zone"


def _of_number(value: float, schema: dict[str, Any], path: str) -> Iterator[str]:
    if not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield f"{path} is {value}, out of bounds"
