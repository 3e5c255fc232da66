"""An API server with one object, and a cloud, in memory; a loop between them."""

import copy
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from disksnapshot.announcements import Announcements
from disksnapshot.cbs.clock import own_time
from disksnapshot.cbs.listed import Snapshot
from disksnapshot.cbs.poller import View
from disksnapshot.errors import Forbidden, Gone
from disksnapshot.kube.events import Events
from disksnapshot.kube.objects import Objects
from disksnapshot.loop import Loop
from disksnapshot.metrics import Metrics
from disksnapshot.sight import Key
from disksnapshot.snapshot import status
from disksnapshot.snapshot.outcome import Result
from lab.lives.stored import is_gone, patched
from rules.situations import DISKS, UID, snapshot_of

KEY = Key("shop", "orders")
CLUSTER = "cluster-1"


class Server:
    """One object, with versions and tests of a JSON Patch; `fail` is raised by the next write."""

    def __init__(self, stored: dict[str, Any]) -> None:
        self.stored: dict[str, Any] | None = stored
        self.writes = 0
        self.events: list[str] = []
        self.told: dict[str, str] = {}  # the last message of each event
        self.fail: Exception | None = None
        self.refuses: Callable[[dict[str, Any]], Exception | None] = lambda _: None
        self.swap: dict[str, Any] | None = None  # what takes its place before the next write

    def get(self, path: str, **_: str) -> dict[str, Any]:
        if "persistentvolumeclaims" in path:
            raise Forbidden("claims")
        if self.stored is None:
            raise Gone(path)
        return copy.deepcopy(self.stored)

    def create(self, path: str, made: Mapping[str, Any]) -> dict[str, Any]:
        assert path.endswith("/events")
        self.events.append(made["reason"])
        self.told[made["reason"]] = made["message"]
        return dict(made)

    def patch(self, _path: str, change: Any, content_type: str) -> dict[str, Any]:
        failure, self.fail = self.fail, None
        if failure:
            raise failure
        self.stored, self.swap = self.swap or self.stored, None
        assert self.stored is not None
        stored = patched(self.stored, change, content_type)
        refused = self.refuses(stored["status"]) if "json-patch" in content_type else None
        if refused:
            raise refused
        self.writes += 1
        stored["metadata"]["resourceVersion"] = str(self.writes + 1)
        self.stored = None if is_gone(stored) else stored
        return copy.deepcopy(stored)

    @property
    def now(self) -> status.Done:
        assert self.stored is not None
        return status.parse(self.stored["status"])


class MemoryCloud:
    """Lists and deletes; `fail` is raised by every call while it is set."""

    def __init__(self, *listed: Snapshot) -> None:
        self.listed = list(listed)
        self.fail: Exception | None = None
        self.keeps: Exception | None = None  # raised when a snapshot is to be deleted
        self.deadlines: dict[str, datetime | None] = {}
        self.calls = 0
        self.elsewhere = False  # the keys are of another account, which has nothing of ours
        self.lost_disks = False

    def snapshots_of(self, *disk_ids: str) -> list[Snapshot]:
        return [item for item in self.every_snapshot() if item.disk_id in disk_ids]

    def every_snapshot(self) -> list[Snapshot]:
        self._call()
        return [] if self.elsewhere else self.listed

    def disks(self, disk_ids: Sequence[str]) -> dict[str, object]:
        self._call()
        return {} if self.elsewhere or self.lost_disks else dict.fromkeys(disk_ids, object())

    def set_deadline(self, snapshot_id: str, deadline: datetime | None) -> None:
        self._call()
        self.deadlines[snapshot_id] = deadline

    @property
    def keys(self) -> str:
        return "another's" if self.elsewhere else "ours"

    def delete(self, snapshot_id: str) -> None:
        self._call()
        if self.keeps:
            raise self.keeps
        if not self.elsewhere:
            self.listed = [item for item in self.listed if item.id != snapshot_id]

    def _call(self) -> None:
        self.calls += 1
        if self.fail:
            raise self.fail


class Nobody:
    """A poller that has seen nothing yet."""

    def __init__(self) -> None:
        self.gone: list[Key] = []

    def follow(self, *_: Any) -> dict[str, Any]:
        return {}

    def forget(self, _: Any) -> None:
        pass

    def forget_follower(self, key: Key) -> None:
        self.gone.append(key)


class Sweeps(Nobody):
    """A poller that has seen all that the cloud lists."""

    def __init__(self, cloud: MemoryCloud) -> None:
        super().__init__()
        self._cloud = cloud

    def follow(self, *_: Any) -> dict[str, Any]:
        return {item.id: View(item) for item in self._cloud.listed}


class Captures:
    """Runs what a test says an attempt comes to."""

    def __init__(self, run: Callable[[Mapping[str, Any], int], Result]) -> None:
        self.run = run


def never(_body: Mapping[str, Any], _attempt: int) -> Result:
    raise AssertionError("nothing may be captured here")


def loop(
    server: Server,
    cloud: MemoryCloud | None = None,
    run: Callable[[Mapping[str, Any], int], Result] = never,
    poller: Nobody | None = None,
    metrics: Metrics | None = None,
    clock: Callable[[], datetime] = own_time,
) -> Loop:
    return started(
        server,
        cloud or MemoryCloud(),
        poller or Nobody(),
        Captures(run),
        metrics or Metrics(),
        clock,
    )


def started(
    api: Any, cloud: Any, poller: Any, captures: Any, metrics: Metrics,
    clock: Callable[[], datetime],
) -> Loop:  # fmt: skip
    """Start a loop between others that stand in by the part of each that is used."""
    announcements = Announcements(api, Events(api), metrics)
    return Loop(Objects(api), announcements, cloud, poller, captures, CLUSTER, clock=clock)


def listed(state: str = "NORMAL", *, uid: str = UID, number: int = 1) -> Snapshot:
    tags = {"cluster": CLUSTER, "uid": uid, "attempt": str(number)}
    return Snapshot(
        id=snapshot_of(DISKS[0], number),
        name="n",
        disk_id=DISKS[0],
        state=state,
        percent=100 if state == "NORMAL" else 3,
        tags={f"disksnapshot.io/{name}": value for name, value in tags.items()},
    )
