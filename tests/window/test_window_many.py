"""Many file systems, nodes and containers under one hold: all of them, or none."""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from disksnapshot.window.hold import (
    CommandOrder,
    CommandTarget,
    Facts,
    FreezeOrder,
    FreezeTarget,
    Order,
    StepFacts,
)
from lab.commanding import commands, freeze_by_command
from lab.disks import filesystem
from lab.disks.loop import LoopDisk
from lab.freezing import event, fsfreeze, thaw, thaw_as_somebody_else
from lab.holding import Holding, capture, opened
from lab.local import Local
from lab.program import LocalProgram, LocalSession
from lab.thawing import Thawer
from lab.writing import AT_ONCE, FileWrite, Writer

KINDS = (filesystem.EXT4, filesystem.XFS, filesystem.XFS)
REFUSES_TO_FREEZE = """
import json, sys
for word in ("ready", "warm"):
    print(json.dumps({"event": word}), flush=True)
    sys.stdin.readline()
print(json.dumps({"event": "error", "reason": "FreezeRefused", "message": "no"}), flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def disks(running: Local) -> Iterator[list[Path]]:
    """Three more disks, one with the database's kind of file system and two with XFS."""
    with ExitStack() as stack:
        mounts = []
        for number, kind in enumerate(KINDS):
            disk = running.control.create_disk(size_gib=1)
            stack.callback(running.control.delete_disk, disk["DiskId"])
            mount = running.kubelet / "pods" / f"many-{number}"
            stack.enter_context(LoopDisk(Path(disk["Path"]))).mount(mount, kind=kind)
            mounts.append(mount)
        yield mounts


@pytest.fixture
def others(disks: list[Path], thawer: Thawer) -> Iterator[list[Path]]:
    """Give the mounts of those disks, which are thawed whatever becomes of the test."""
    thawer.arm(*disks)
    yield disks
    assert not any(map(thaw_as_somebody_else, disks)), "the test left a file system frozen"


def on_a_node(here: Local, *mounts: Path) -> FreezeTarget:
    return FreezeTarget(program=LocalProgram(), argv=tuple(here.freezer(*mounts)))


def frozen_on(here: Local, *nodes: FreezeTarget) -> Order:
    """Return an order that locks the database and freezes on many nodes."""
    order = here.order(freeze=False)
    return replace(order, steps=(*order.steps, FreezeOrder(name="1-freeze", targets=nodes)))


def by(here: Local, *steps: CommandOrder) -> Order:
    return replace(here.order(mysql=False, freeze=False), steps=steps)


def freeze_of(facts: Facts) -> StepFacts:
    return next(step for step in facts.steps if step.kind == "freeze")


def all_go_on(*mounts: Path) -> bool:
    writes = [FileWrite(mount) for mount in mounts]
    return all(write.ended() for write in writes)


def test_file_systems_of_many_nodes_and_kinds_are_proven_under_one_hold(
    here: Local, others: list[Path], writer: Writer
) -> None:
    here.control.settings(replyDelayMilliseconds=300)
    nodes = (on_a_node(here, here.mount, others[1]), on_a_node(here, others[0], others[2]))
    facts = capture(here, frozen_on(here, *nodes))
    assert facts.proven, facts.steps
    writer.seconds_until_acknowledged(after=facts.times["unlocked"])
    assert writer.made_between(facts.times["frozen"], facts.times["thawed"]) == []
    assert all_go_on(here.mount, *others)


@pytest.mark.usefixtures("hidden")
def test_a_write_to_xfs_waits_for_its_thaw(
    here: Local, others: list[Path], pool: ThreadPoolExecutor
) -> None:
    order = replace(frozen_on(here, on_a_node(here, others[1])), max_hold_seconds=6)
    with opened(order) as window:
        answer = Holding(here, window, pool).until_looked_up(here.go())
        write = FileWrite(others[1])
        assert not write.ended(0.3)
        facts = answer.result()
    assert isinstance(facts, Facts)
    assert facts.proven
    assert write.ended()


