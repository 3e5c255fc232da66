"""The sweeps over all snapshots in creation: few calls, nobody delayed by another's trouble."""

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from disksnapshot.cbs.calls import CloudProblem
from disksnapshot.cbs.errors import TABLE
from disksnapshot.cbs.listed import Snapshot
from disksnapshot.cbs.poller import Poller, View, pause_after
from disksnapshot.errors import CloudUnavailable, Unreadable

PATIENCE = 20
HOUR = 3600
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
NOT_FOUND = "InvalidSnapshotId.NotFound"  # each id gets an answer by it: it is gone
PERMANENT = sorted(code for code in TABLE if CloudProblem(code, "").slow and code != NOT_FOUND)
PASSING = sorted(code for code in TABLE if not CloudProblem(code, "").slow)


class Listing:
    """A cloud that lists what it is told to, and counts the calls."""

    def __init__(self, listed: Iterable[str] = ()) -> None:
        self.listed = dict.fromkeys(listed, "CREATING")
        self.asked: list[list[str]] = []
        self.bad: dict[str, Exception] = {}  # ids that fail every page which they are on
        self.fail: Exception | None = None

    def snapshots(self, snapshot_ids: Sequence[str]) -> dict[str, Snapshot]:
        self.asked.append(list(snapshot_ids))
        if self.fail:
            raise self.fail
        for name in snapshot_ids:
            if name in self.bad:
                raise self.bad[name]
        return {
            name: Snapshot(
                id=name, name="n", disk_id="disk-a", state=self.listed[name], percent=7, tags={}
            )
            for name in snapshot_ids
            if name in self.listed
        }


class Following:
    """A poller of this cloud, and who was told of a change."""

    def __init__(self, cloud: Listing, followed: Iterable[str]) -> None:
        self.told: list[str] = []
        self.now = 0.0
        self.poller: Poller[str] = Poller(cloud, self.told.append, ticks=lambda: self.now)  # type: ignore[arg-type]  # the part of a cloud that it uses
        for name in followed:
            self.poller.follow([name], name)

    def seen(self, snapshot_ids: Iterable[str]) -> set[str]:
        views = self.poller.follow(snapshot_ids, "x")
        return {name for name, view in views.items() if view.snapshot}

    def view(self, snapshot_id: str) -> View:
        return self.poller.follow([snapshot_id], "x")[snapshot_id]

    def sweep_until(self, end: float) -> None:
        while self.now < end:
            self.now += self.poller.sweep() or end


def names(count: int) -> list[str]:
    return [f"snap-{number:08}" for number in range(count)]


def test_a_sweep_makes_one_call_for_each_hundred() -> None:
    cloud = Listing(names(250))
    following = Following(cloud, names(250))
    following.poller.sweep()
    assert [len(asked) for asked in cloud.asked] == [100, 100, 50]
    assert following.told == names(250)


def test_with_nothing_to_follow_nothing_is_asked() -> None:
    cloud = Listing()
    assert Following(cloud, []).poller.sweep() is None
    assert cloud.asked == []


def test_a_missing_one_keeps_no_other_from_progress_and_is_reported() -> None:
    following = Following(Listing(names(99)), names(100))
    following.poller.sweep()
    assert len(following.seen(names(100))) == 99
    views = following.poller.follow(names(100), "x")
    assert views["snap-00000099"].absent_since is not None


def test_times_are_those_of_the_clock_by_which_others_judge_them() -> None:
    poller: Poller[str] = Poller(Listing(), lambda _: None, lambda: NOW)  # type: ignore[arg-type]  # the same
    poller.follow(names(1), "a")
    poller.sweep()
    assert poller.follow(names(1), "a")["snap-00000000"].absent_since == NOW


def test_an_id_of_another_form_is_kept_out_of_the_pages() -> None:
    cloud = Listing(names(2))
    Following(cloud, ["snap-BAD!", *names(2)]).poller.sweep()
    assert cloud.asked == [names(2), ["snap-BAD!"]]


