"""Take a DiskSnapshot as a user would, and read from its status what the operator recorded."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from lab.cluster import Lab
from lab.demo import stage
from lab.demo.facts import Cut, Position
from lab.demo.timeline import Event

NET = 150  # seconds; longer than the minute after which writers are held anew, and that hold
_NANOSECONDS = 1_000_000_000


@dataclass(frozen=True, kw_only=True)
class Taken:
    """One DiskSnapshot at its end, and when that was seen (ns)."""

    body: Mapping[str, Any]
    seen: int

    @property
    def status(self) -> Mapping[str, Any]:
        return dict(self.body["status"])

    @property
    def snapshot_id(self) -> str:
        return str(self.status["snapshotID"])

    @property
    def events(self) -> dict[str, int]:
        """The moments of the hold in ns, and when the copy was seen to be complete."""
        moments = {m["name"]: _ns(m["time"]) for m in self.status["quiesce"]["timeline"]}
        return moments | {Event.NORMAL: self.seen}

    @property
    def cut(self) -> Cut:
        """What the operator says of the cut: it is what the verdict holds it to."""
        step = next(s for s in self.status["quiesce"]["steps"] if s["kind"] == "mysql")
        said = step["mysql"]
        position = Position(said["binlogFile"], said["binlogPosition"], said["gtid"])
        events = self.events
        return Cut(begun=events[Event.LOCK_SENT], ended=events[Event.UNLOCKED], position=position)

    @property
    def freeze_nanoseconds(self) -> int:
        """The kernel's part, by the freezer's own clock: freezing and thawing."""
        step = next(s for s in self.status["quiesce"]["steps"] if s["kind"] == "freeze")
        devices = step["freeze"]["devices"]
        frozen = max(device["freezeMilliseconds"] for device in devices)
        thawed = max(device["thawMilliseconds"] for device in devices)
        return int((frozen + thawed) * 1e6)


def take(lab: Lab, body: Mapping[str, Any], seconds: int = NET, condition: str = "Ready") -> Taken:
    """Apply a DiskSnapshot and wait until it is Ready, or until another condition is true."""
    stage.apply(lab, body)
    where = ("-n", body["metadata"]["namespace"])
    name = body["metadata"]["name"]
    lab.kubectl(
        *where, "wait", f"--for=condition={condition}", f"dsnap/{name}", f"--timeout={seconds}s"
    )
    seen = time.time_ns()
    return Taken(body=stage.get(lab, body["metadata"]["namespace"], name), seen=seen)


def in_the_cloud(lab: Lab, uid: str) -> list[dict[str, Any]]:
    """Return every cloud snapshot of one object, the invisible ones too: the emulator's truth."""
    return [snapshot for snapshot in lab.cbs.snapshots() if uid in json.dumps(snapshot)]


def file_of(lab: Lab, snapshot_id: str) -> Path:
    """Return the file that holds a snapshot's content."""
    found = next(s for s in lab.cbs.snapshots() if snapshot_id in json.dumps(s))
    return Path(found["path"])


def cut_by_the_cloud(lab: Lab, snapshot_id: str) -> dict[str, int]:
    """Return when the emulator began and ended to cut, in ns: the truth no status can know."""
    found = next(s for s in lab.cbs.snapshots() if snapshot_id in json.dumps(s))
    return {"begun": int(found["cutStartTime"] * 1e9), "ended": int(found["cutTime"] * 1e9)}


def _ns(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return int(moment.timestamp()) * _NANOSECONDS + moment.microsecond * 1000
