"""The operator's own code, but for the process that holds, between what is in memory."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from disksnapshot.announcements import Announcements
from disksnapshot.cbs.listed import Disk
from disksnapshot.cbs.poller import View
from disksnapshot.kube.claims import Claim
from disksnapshot.kube.events import Events
from disksnapshot.kube.objects import Objects
from disksnapshot.loop import Loop
from disksnapshot.metrics import Metrics
from disksnapshot.sight import Key
from disksnapshot.snapshot.capture import Captures
from disksnapshot.snapshot.prepare import Prepared, Target
from disksnapshot.window.hold import CloudAddress, Facts, Go, Order, Ready
from model.memory import DISK, Cloud
from rules import outcomes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

KEY = Key("shop", "orders")
CLUSTER = "cluster-1"
PAUSE_SECONDS = 290
ORDER = Order(
    disk_ids=(DISK,),
    steps=(),
    max_hold_seconds=10,
    release_when="Accepted",
    cut_without_hold=False,
    cloud=CloudAddress(host="127.0.0.1", port=1, ca_file=None),
)


class Sweeps:
    """A poller that has always just swept."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._absent: dict[str, datetime] = {}

    def follow(self, ids: Sequence[str], _key: Key) -> dict[str, View]:
        listed = {one.id: one for one in self._cloud.snapshots_of(DISK)}
        for missing in set(ids) - set(listed):
            self._absent.setdefault(missing, self._cloud.time)
        return {one: View(listed.get(one), self._absent.get(one)) for one in ids}

    def forget(self, _: Any) -> None: ...

    def forget_follower(self, _: Any) -> None: ...


class Prepares:
    """Finds the claim's disk, always."""

    def prepare(self, *_: Any) -> Prepared:
        claim = Claim(name="data-0", uid="u", volume_name="pv-0", disk_id=DISK, is_block=False)
        disk = Disk(id=DISK, state="ATTACHED", snapshot_ability=True, size_gib=10, encrypted=False)
        return Prepared(targets=(Target(claim=claim, disk=disk),), order=ORDER)

    def looked_again(self, _ask: Any, prepared: Prepared) -> Prepared:
        return prepared


class Window:
    """A window whose hold comes to what a test says."""

    def __init__(self, cloud: Cloud, fate: str) -> None:
        self._cloud = cloud
        self._fate = fate

    def ready(self, _seconds: float) -> Ready:
        return Ready()

    def go(self, go: Go, _seconds: float) -> Facts | None:
        request = json.loads(go.cuts[0].payload)
        if self._fate == "unsent":
            return outcomes.facts(outcomes.cut(sent=False, snapshot_id="", visible=False))
        if self._fate == "refused":
            return outcomes.facts(outcomes.refused("RequestLimitExceeded"), cut_while_held=False)
        if self._fate == "paused":  # and an answer comes all the same
            self._cloud.pass_time(PAUSE_SECONDS)
        if self._fate == "flies":
            self._cloud.flying.append(request)
        else:
            made = self._cloud.act(request)
            if self._fate in ("seen", "lost"):
                self._cloud.list_one()
            if self._fate in ("proven", "seen", "lost", "paused") and made:
                held = self._fate in ("proven", "seen")
                return outcomes.facts(outcomes.cut(snapshot_id=made), cut_while_held=held)
        if self._fate == "killed":
            return None
        return outcomes.facts(outcomes.silent(), cut_while_held=False)

    def let_go(self) -> None: ...


class Attempts(Captures):
    """The real attempts, but for the process that holds."""

    def __init__(self, objects: Objects, cloud: Any, prepares: Any) -> None:
        super().__init__(objects, cloud, prepares, CLUSTER, lambda: True)
        self.cloud: Cloud = cloud
        self.fate = "proven"

    @contextmanager
    def _window(self, _prepared: Prepared) -> Iterator[Any]:
        yield Window(self.cloud, self.fate)


class Machine:
    """One operator, as it is after its start."""

    def __init__(self, server: Any, cloud: Any) -> None:
        objects, prepares = Objects(server), Prepares()
        sweeps: Any = Sweeps(cloud)
        self.attempts = Attempts(objects, cloud, prepares)
        self._loop = Loop(
            objects, Announcements(server, Events(server), Metrics()), cloud, sweeps,
            self.attempts, CLUSTER, clock=cloud.now,
        )  # fmt: skip

    def look(self, fate: str) -> None:
        self.attempts.fate = fate
        self._loop.look(KEY)
