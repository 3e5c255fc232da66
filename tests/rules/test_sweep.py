"""The hourly sweep: what it tells, how often, and how little it may delete."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from disksnapshot.cbs.calls import CloudProblem
from disksnapshot.cbs.listed import Snapshot
from disksnapshot.errors import CloudUnavailable, Problem
from disksnapshot.kube.events import Subject
from disksnapshot.metrics import Metrics
from disksnapshot.sight import Key
from disksnapshot.sweep import FIRST_SECONDS, Pace, Sweep
from rules.situations import DISKS, UID, body, draft, intent, snapshot_of, volumes
from rules.test_inventory import CLUSTER, MINE, OTHER, marks

PATIENCE = 10
HOUR = 3600.0


class World:
    """A cloud, its objects, and all that is told; each sweep wakes who waits for it."""

    def __init__(self, *snapshots: Snapshot, objects: tuple[dict[str, Any], ...] = ()) -> None:
        self.snapshots_there = list(snapshots)
        self.hidden: set[str] = set()  # from the whole list, though not by their id
        self.objects = list(objects)
        self.events: list[tuple[str, str, str]] = []
        self.lost: list[tuple[Key, frozenset[str]]] = []
        self.deleted: list[str] = []
        self.blocked = False
        self.elsewhere = False  # the keys are of another account
        self.failing: Exception | None = None
        self.asked = 0
        self.time = datetime.now(UTC)
        self.sweeps = 0
        self.changed = threading.Condition()
        self.went: Callable[[Mapping[str, Any]], None] = lambda _: None  # the watch says so

    @property
    def clock(self) -> "World":
        return self

    def now(self) -> datetime:
        return self.time

    def every_snapshot(self) -> list[Snapshot]:
        self.asked += 1
        if self.failing:
            raise self.failing
        return [item for item in self.snapshots_there if item.id not in self.hidden]

    def snapshots(self, ids: list[str]) -> dict[str, Snapshot]:
        return {item.id: item for item in self.snapshots_there if item.id in ids}

    def disks(self, disk_ids: list[str]) -> dict[str, object]:
        return {} if self.elsewhere else dict.fromkeys(disk_ids, object())

    def delete(self, snapshot_id: str) -> None:
        if self.blocked:
            raise Problem("CloudError", "an image is bound to it")
        self.deleted.append(snapshot_id)

    def every(self) -> Iterator[Mapping[str, Any]]:
        yield from list(self.objects)
        with self.changed:
            self.sweeps += 1
            self.changed.notify_all()

    def post(self, subject: Subject, _kind: str, reason: str, message: str) -> None:
        self.events.append((subject.name, reason, message))

    def lose(self, key: Key, _uid: str, ids: frozenset[str]) -> None:
        with self.changed:
            self.lost.append((key, ids))
            self.changed.notify_all()

    def end(self, last: dict[str, Any] | None = None) -> None:
        """Let the object go, as it was last."""
        (body_of,) = self.objects
        self.objects.clear()
        self.went(last or body_of)

    def pass_sweeps(self, number: int = 2) -> None:
        """Wait until so many more have begun to read objects: all before the last are over."""
        with self.changed:
            wanted = self.sweeps + number
            assert self.changed.wait_for(lambda: self.sweeps >= wanted, PATIENCE)


@contextmanager
def sweeping(
    world: World, *, deletes: bool = False, may_work: Callable[[], bool] = lambda: True
) -> Iterator[Metrics]:
    part: Any = world  # the part of each that is used
    metrics = Metrics()
    pace = Pace(every_seconds=0.01, deletes_orphans=deletes)
    sweep = Sweep(part, part, part, metrics, CLUSTER, world.lose, pace)
    world.went = sweep.went
    thread = threading.Thread(target=sweep.run, args=(may_work,))
    thread.start()
    try:
        yield metrics
    finally:
        sweep.stop()
        thread.join(PATIENCE)
        assert not thread.is_alive()


def snapshot(snapshot_id: str = MINE, uid: str = UID, policy: str = "Delete") -> Snapshot:
    return Snapshot(
        id=snapshot_id,
        name="n",
        disk_id=DISKS[0],
        state="NORMAL",
        percent=100,
        tags=marks(uid, policy=policy),
    )


def ready(policy: str = "Retain") -> dict[str, Any]:
    made = draft().intend(intent(), volumes()).record({DISKS[0]: MINE}).ready("complete")
    return body(policy=policy, status_so_far=made.body)


def shown(metrics: Metrics, name: str) -> float | None:
    return metrics.registry.get_sample_value(f"disksnapshot_{name}")


def test_a_snapshot_that_is_gone_is_told_to_its_object_after_it_was_asked_for_by_its_id() -> None:
    world = World(objects=(ready(),))
    with sweeping(world), world.changed:
        assert world.changed.wait_for(lambda: world.lost, PATIENCE)
    assert world.lost[0] == (Key("shop", "orders"), frozenset({MINE}))


def test_a_snapshot_that_is_gone_is_told_where_the_cloud_answers_its_id_with_an_error() -> None:
    class Strict(World):
        def snapshots(self, ids: list[str]) -> dict[str, Snapshot]:
            there = super().snapshots(ids)
            if missing := set(ids) - there.keys():
                raise CloudProblem("InvalidSnapshotId.NotFound", str(missing))
            return there

    there = ready()
    there["metadata"] |= {"name": "hidden", "uid": "its-own"}
    there["status"]["volumes"][0]["snapshotID"] = "snap-hidden01"
    world = Strict(snapshot("snap-hidden01", "its-own", "Retain"), objects=(ready(), there))
    world.hidden.add("snap-hidden01")
    with sweeping(world), world.changed:
        assert world.changed.wait_for(lambda: world.lost, PATIENCE)
    assert {key.name for key, _ in world.lost} == {"orders"}


def test_a_snapshot_that_a_list_only_left_out_is_not_lost() -> None:
    world = World(snapshot(), objects=(ready(),))
    world.hidden.add(MINE)
    with sweeping(world):
        world.pass_sweeps(3)
    assert world.lost == []


def test_where_nothing_of_the_cluster_is_not_even_its_disks_nothing_is_called_lost(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World(objects=(ready(),))
    world.elsewhere = True
    with sweeping(world):
        world.pass_sweeps(3)
    assert world.lost == []
    assert "right account" in caplog.text


def test_who_is_no_longer_the_one_at_work_shows_no_orphan_that_others_may_have_cleared() -> None:
    world, turns, idle = World(snapshot()), iter([True]), threading.Event()
    idle_turns = iter(range(3))

    def may_work() -> bool:
        if next(turns, False):
            return True
        if next(idle_turns, None) is None:
            idle.set()
        return False

    with sweeping(world, may_work=may_work) as metrics:
        assert idle.wait(PATIENCE)
        assert (shown(metrics, "orphans"), len(world.events)) == (0, 1)


def test_an_orphan_is_told_of_once_and_shown_as_long_as_it_is_there() -> None:
    world = World(snapshot(), snapshot("snap-kept0001", OTHER, "Retain"))
    with sweeping(world) as metrics:
        world.pass_sweeps(3)
        assert (shown(metrics, "orphans"), shown(metrics, "retained")) == (1, 1)
    ((name, reason, message),) = world.events
    assert (name, reason) == ("orders", "Orphaned")
    assert MINE in message


class Going(World):
    """An object and its snapshot that go together, once the snapshots have been listed."""

    def every_snapshot(self) -> list[Snapshot]:
        listed = super().every_snapshot()
        self.objects.clear()
        self.snapshots_there.clear()
        return listed


def test_what_goes_with_its_object_between_two_lists_is_no_orphan() -> None:
    world = Going(snapshot(), objects=(body(),))
    with sweeping(world):
        world.pass_sweeps()
    assert world.events == []


def test_an_object_is_told_once_of_what_an_earlier_one_of_its_name_left() -> None:
    world = World(snapshot(), snapshot("snap-earlier1", OTHER, "Retain"), objects=(ready(),))
    with sweeping(world):
        world.pass_sweeps(3)
    ((_, reason, message),) = world.events
    assert reason == "PreviousExists"
    assert "snap-earlier1" in message


def test_what_outlives_its_object_as_asked_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    world = World(snapshot("snap-kept0001", OTHER, "Retain"))
    with sweeping(world):
        world.pass_sweeps(4)
    assert [line for line in caplog.messages if "outlives" in line] == [
        "snap-kept0001 outlives shop/orders, as asked"
    ]


def test_orphans_are_only_told_of_unless_their_deletion_was_asked_for() -> None:
    world = World(snapshot(), objects=(ready("Delete"),))
    with sweeping(world):
        world.pass_sweeps()
        world.end()
        world.pass_sweeps()
        world.time += timedelta(days=2)
        world.pass_sweeps()
    assert world.deleted == []


def test_an_orphan_is_deleted_after_a_day_if_its_object_wanted_that_as_it_went() -> None:
    world = World(snapshot(), objects=(ready("Delete"),))
    with sweeping(world, deletes=True):
        world.pass_sweeps()
        world.end()
        world.time += timedelta(days=2)  # of which it was no orphan
        world.pass_sweeps()
        world.time += timedelta(hours=23)
        world.pass_sweeps()
        assert world.deleted == []
        world.time += timedelta(hours=2)
        world.pass_sweeps()
    assert set(world.deleted) == {MINE}


@pytest.mark.parametrize(
    "last",
    [body(), body(policy="Delete", gives_up=UID)],
    ids=["its policy was changed between two sweeps", "it was given up to keep the snapshot"],
)
def test_what_an_object_kept_as_it_went_is_never_deleted_whatever_was_seen_before(
    last: dict[str, Any],
) -> None:
    world = World(snapshot(policy="Delete"), objects=(ready("Delete"),))
    with sweeping(world, deletes=True):
        world.pass_sweeps()
        world.end(last)
        world.pass_sweeps()
        world.time += timedelta(days=2)
        world.pass_sweeps()
    assert world.deleted == []


def test_what_an_object_left_that_nobody_saw_go_is_never_deleted() -> None:
    world = World(snapshot(), objects=(ready("Delete"),))
    with sweeping(world, deletes=True):
        world.pass_sweeps()
        world.objects.clear()
        world.pass_sweeps()
        world.time += timedelta(days=2)
        world.pass_sweeps()
    assert world.deleted == []


def test_what_a_restored_object_said_as_it_first_went_counts_no_more_once_it_was_seen() -> None:
    world = World(snapshot(), objects=(ready("Delete"),))
    with sweeping(world, deletes=True):
        world.pass_sweeps()
        world.end()
        world.pass_sweeps()
        world.objects.append(ready("Retain"))
        world.pass_sweeps()
        world.objects.clear()  # while the API server can't be watched
        world.pass_sweeps()
        world.time += timedelta(days=2)
        world.pass_sweeps()
    assert world.deleted == []


@pytest.mark.parametrize(
    ("policy", "deleted"), [("Delete", {snapshot_of(DISKS[1])}), ("Retain", set())]
)
def test_what_an_object_has_too_much_is_deleted_only_as_long_as_it_says_delete(
    policy: str, deleted: set[str]
) -> None:
    world = World(snapshot(), snapshot(snapshot_of(DISKS[1])), objects=(ready(policy),))
    with sweeping(world, deletes=True):
        world.pass_sweeps()
        world.time += timedelta(days=2)
        world.pass_sweeps()
    assert set(world.deleted) == deleted


def test_what_was_an_orphan_before_this_process_began_is_never_deleted() -> None:
    world = World(snapshot(), snapshot(snapshot_of(DISKS[1]), OTHER))
    with sweeping(world, deletes=True):
        world.pass_sweeps()
        world.time += timedelta(days=2)
        world.pass_sweeps()
    assert world.deleted == []


def test_an_orphan_that_can_t_be_deleted_keeps_no_other_from_it() -> None:
    world = World(snapshot(), objects=(ready("Delete"),))
    world.blocked = True
    with sweeping(world, deletes=True):
        world.pass_sweeps()
        world.end()
        world.pass_sweeps()
        world.time += timedelta(days=2)
        world.pass_sweeps()
        world.blocked = False
        world.pass_sweeps()
    assert set(world.deleted) == {MINE}


@pytest.mark.parametrize(
    ("error", "most"),
    [
        (CloudProblem("UnauthorizedOperation", "no"), 4),
        (CloudUnavailable("silence"), 8),
        (ValueError("an answer that can't be read"), 8),
    ],
    ids=["a right that is missing", "silence", "garbage"],
)
def test_an_hour_in_which_each_sweep_fails_costs_few_calls_and_a_good_one_ends_that(
    error: Exception, most: int
) -> None:
    world = World()
    part: Any = world
    world.failing = error
    sweep = Sweep(part, part, part, Metrics(), CLUSTER, world.lose, Pace())
    passed = 0.0
    while passed < HOUR:
        passed += sweep.turn()
    assert 2 <= world.asked <= most

    world.failing = None
    assert sweep.turn() == HOUR
    world.failing = CloudUnavailable("silence")
    assert sweep.turn() == FIRST_SECONDS, "the pauses begin anew"
