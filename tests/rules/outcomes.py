"""What a window may answer: the facts of one attempt."""

from typing import Any

from disksnapshot.window.hold import DiskFacts, Facts, Refusal, StepFacts
from rules.situations import DISKS, NOW, snapshot_of

BASE = int(NOW.timestamp() * 1e9)
MOMENTS = (
    "ready", "lockSent", "locked", "frozen", "cutSent", "reply", "visible", "thawed", "proven",
    "unlocked",
)  # fmt: skip
TIMES = {name: BASE + number * 1_000_000 for number, name in enumerate(MOMENTS)}


def lock(*, proven: bool = True, stops_writes: bool = True, reason: str = "") -> StepFacts:
    return StepFacts(
        name="0-mysql",
        kind="mysql",
        acquire_milliseconds=0.4,
        release_milliseconds=0.9,
        proven=proven,
        stops_writes=stops_writes,
        reason=reason,
        detail={
            "serverID": 1,
            "serverVersion": "10.11.6-MariaDB-log",
            "connectionID": 33,
            "gtid": "0-1-17",
            "binlogFile": "binlog.000002",
            "binlogPosition": 4711,
        },
    )


def freeze(*, proven: bool = True, reason: str = "", device: str = "7:1") -> StepFacts:
    return StepFacts(
        name="1-freeze",
        kind="freeze",
        acquire_milliseconds=1.5,
        release_milliseconds=1.2,
        proven=proven,
        reason=reason,
        detail={
            "ready": [{"event": "ready", "devices": [device]}],
            "frozen": [{"event": "frozen", "freezeMilliseconds": [0.7]}],
            "thawed": [
                {
                    "event": "thawed",
                    "writesUnchanged": [proven],
                    "thawed": [True],
                    "expired": False,
                    "thawMilliseconds": 1.1,
                }
            ],
        },
    )


def untouched(name: str, kind: str) -> StepFacts:
    """Return a hold that was never taken."""
    return StepFacts(name=name, kind=kind)


def cut(disk: str = DISKS[0], **differing: Any) -> DiskFacts:
    facts: dict[str, Any] = {"sent": True, "snapshot_id": snapshot_of(disk), "visible": True}
    return DiskFacts(disk_id=disk, **(facts | differing))


def refused(code: str, disk: str = DISKS[0]) -> DiskFacts:
    return DiskFacts(disk_id=disk, sent=True, code=code, message="no", request_id="r-1")


def silent(disk: str = DISKS[0]) -> DiskFacts:
    return DiskFacts(disk_id=disk, sent=True, message="the connection was closed")


def facts(*disks: DiskFacts, steps: list[StepFacts] | None = None, **differing: Any) -> Facts:
    """Return a whole hold of both steps, which covered the cut."""
    said: dict[str, Any] = {
        "times": dict(TIMES),
        "steps": [lock(), freeze()] if steps is None else steps,
        "disks": list(disks),
        "cut_while_held": True,
    }
    return Facts(**(said | differing))


def refusal(reason: str = "LockTimeout") -> Refusal:
    return Refusal(reason=reason, message="it took too long")
