"""Read a status: what it says has been done."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from disksnapshot.snapshot import down

if TYPE_CHECKING:
    from collections.abc import Mapping

READY, QUIESCED, TAKEN, RESUMED = "Ready", "Quiesced", "SnapshotTaken", "Resumed"
RECONCILING, STALLED = "Reconciling", "Stalled"
OWN = {READY, QUIESCED, TAKEN, RESUMED, RECONCILING, STALLED}  # conditions
OPEN, RECORDED, SETTLED = "Open", "Recorded", "Settled"
WHOLE = {"attempt", "nonce", "diskIDs", "signedTime", "notAfterTime"}  # what makes an intent
# Ends the message of an attempt that was refused for some of its disks, and for none unclear.
PARTLY = "; what was made of the other disks is deleted"
PARTLY_FOR_GOOD = f"{PARTLY}, and nothing is tried again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """The last attempt, as it was written down before the cloud was asked for anything."""

    attempt: int
    state: str
    nonce: str
    disk_ids: tuple[str, ...]
    signed: datetime
    not_after: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What the status says has happened."""

    seen: bool
    generation: int
    ready: str
    reason: str
    message: str
    since: datetime | None
    stalled: bool
    intent: Intent | None
    snapshots: Mapping[str, str]
    consistency: str
    retry: datetime | None
    percent: int
    deadline: datetime | None = None
    offline: down.Down | None = None
    taken: bool = False  # the cloud has made what the attempt asked for
    names: Mapping[str, str] = field(default_factory=dict)  # of snapshots to be made, by disk

    @property
    def signed(self) -> datetime | None:
        """When the request was signed whose snapshots are recorded and to be kept."""
        return self.intent.signed if self.intent and self.recorded and self.consistency else None

    @property
    def finished(self) -> bool:
        """Ready or failed, for good."""
        return self.ready == "True" or self.stalled

    @property
    def is_down(self) -> bool:
        """A workload is at zero, or may be, that is to be scaled back."""
        return self.offline is not None and not self.offline.over

    @property
    def recorded(self) -> bool:
        """Every disk of the attempt has a snapshot that the status names."""
        return self.intent is not None and self.intent.state == RECORDED


def parse(status: Mapping[str, Any]) -> Done:
    """Return what has been done."""
    conditions = {item["type"]: item for item in status.get("conditions", [])}
    ready = conditions.get(READY, {})
    volumes = status.get("volumes", [])
    return Done(
        seen=bool(ready),
        generation=int(status.get("observedGeneration", -1)),
        ready=ready.get("status", "Unknown"),
        reason=ready.get("reason", ""),
        message=ready.get("message", ""),
        since=_time(ready.get("lastTransitionTime")),
        stalled=conditions.get(STALLED, {}).get("status") == "True",
        intent=_intent(status.get("intent")),
        snapshots={
            v["diskID"]: v["snapshotID"]
            for v in volumes
            if v.get("diskID") and v.get("snapshotID")
        },
        consistency=status.get("consistency", ""),
        retry=_time(status.get("retryTime")),
        percent=int(status.get("progressPercent", 0)),
        deadline=_time(status.get("deadlineTime")),
        offline=down.parse(status.get("offline")),
        taken=conditions.get(TAKEN, {}).get("status") == "True",
        names={v["diskID"]: v.get("snapshotName", "") for v in volumes if v.get("diskID")},
    )


def _intent(intent: Mapping[str, Any] | None) -> Intent | None:
    """Return the attempt; one that isn't whole is none."""
    if not intent or not intent.keys() >= WHOLE:
        return None
    return Intent(
        attempt=int(intent["attempt"]),
        state=intent.get("state", OPEN),
        nonce=intent["nonce"],
        disk_ids=tuple(intent["diskIDs"]),
        signed=datetime.fromisoformat(intent["signedTime"]),
        not_after=datetime.fromisoformat(intent["notAfterTime"]),
    )


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
