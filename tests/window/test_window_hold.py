"""A window with nothing in its way: it holds, cuts, lets go, and its proof is true."""

import multiprocessing
import time
from pathlib import Path

import pytest

from disksnapshot.window.hold import Facts, Ready, Refusal
from disksnapshot.window.launch import WindowProcess
from lab.holding import capture
from lab.local import Local
from lab.writing import AT_ONCE, FileWrite, Writer


def test_a_held_cut_is_proven_and_everything_is_free_afterwards(
    here: Local, writer: Writer
) -> None:
    facts = capture(here, here.order())
    assert facts.proven
    assert facts.refusal is None
    assert [step.proven for step in facts.steps] == [True, True]
    assert writer.seconds_until_acknowledged(after=time.time_ns()) < AT_ONCE
    assert FileWrite(here.mount).ended()


def test_no_insert_is_acknowledged_between_frozen_and_thawed(here: Local, writer: Writer) -> None:
    here.control.settings(replyDelayMilliseconds=300)
    facts = capture(here, here.order())
    assert facts.proven
    writer.seconds_until_acknowledged(after=facts.times["unlocked"])
    assert writer.made_between(facts.times["frozen"], facts.times["thawed"]) == []


def test_no_insert_is_acknowledged_between_locked_and_unlocked_without_a_freeze(
    here: Local, writer: Writer
) -> None:
    here.control.settings(replyDelayMilliseconds=300)
    facts = capture(here, here.order(freeze=False))
    assert facts.proven
    writer.seconds_until_acknowledged(after=facts.times["unlocked"])
    assert writer.made_between(facts.times["locked"], facts.times["proven"]) == []


def test_a_freeze_alone_is_proven(here: Local, writer: Writer) -> None:
    facts = capture(here, here.order(mysql=False))
    assert facts.proven
    assert writer.made_between(facts.times["frozen"], facts.times["thawed"]) == []


def test_the_moments_come_in_the_order_of_a_hold(here: Local) -> None:
    names = ["ready", "lockSent", "locked", "frozen", "cutSent", "reply", "visible"]
    names += ["thawed", "proven", "unlocked"]
    times = capture(here, here.order()).times
    assert sorted(times, key=lambda name: times[name]) == names


def test_the_recorded_position_is_the_binlogs_size_in_the_hold(here: Local) -> None:
    facts = capture(here, here.order())
    position = facts.steps[0].detail
    [snapshot] = here.control.snapshots()
    assert snapshot["id"] == facts.disks[0].snapshot_id
    binlog = here.database.datadir / str(position["binlogFile"])
    assert binlog.stat().st_size == position["binlogPosition"]


def test_windows_can_follow_each_other_at_once(here: Local) -> None:
    for _ in range(3):
        assert capture(here, here.order()).proven


def test_a_second_window_on_the_same_server_is_busy_until_the_first_ends(here: Local) -> None:
    with WindowProcess(here.order(freeze=False)) as first:
        assert first.ready(20) == Ready()
        with WindowProcess(here.order(freeze=False)) as second:
            refused = second.ready(20)
            assert isinstance(refused, Refusal)
            assert refused.reason == "HoldBusy"
        facts = first.go(here.go(), 20)
    assert isinstance(facts, Facts)
    assert facts.proven


def test_a_second_window_on_the_same_disk_is_busy(here: Local) -> None:
    with WindowProcess(here.order(mysql=False)) as first:
        assert first.ready(20) == Ready()
        with WindowProcess(here.order(mysql=False)) as second:
            refused = second.ready(20)
            assert isinstance(refused, Refusal)
            assert refused.reason == "HoldBusy"
        facts = first.go(here.go(), 20)
    assert isinstance(facts, Facts)
    assert facts.proven


@pytest.mark.usefixtures("window_server")
def test_a_windows_process_knows_the_database_but_neither_kubernetes_nor_the_sdk(
    tmp_path: Path,
) -> None:
    listing = tmp_path / "modules"
    look = f"import pathlib, sys; pathlib.Path({str(listing)!r}).write_text(' '.join(sys.modules))"
    probe = multiprocessing.get_context("forkserver").Process(target=exec, args=(look,))
    probe.start()
    probe.join()
    probe.close()
    loaded = {name.split(".")[0] for name in listing.read_text().split()}
    assert "pymysql" in loaded
    assert loaded.isdisjoint({"kopf", "kubernetes", "tencentcloud", "requests"})
