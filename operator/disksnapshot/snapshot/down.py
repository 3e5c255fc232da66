"""What is written down of a workload that is scaled to zero, so that anybody can scale it back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

MESSAGE_LIMIT = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A workload as it is now; `replicas` are those that are wanted, `version` guards a change.

    `waits_for` says what of it is left: pods, or a disk that is attached. `unclean` says why it is
    not proven that its pods ended by themselves; both are empty where all is well.
    """

    uid: str
    replicas: int
    version: str
    waits_for: str = ""
    unclean: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Down:
    """A workload that goes to zero for a snapshot, recorded before it is touched.

    Each time is one thing that was seen to be so: `scaled` that it was at zero, `detached` that
    its pods were gone and its disks attached to nothing, `over` that nothing is to be scaled back
    any more. `reason` and `message` say why it ends without a cut.
    """

    kind: str
    name: str
    uid: str
    replicas: int
    history: str  # where the API server's history of the pods begins
    began: datetime
    until: datetime
    scaled: datetime | None = None
    detached: datetime | None = None
    unclean: str = ""
    over: datetime | None = None
    reason: str = ""
    message: str = ""

    @property
    def label(self) -> str:
        """The workload, for people."""
        return f"{self.kind} {self.name}"

    @property
    def clean(self) -> bool:
        """It is proven that all of its pods ended by themselves before the disks were detached."""
        return self.detached is not None and self.replicas > 0 and not self.unclean

    @property
    def farewell(self) -> str:
        """What is said when it is over, with what kept it from coming back as it was."""
        said = f"{self.label} is not kept at zero any more"
        return f"{said}: {self.message}" if self.message else said

    def undo(self, namespace: str) -> str:
        """Return the command that does by hand what the operator is going to do."""
        target = f"{self.kind.lower()}/{self.name}"
        return f"kubectl scale {target} --namespace {namespace} --replicas={self.replicas}"


def parse(written: Mapping[str, Any] | None) -> Down | None:
    """Return what was written down."""
    if not written:
        return None
    target = written["scaleTargetRef"]
    return Down(
        kind=target["kind"],
        name=target["name"],
        uid=written["uid"],
        replicas=int(written["replicas"]),
        history=written.get("podsVersion", ""),
        began=datetime.fromisoformat(written["startedTime"]),
        until=datetime.fromisoformat(written["untilTime"]),
        scaled=_time(written, "scaledTime"),
        detached=_time(written, "detachedTime"),
        unclean=written.get("unclean", ""),
        over=_time(written, "overTime"),
        reason=written.get("reason", ""),
        message=written.get("message", ""),
    )


def write(down: Down, namespace: str) -> dict[str, Any]:
    """Return what is to be written, without what isn't so."""
    times = {
        "startedTime": down.began,
        "untilTime": down.until,
        "scaledTime": down.scaled,
        "detachedTime": down.detached,
        "overTime": down.over,
    }
    words = {
        "podsVersion": down.history,
        "unclean": down.unclean,
        "reason": down.reason,
        "message": down.message,
        "undo": "" if down.over else down.undo(namespace),
    }
    return {
        "scaleTargetRef": {"kind": down.kind, "name": down.name},
        "uid": down.uid,
        "replicas": down.replicas,
        **{key: _stamp(moment) for key, moment in times.items() if moment},
        **{key: text[:MESSAGE_LIMIT] for key, text in words.items() if text},
        **({} if down.detached is None else {"cleanExit": down.clean}),
    }


def _time(written: Mapping[str, Any], key: str) -> datetime | None:
    return datetime.fromisoformat(written[key]) if key in written else None


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
