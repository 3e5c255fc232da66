"""An API server and a cloud in memory, each of whose effects is reported."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from disksnapshot.cbs.listed import Snapshot
from disksnapshot.errors import Forbidden, Gone, Unavailable
from lab.lives.stored import is_gone, patched
from rules.situations import DISKS, NOW, body

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

DISK = DISKS[0]
LAG, VALID = timedelta(seconds=60), timedelta(seconds=300)


class Server:
    """One object behind the checks that the real API server makes."""

    def __init__(self, changed: Callable[[], None], policy: str) -> None:
        self.stored: dict[str, Any] | None = body(finalizer=False, policy=policy, quiesce={})
        # What befalls one of the next writes: something comes first, or it fails.
        self.spared = 0
        self.fails: str = ""  # before it is done, or after
        self.first: Callable[[], None] | None = None
        self._changed = changed
        self._version = 1

    def get(self, path: str, **_: str) -> dict[str, Any]:
        if "persistentvolumeclaims" in path:
            raise Forbidden("claims")
        if self.stored is None:
            raise Gone(path)
        return copy.deepcopy(self.stored)

    def create(self, _path: str, made: Mapping[str, Any]) -> dict[str, Any]:
        return dict(made)

    def patch(self, path: str, change: Any, content_type: str) -> dict[str, Any]:
        fails = self._befalls()
        if fails == "before":
            raise Unavailable("the API server is away")
        if self.stored is None:
            raise Gone(path)
        self._store(patched(self.stored, change, content_type))
        if fails == "after":
            raise Unavailable("the answer was lost")
        return copy.deepcopy(self.stored or {})

    def _befalls(self) -> str:
        self.spared -= 1
        if self.spared >= 0:
            return ""
        before, self.first = self.first, None
        fails, self.fails = self.fails, ""
        if before:
            before()
        return fails

    def delete(self) -> None:
        if self.stored is not None and "deletionTimestamp" not in self.stored["metadata"]:
            deleted = copy.deepcopy(self.stored)
            deleted["metadata"]["deletionTimestamp"] = "2026-03-01T12:00:00Z"
            self._store(deleted)

    def _store(self, made: dict[str, Any]) -> None:
        self._version += 1
        made["metadata"]["resourceVersion"] = str(self._version)
        self.stored = None if is_gone(made) else made
        self._changed()


@dataclass(kw_only=True)
class Made:
    """A snapshot that the cloud has."""

    snapshot: Snapshot
    at: datetime
    listed: bool = False


class Cloud:
    """A cloud without idempotency; whoever asks for a snapshot gets one."""

    keys = "ours"

    def __init__(self, changed: Callable[[], None]) -> None:
        self.time = NOW
        self.made: list[Made] = []
        self.flying: list[dict[str, Any]] = []
        self.known = True
        self._changed = changed
        self._number = 0

    @property
    def limits(self) -> Cloud:
        return self

    @property
    def clock(self) -> Cloud:
        return self

    def now(self) -> datetime:
        return self.time

    def wait(self, _action: str, _count: int) -> None: ...

    def give_back(self, _action: str, _count: int) -> None: ...

    def require_room(self) -> None: ...

    def hear(self, *_: str) -> None: ...

    def not_after(self, signed: datetime) -> datetime:
        return signed + VALID

    def sign_lookup(self, _disk_ids: Sequence[str], _at: datetime) -> bytes:
        return b""

    def sign_create(
        self, _disk_id: str, name: str, tags: Mapping[str, str], at: datetime, *_: Any
    ) -> bytes:
        return json.dumps({"name": name, "tags": tags, "until": str(at + VALID)}).encode()

    def act(self, request: Mapping[str, Any]) -> str:
        """Make the snapshot that a request asks for, if it is valid still; return its id."""
        if self.time > datetime.fromisoformat(request["until"]):
            return ""
        self._number += 1
        made = Snapshot(
            id=f"snap-{self._number:08}",
            name=request["name"],
            disk_id=DISK,
            state="CREATING",
            percent=7,
            tags=request["tags"],
        )
        self.made.append(Made(snapshot=made, at=self.time))
        self._changed()
        return made.id

    def list_one(self) -> None:
        for made in [one for one in self.made if not one.listed][:1]:
            made.listed = True
            self._changed()

    def complete_one(self) -> None:
        for made in [one for one in self.made if one.listed and not one.snapshot.complete][:1]:
            made.snapshot = replace(made.snapshot, state="NORMAL", percent=100)
            self._changed()

    def pass_time(self, seconds: int) -> None:
        """Within the promise: nothing stays unlisted for longer than the lag."""
        self.time += timedelta(seconds=seconds)
        while any(not one.listed and self.time > one.at + LAG for one in self.made):
            self.list_one()

    def snapshots_of(self, *_disk_ids: str) -> list[Snapshot]:
        return [one.snapshot for one in self.made if one.listed]

    def disks(self, disk_ids: Sequence[str]) -> dict[str, object]:
        return dict.fromkeys(disk_ids, object())

    def delete(self, snapshot_id: str) -> None:
        self.made = [one for one in self.made if one.snapshot.id != snapshot_id]
        self._changed()
