"""A node's clock that is hours off, or is set meanwhile: no decision is taken by it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from disksnapshot.announcements import Announcements
from disksnapshot.cbs.clock import CloudClock, SteadyClock
from disksnapshot.cbs.listed import Snapshot
from disksnapshot.kube.events import Events
from disksnapshot.kube.objects import Objects
from disksnapshot.loop import Loop
from disksnapshot.metrics import Metrics
from disksnapshot.naming import FINALIZER
from disksnapshot.sight import Key
from disksnapshot.snapshot import plan, removal, status, steps
from disksnapshot.snapshot.proof import verdict
from lab.lives.apiserver import NAME, NAMESPACE, UID, ApiServer
from rules.situations import DISKS, ask, draft, intent, snapshot_of, volumes
from rules.situations import NOW as CUT

KEY = Key(NAMESPACE, NAME)
DAY = timedelta(days=1)
HOURS = [timedelta(hours=3), timedelta(hours=-3), timedelta(hours=25), timedelta(days=-400)]


class Node:
    """A machine's two clocks: one that can be set, and one that can't."""

    def __init__(self, right: datetime, wrong: timedelta = timedelta(0)) -> None:
        self.right = right
        self.wrong = wrong
        self._began = right
        self.steady = SteadyClock(self.wall, self.monotonic)

    def wall(self) -> datetime:
        return self.right + self.wrong

    def monotonic(self) -> float:
        return 500.0 + (self.right - self._began).total_seconds()


class Cloud:
    """A cloud that tells its time with each answer."""

    keys = "ours"

    def __init__(self, node: Node, *listed: Snapshot) -> None:
        self.listed = list(listed)
        self.deleted: list[str] = []
        self.node = node
        self.clock = CloudClock(node.steady.now)

    def snapshots_of(self, *disk_ids: str) -> list[Snapshot]:
        self.clock.hear(format_datetime(self.node.right, usegmt=True), timedelta(0))
        return [item for item in self.listed if item.disk_id in disk_ids]

    def disks(self, disk_ids: Sequence[str]) -> dict[str, object]:
        return dict.fromkeys(disk_ids, object())

    def delete(self, snapshot_id: str) -> None:
        self.deleted.append(snapshot_id)

    def set_deadline(self, *_: Any) -> None: ...


class Nobody:
    """A poller that has seen nothing, and captures that nobody may begin."""

    def follow(self, *_: Any) -> dict[str, Any]:
        return {}

    def forget(self, *_: Any) -> None: ...


def loop(server: ApiServer, cloud: Cloud) -> Loop:
    api: Any = server
    parts: tuple[Any, Any, Any] = (cloud, Nobody(), Nobody())
    telling = Announcements(api, Events(api), Metrics())
    return Loop(Objects(api), telling, *parts, "cluster-1", cloud.clock.now)


@pytest.mark.parametrize("step", HOURS, ids=str)
def test_a_clock_that_is_set_moves_no_time_that_is_decided_by(step: timedelta) -> None:
    node = Node(CUT)
    cloud = Cloud(node)
    cloud.snapshots_of(DISKS[0])
    node.wrong = step
    node.right += timedelta(seconds=40)
    assert abs(cloud.clock.now() - node.right) <= timedelta(seconds=1)


@pytest.mark.parametrize("wrong", HOURS, ids=str)
def test_a_snapshot_is_not_deleted_early_by_an_operator_that_starts_with_a_wrong_clock(
    wrong: timedelta,
) -> None:
    server = ApiServer(DISKS[:1], {"expireAfterSeconds": DAY.total_seconds()}, NAME)
    assert server.stored is not None
    server.stored["status"] = ready(CUT + DAY)
    cloud = Cloud(Node(CUT + timedelta(hours=1), wrong), listed())
    looking = loop(server, cloud)
    for _ in range(3):
        looking.look(KEY)
    assert cloud.deleted == []
    assert status.parse(server.stored["status"]).ready == "True"


def ready(deadline: datetime) -> dict[str, Any]:
    made = draft().intend(intent(), volumes()).record({DISKS[0]: snapshot_of(DISKS[0])})
    made.call_it(verdict(("mysql", "freeze")))
    done = made.progress({DISKS[0]: ("NORMAL", 100)}).ready("complete")
    return done.deadline(deadline + DAY).body


def listed() -> Snapshot:
    tags = {"cluster": "cluster-1", "uid": UID, "attempt": "1"}
    marks = {f"disksnapshot.io/{name}": value for name, value in tags.items()}
    return Snapshot(
        id=snapshot_of(DISKS[0]), name="n", disk_id=DISKS[0], state="NORMAL", percent=100,
        tags=marks,
    )  # fmt: skip


def test_a_wait_that_a_wrong_clock_has_written_is_not_waited_for() -> None:
    def retrying(after: timedelta) -> status.Done:
        made = draft().waiting("CloudError", "no answer", CUT + after)
        return status.parse(made.body)

    def decided(after: timedelta) -> steps.Step:
        return plan.next_step(ask(), retrying(after), steps.Seen(), CUT)

    assert isinstance(decided(timedelta(minutes=18)), steps.Wait)
    assert isinstance(decided(timedelta(hours=3)), steps.Capture)


@pytest.mark.parametrize("wrong", HOURS, ids=str)
def test_a_request_is_not_called_expired_before_the_cloud_refuses_it(wrong: timedelta) -> None:
    server = ApiServer(DISKS[:1], {}, NAME)
    assert server.stored is not None
    opened = intent()
    server.stored["status"] = draft().intend(opened, volumes()).body
    server.stored["metadata"]["finalizers"] = [FINALIZER]
    node = Node(opened.signed + timedelta(seconds=30), wrong)
    looking = loop(server, Cloud(node))
    while node.right < opened.not_after + removal.LAG:
        pause = looking.look(KEY)
        assert status.parse(server.stored["status"]).intent == opened
        assert pause is not None
        assert pause <= timedelta(seconds=75), "and it goes on looking"
        node.right += max(pause, timedelta(seconds=1))
        node.wrong += timedelta(hours=1)  # set anew all the time
    for _ in range(3):
        node.right += timedelta(seconds=15)
        looking.look(KEY)
    done = status.parse(server.stored["status"]).intent
    assert done is not None
    assert done.state == status.SETTLED
