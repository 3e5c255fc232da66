"""The schema and the code that reads and writes by it hold the same fields, words and defaults."""

import copy
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from typing import Any

import yaml

from disksnapshot.reasons import Reason
from disksnapshot.snapshot import spec, status
from disksnapshot.snapshot.draft import Draft
from disksnapshot.snapshot.proof import verdict

REPOSITORY = Path(__file__).resolve().parents[2]
DEFINITION = yaml.safe_load((REPOSITORY / "crds/disksnapshots.yaml").read_text(encoding="utf-8"))
SCHEMA = DEFINITION["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
NOW = datetime(2026, 3, 1, tzinfo=UTC)
EXPIRING = {"source": {"claims": [{"name": "data-mysql-0"}]}, "expireAfterSeconds": 86400}
BARE = {
    "source": {"claims": [{"name": "data-mysql-0"}]},
    "quiesce": {
        "steps": [
            {"mysql": {"credentialsSecretRef": {"name": "mysql-snapshot"}}},
            {"exec": {"acquire": ["lock"], "release": ["unlock"]}},
            {"sync": {}},
            {"freeze": {"method": "Agent"}},
        ]
    },
}


def with_defaults(value: Any, schema: dict[str, Any]) -> Any:
    if isinstance(value, list):
        return [with_defaults(item, schema["items"]) for item in value]
    if not isinstance(value, dict):
        return value
    parts = schema.get("properties", {})
    left_out = {
        name: copy.deepcopy(part["default"])
        for name, part in parts.items()
        if "default" in part and name not in value
    }
    return left_out | {name: with_defaults(item, parts[name]) for name, item in value.items()}


def unknown(value: Any, schema: dict[str, Any], path: str = "status") -> Iterator[str]:
    """Name what the API server would drop without a word, and words that it would refuse."""
    if isinstance(value, list):
        for item in value:
            yield from unknown(item, schema["items"], f"{path}[]")
    elif isinstance(value, dict):
        for name, item in value.items():
            if name in schema["properties"]:
                yield from unknown(item, schema["properties"][name], f"{path}.{name}")
            else:
                yield f"{path}.{name}"
    elif value not in schema.get("enum", [value]):
        yield f"{path}={value}"


def asked(body: dict[str, Any]) -> spec.Ask:
    metadata = {"namespace": "shop", "name": "orders", "uid": "u", "generation": 1}
    return spec.parse({"metadata": metadata, "spec": body})


def draft() -> Draft:
    return Draft({}, asked(BARE), NOW)


def intent() -> status.Intent:
    disks = ("disk-abcdefgh",)
    return status.Intent(
        attempt=1, state=status.OPEN, nonce="n", disk_ids=disks, signed=NOW, not_after=NOW
    )


def volume() -> dict[str, str]:
    return {"claimName": "data-mysql-0", "diskID": "disk-abcdefgh"}


def test_the_code_and_the_schema_have_the_same_defaults() -> None:
    assert asked(BARE) == asked(with_defaults(BARE, SCHEMA["spec"]))


def test_the_status_that_the_code_writes_is_one_that_the_schema_keeps() -> None:
    made = [
        draft().waiting(Reason.PENDING, "a", retry=NOW),
        draft().failed(Reason.CLAIM_NOT_FOUND, "a"),
        draft().intend(intent(), [volume()]),
        draft().intend(intent(), [volume()]).settle(),
        Draft({}, asked(EXPIRING), NOW).intend(intent(), [volume()]),
        draft()
        .intend(intent(), [volume()])
        .record({"disk-abcdefgh": "snap-abcdefgh"})
        .progress({"disk-abcdefgh": ("NORMAL", 100)})
        .ready("a"),
    ]
    assert [path for one in made for path in unknown(one.body, SCHEMA["status"])] == []


def test_every_verdict_is_a_word_of_the_schema() -> None:
    kinds = ("mysql", "exec", "sync", "freeze")
    for proven in (some for size in range(5) for some in combinations(kinds, size)):
        words = draft().call_it(verdict(proven)).body
        assert list(unknown(words, SCHEMA["status"])) == []