@pytest.mark.parametrize(
    "error",
    [
        CloudProblem("InvalidParameterValue", "The id `snap-00000042` is malformed."),
        CloudProblem("InvalidSnapshotId.NotFound", "one of them isn't found"),
        CloudProblem("InvalidParameterValue.OfTomorrow", "no"),
        Unreadable("its percent is no number"),
        KeyError("something else"),
    ],
    ids=["named in the message", "not named", "an unknown detail", "a record", "anything"],
)
def test_one_bad_id_never_fails_the_other_99_and_is_asked_for_alone_from_then_on(
    error: Exception,
) -> None:
    cloud = Listing(names(100))
    bad = "snap-00000042"
    cloud.bad[bad] = error
    following = Following(cloud, names(100))
    following.poller.sweep()
    assert following.seen(names(100)) == set(names(100)) - {bad}
    assert len(cloud.asked) <= 15
    cloud.asked.clear()
    following.poller.sweep()
    assert [len(asked) for asked in cloud.asked] == [99]


def test_a_page_that_is_answered_with_an_unclear_error_each_time_is_split_as_well() -> None:
    cloud = Listing(names(100))
    cloud.bad["snap-00000042"] = CloudProblem("InternalError", "no")
    following = Following(cloud, names(100))
    for _ in range(3):
        following.poller.sweep()
    assert len(following.seen(names(100))) == 99


def test_many_bad_ids_cost_a_bounded_number_of_calls_and_all_good_ones_are_seen_in_the_end() -> (
    None
):
    cloud = Listing(names(100))
    bad = names(100)[::10]
    cloud.bad.update(dict.fromkeys(bad, CloudProblem("InvalidParameterValue", "no")))
    following = Following(cloud, names(100))
    for _ in range(12):
        cloud.asked.clear()
        following.poller.sweep()
        assert len(cloud.asked) <= 22
        trouble = {name for name in names(100) if following.view(name).trouble}
        assert trouble <= set(bad), "an error of some is said by no other"
    assert following.seen(names(100)) == set(names(100)) - set(bad)


@pytest.mark.parametrize(
    "error",
    [CloudProblem("UnsupportedOperation", "no"), CloudProblem("InvalidFilter", "no")],
)
def test_what_is_refused_to_all_makes_no_snapshot_count_as_lost(error: Exception) -> None:
    cloud = Listing(names(250))
    cloud.fail = error
    following = Following(cloud, names(250))
    following.poller.sweep()
    views = following.poller.follow(names(250), "x").values()
    assert {(view.absent_since, view.trouble) for view in views} == {(None, error)}
    assert len(cloud.asked) == 1
    following.poller.sweep()
    assert sorted(following.told) == names(250), "of the trouble, and once"


def test_a_page_that_gets_no_answer_keeps_no_other_from_its_turn() -> None:
    cloud = Listing(names(600))
    cloud.bad["snap-00000000"] = CloudUnavailable("silence")
    following = Following(cloud, names(600))
    for _ in range(9):
        following.poller.sweep()
    assert len(following.seen(names(600))) == 500
    assert following.view("snap-00000599").trouble is None, "nor is it told of that trouble"


def test_while_pages_fail_each_sweep_begins_with_another_one() -> None:
    cloud = Listing(names(600))
    cloud.fail = CloudUnavailable("silence")
    following = Following(cloud, names(600))
    begun = []
    for _ in range(6):
        cloud.asked.clear()
        following.poller.sweep()
        begun.append(cloud.asked[0][0])
    assert sorted(begun) == names(600)[::100]


def test_a_change_is_told_once_and_a_failed_sweep_is_made_up_for() -> None:
    cloud = Listing(names(1))
    following = Following(cloud, names(1))
    cloud.fail = CloudUnavailable("silence")
    following.poller.sweep()
    cloud.fail = None
    for state in ("CREATING", "CREATING", "NORMAL"):
        cloud.listed["snap-00000000"] = state
        following.poller.sweep()
    assert following.told == names(1) * 2


def test_who_is_gone_is_followed_no_longer() -> None:
    cloud = Listing(names(3))
    following = Following(cloud, [])
    following.poller.follow(names(2), "gone")
    following.poller.follow(["snap-00000002"], "here")
    following.poller.forget_follower("gone")
    following.poller.sweep()
    assert cloud.asked == [["snap-00000002"]]