def test_many_file_systems_of_a_node_are_frozen_side_by_side(
    here: Local, others: list[Path]
) -> None:
    session = LocalSession(here.freezer(here.mount, *others))
    event(session, "ready")
    time.sleep(0.05)  # what the rehearsal has made quick is slow again after 10 ms
    start = time.monotonic()
    session.send_line("freeze 10000")
    each = event(session, "frozen")["freezeMilliseconds"]
    took = (time.monotonic() - start) * 1000
    assert thaw(session)["thawed"] == [True] * 4
    session.close()
    assert took < sum(each), f"{took:.0f} ms for freezes of {each} ms"


def test_a_node_that_refuses_its_freeze_lets_the_others_and_the_database_go(
    here: Local, others: list[Path], writer: Writer
) -> None:
    refusing = FreezeTarget(program=LocalProgram(), argv=("python3", "-c", REFUSES_TO_FREEZE))
    nodes = (on_a_node(here, here.mount), refusing, on_a_node(here, *others))
    facts = capture(here, frozen_on(here, *nodes))
    assert facts.refusal
    assert facts.refusal.reason == "FreezeRefused"
    assert here.control.snapshots() == []
    assert all_go_on(here.mount, *others)
    assert writer.seconds_until_acknowledged(after=time.time_ns()) < AT_ONCE


def test_one_file_system_of_many_that_others_froze_meanwhile_leaves_all_but_it_free(
    here: Local, others: list[Path]
) -> None:
    *ours, theirs = others
    with opened(frozen_on(here, on_a_node(here, here.mount, *others))) as window:
        assert fsfreeze("--freeze", theirs).returncode == 0
        facts = window.go(here.go(), 30)
    assert isinstance(facts, Facts)
    assert facts.refusal
    assert facts.refusal.reason == "FreezeRefused"
    assert here.control.snapshots() == []
    assert all_go_on(here.mount, *ours)
    assert thaw_as_somebody_else(theirs), "a foreign freeze was thawed"


@pytest.mark.usefixtures("hidden", "watcher")
def test_a_freezer_that_dies_on_one_node_of_two_is_no_proof_and_leaves_nothing_frozen(
    here: Local, others: list[Path], pool: ThreadPoolExecutor
) -> None:
    nodes = (on_a_node(here, here.mount), on_a_node(here, *others))
    order = replace(frozen_on(here, *nodes), max_hold_seconds=6)
    with opened(order) as window:
        holding = Holding(here, window, pool)
        answer = holding.until_cut(here.go())
        os.kill(holding.programs()[-1], signal.SIGKILL)
        facts = answer.result()
    assert isinstance(facts, Facts)
    assert not facts.proven
    assert freeze_of(facts).reason
    writes = [FileWrite(mount) for mount in (here.mount, *others)]
    assert all(write.ended() for write in writes)


def test_a_command_that_fails_in_one_container_is_released_in_all(
    here: Local, tmp_path: Path
) -> None:
    marks = [tmp_path / str(number) for number in range(3)]
    targets: list[CommandTarget] = []
    for mark, status in zip(marks, ("0", "1", "0"), strict=True):
        hold = ["sh", "-c", f"echo 1 >{mark}; exit {status}"]
        targets += commands(hold, ["rm", str(mark)]).targets
    facts = capture(here, by(here, replace(commands([], []), targets=tuple(targets))))
    assert facts.refusal
    assert facts.refusal.reason == "CommandFailed"
    assert [mark.exists() for mark in marks] == [False] * 3
    assert here.control.snapshots() == []


def test_a_foreign_freeze_among_those_by_fsfreeze_is_left_and_the_others_are_thawed(
    here: Local, others: list[Path]
) -> None:
    *ours, theirs = others
    with opened(by(here, freeze_by_command(here.mount, *others))) as window:
        assert fsfreeze("--freeze", theirs).returncode == 0
        facts = window.go(here.go(), 30)
    assert isinstance(facts, Facts)
    assert facts.refusal
    assert facts.refusal.reason == "FreezeRefused"
    assert all_go_on(here.mount, *ours)
    assert thaw_as_somebody_else(theirs), "a foreign freeze was thawed"
    assert here.control.snapshots() == []
