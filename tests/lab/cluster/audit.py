"""What the API server was asked to write, by its own audit log: no write can bypass that."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lab.cluster import config
from lab.layout import Layout

_WRITES: Final = ("create", "update", "patch", "delete", "deletecollection")
# The cluster's own parts write without end, and nobody asks what.
_SYSTEM: Final = (
    "system:apiserver",
    "system:kube-controller-manager",
    "system:kube-scheduler",
)


def flags(layout: Layout) -> tuple[str, ...]:
    """Return the API server's flags for the log.

    It is written before a request is carried out, so whatever has been seen to happen is in it.
    """
    policy = config.write(layout, "audit.json", json.dumps(_policy()))
    return (
        f"--audit-policy-file={policy}",
        f"--audit-log-path={_file(layout)}",
        "--audit-log-mode=blocking",
        "--audit-log-maxsize=200",
        "--audit-log-maxbackup=1",
    )


def _policy() -> dict[str, Any]:
    return {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["ResponseStarted", "ResponseComplete"],
        "rules": [
            {"level": "None", "users": list(_SYSTEM)},
            {"level": "None", "userGroups": ["system:nodes"]},
            {"level": "None", "userGroups": ["system:serviceaccounts:kube-system"]},
            {"level": "Metadata", "verbs": list(_WRITES)},
            {"level": "None"},
        ],
    }


def _file(layout: Layout) -> Path:
    return layout.logs / "audit.log"


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One request to change something."""

    user: str
    verb: str
    resource: str  # with its subresource, such as disksnapshots/status
    namespace: str
    name: str  # empty for a create


class Audit:
    """The writes from the moment that this was made."""

    def __init__(self, layout: Layout) -> None:
        self._file = _file(layout)
        self._offset = self._file.stat().st_size

    def writes(self, namespace: str) -> list[Write]:
        """Return what was asked for in a namespace up to now."""
        return [write for write in self._all() if write.namespace == namespace]

    def _all(self) -> Iterator[Write]:
        with self._file.open("rb") as log:
            log.seek(self._offset)
            # A line that is being written ends without a newline: it is for the next look.
            whole, _, _ = log.read().rpartition(b"\n")
        for line in whole.splitlines():
            yield _write(json.loads(line))


def _write(event: dict[str, Any]) -> Write:
    subject = event.get("objectRef", {})
    parts = (subject.get("resource", ""), subject.get("subresource", ""))
    return Write(
        user=event["user"]["username"],
        verb=event["verb"],
        resource="/".join(part for part in parts if part),
        namespace=subject.get("namespace", ""),
        name=subject.get("name", ""),
    )
