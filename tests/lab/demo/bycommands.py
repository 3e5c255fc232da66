"""A snapshot by nothing but commands in the database's own pod, as the example has it."""

from pathlib import Path
from typing import Any, Final

import yaml

from lab.cluster import Lab
from lab.demo import stage
from lab.demo.facts import Cut, Position
from lab.demo.taken import Taken
from lab.demo.timeline import Event

EXAMPLE: Final = Path(__file__).resolve().parents[3] / "examples" / "exec-and-freeze.yaml"
RELEASED: Final = "0-exec released"


def example() -> dict[str, Any]:
    """Return the DiskSnapshot of the example."""
    return dict(yaml.safe_load(EXAMPLE.read_text(encoding="utf-8")))


def disk_snapshot(database: stage.Database, name: str) -> dict[str, Any]:
    """Return the example for this database: another name, another claim, the same commands."""
    body = example()
    body["metadata"] = {"name": name, "namespace": database.namespace}
    body["spec"]["source"] = {"claims": [{"name": database.claim}]}
    return body


def cut(lab: Lab, database: stage.Database, taken: Taken) -> Cut:
    """Say of the cut what the user's own command wrote down under its lock."""
    events = taken.events
    return Cut(
        begun=events[Event.LOCK_SENT], ended=events[RELEASED], position=_position(lab, database)
    )


def _position(lab: Lab, database: stage.Database) -> Position:
    where = ("-n", database.namespace, "exec", database.pod, "-c", "tools")
    status, gtid = lab.kubectl(*where, "--", "cat", "/tmp/position").splitlines()  # noqa: S108 - in the pod
    file, size, *_ = status.split("\t")
    return Position(file, int(size), gtid)
