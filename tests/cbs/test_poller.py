"""The sweeps over all snapshots in creation: few calls, nobody delayed by another's trouble."""

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from disksnapshot.cbs.client import Snapshot
from disksnapshot.cbs.poller import Poller
from disksnapshot.errors import CloudUnavailable

PATIENCE = 20


class Listing:
    """A cloud that lists what it is told to, and counts the calls."""

    def __init__(self, listed: Iterable[str] = ()) -> None:
        self.listed = dict.fromkeys(listed, "CREATING")
        self.asked: list[list[str]] = []
        self.failures = 0

    def snapshots(self, snapshot_ids: Sequence[str]) -> dict[str, Snapshot]:
        self.asked.append(list(snapshot_ids))
        if self.failures:
            self.failures -= 1
            raise CloudUnavailable("silence")
        return {
            name: Snapshot(
                id=name, name="n", disk_id="disk-a", state=self.listed[name], percent=7, tags={}
            )
            for name in snapshot_ids
            if name in self.listed
        }


class Followers:
    """Notes who was told of a change, and lets a test wait for it."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self._changed = threading.Condition()

    def __call__(self, follower: str) -> None:
        with self._changed:
            self.told.append(follower)
            self._changed.notify_all()

    def until(self, count: int) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: len(self.told) >= count, PATIENCE)


@contextmanager
def sweeping(poller: Poller[str]) -> Iterator[None]:
    thread = threading.Thread(target=poller.run)
    thread.start()
    try:
        yield
    finally:
        poller.stop()
        thread.join(PATIENCE)
        assert not thread.is_alive()


def names(count: int) -> list[str]:
    return [f"snap-{number:08}" for number in range(count)]


def test_a_sweep_makes_one_call_for_each_hundred() -> None:
    cloud, followers = Listing(names(250)), Followers()
    poller = Poller(cloud, followers)  # type: ignore[arg-type]  # the part of a cloud it uses
    for name in names(250):
        poller.follow([name], name)
    with sweeping(poller):
        assert followers.until(250)
    assert [len(asked) for asked in cloud.asked] == [100, 100, 50]


def test_a_missing_one_keeps_no_other_from_progress_and_is_reported() -> None:
    cloud, followers = Listing(names(99)), Followers()
    poller = Poller(cloud, followers)  # type: ignore[arg-type]  # the same
    for name in names(100):
        poller.follow([name], name)
    with sweeping(poller):
        assert followers.until(100)
    views = poller.follow(names(100), "x")
    assert sum(view.snapshot is not None for view in views.values()) == 99
    assert views["snap-00000099"].absent_since is not None


def test_a_malformed_id_is_kept_out_of_the_call() -> None:
    cloud, followers = Listing(names(1)), Followers()
    poller = Poller(cloud, followers)  # type: ignore[arg-type]  # the same
    poller.follow(["snap-BAD!", *names(1)], "a")
    with sweeping(poller):
        assert followers.until(1)
    assert cloud.asked == [names(1)]


def test_a_change_is_told_once_and_a_failed_sweep_is_made_up_for() -> None:
    cloud, followers = Listing(names(1)), Followers()
    cloud.failures = 1
    poller = Poller(cloud, followers)  # type: ignore[arg-type]  # the same
    poller.follow(names(1), "a")
    with sweeping(poller):
        assert followers.until(1)
        cloud.listed["snap-00000000"] = "NORMAL"
        assert followers.until(2)
    assert followers.told == ["a", "a"]
    assert len(cloud.asked) == 3


def test_who_is_gone_is_followed_no_longer() -> None:
    cloud, followers = Listing(names(3)), Followers()
    poller = Poller(cloud, followers)  # type: ignore[arg-type]  # the same
    poller.follow(names(2), "gone")
    poller.follow(["snap-00000002"], "here")
    poller.forget_follower("gone")
    with sweeping(poller):
        assert followers.until(1)
    assert cloud.asked == [["snap-00000002"]]