@pytest.mark.parametrize("followed", [1, 2, 3, 100, 250])
@pytest.mark.parametrize("code", PERMANENT)
def test_an_hour_of_a_permanent_error_costs_a_dozen_calls(code: str, followed: int) -> None:
    cloud = Listing(names(followed))
    cloud.fail = CloudProblem(code, "no")
    following = Following(cloud, names(followed))
    following.sweep_until(HOUR)
    assert len(cloud.asked) <= 12
    views = following.poller.follow(names(followed), "x").values()
    assert {view.trouble for view in views} == {cloud.fail}, "everybody can say what it is"
    assert {view.absent_since for view in views} == {None}, "and nothing counts as lost"


@pytest.mark.parametrize("followed", [1, 100])
@pytest.mark.parametrize(
    "error",
    [
        *(CloudProblem(code, "no") for code in [*PASSING, "Of.Tomorrow"]),
        CloudUnavailable("silence"),
        Unreadable("no number"),
        KeyError("anything"),
    ],
    ids=repr,
)
def test_an_hour_of_an_error_that_may_pass_costs_about_a_call_a_minute(
    error: Exception, followed: int
) -> None:
    cloud = Listing(names(followed))
    cloud.fail = error
    following = Following(cloud, names(followed))
    following.sweep_until(HOUR)
    assert len(cloud.asked) <= 70
    trouble = following.view("snap-00000000").trouble
    assert trouble is not None, "who waits for an hour is told why"
    assert trouble.reason != "OutcomeUnknown", "no outcome is unknown: the cut is made"


@pytest.mark.parametrize(
    "error", [CloudProblem("InvalidParameterValue", "no"), Unreadable("no number")], ids=repr
)
def test_after_an_error_that_held_for_all_everything_is_seen_by_the_next_sweep(
    error: Exception,
) -> None:
    cloud = Listing(names(100))
    cloud.fail = error
    following = Following(cloud, names(100))
    following.sweep_until(HOUR)
    cloud.fail = None
    following.told.clear()
    assert following.poller.sweep() == 5.0
    assert following.seen(names(100)) == set(names(100))
    assert set(following.told) == set(names(100))
    assert following.view("snap-00000000").trouble is None


def test_gone_snapshots_are_each_found_out_although_all_fail_alike() -> None:
    cloud = Listing()
    cloud.fail = CloudProblem(NOT_FOUND, "no")
    following = Following(cloud, names(100))
    following.sweep_until(HOUR / 2)
    views = following.poller.follow(names(100), "x").values()
    assert all(view.absent_since for view in views)


@pytest.mark.parametrize("bad", [(0, 50), (24, 25, 26), (0, 1, 99), (25, 75)])
def test_some_bad_ids_are_found_although_they_may_look_like_an_error_of_all(
    bad: tuple[int, ...],
) -> None:
    cloud = Listing(names(100))
    cloud.bad.update({names(100)[each]: CloudProblem("InvalidSnapshot", "no") for each in bad})
    following = Following(cloud, names(100))
    following.sweep_until(120)
    assert len(following.seen(names(100))) == 100 - len(bad)


def test_who_alone_is_refused_can_say_so_and_that_it_is_over() -> None:
    cloud, bad = Listing(names(100)), "snap-00000042"
    refusal = CloudProblem("InvalidParameterValue", "no")
    cloud.bad[bad] = refusal
    following = Following(cloud, names(100))
    following.poller.sweep()
    assert (following.view(bad).trouble, following.view("snap-00000041").trouble) == (
        refusal,
        None,
    )
    assert following.told.count(bad) == 1
    cloud.bad.clear()
    following.sweep_until(100)
    assert (following.view(bad).trouble, following.told.count(bad)) == (None, 2)


def test_the_pause_grows_with_the_pages_and_with_failures_up_to_a_bound() -> None:
    assert pause_after(0, 1, slow=False) == 5.0
    assert pause_after(0, 100, slow=False) == 10.0
    assert [pause_after(count, 1, slow=False) for count in (1, 2, 3, 9)] == [10, 20, 40, 60]
    assert [pause_after(count, 1, slow=True) for count in (1, 2, 3, 99)] == [15, 30, 60, 900]


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


def test_the_thread_looks_at_a_new_one_right_away_and_ends_when_told() -> None:
    cloud, seen = Listing(names(1)), threading.Event()
    poller: Poller[str] = Poller(cloud, lambda _: seen.set())  # type: ignore[arg-type]  # the same
    with sweeping(poller):
        poller.follow(names(1), "a")
        assert seen.wait(PATIENCE)
