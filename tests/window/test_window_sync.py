"""A sync under the lock: by the freezers, or by a command."""

from dataclasses import replace
from pathlib import Path

import pytest

from disksnapshot.window.hold import AnyOrder, Order
from lab.commanding import commands, sync_by_freezer
from lab.freezing import event, refusal
from lab.holding import capture
from lab.local import Local
from lab.program import LocalSession


def synced(here: Local, sync: AnyOrder) -> Order:
    order = here.order(freeze=False)
    return replace(order, steps=(*order.steps, sync))


def by_command() -> AnyOrder:
    return replace(commands(["sync"], []), name="1-sync", kind="sync")


@pytest.mark.parametrize("method", ["Agent", "Exec"])
def test_a_sync_is_done_between_the_lock_and_the_cut(here: Local, method: str) -> None:
    by_freezer = sync_by_freezer(here, "1-sync")
    facts = capture(here, synced(here, by_freezer if method == "Agent" else by_command()))
    assert facts.proven
    assert [step.kind for step in facts.steps] == ["mysql", "sync"]
    times = facts.times
    assert times["locked"] < times["synced"] < times["cutSent"] < times["unlocked"]


def test_what_was_written_before_a_sync_is_on_the_disk_after_it(here: Local) -> None:
    session = LocalSession(here.syncer())
    event(session, "ready")
    before = _dirty(here, b"x" * 4_000_000)
    session.send_line("sync")
    event(session, "synced")
    assert _sectors_written(here) - before >= 4_000_000 // 512
    session.close()


def test_a_sync_that_fails_gives_no_proof_and_no_cut(here: Local) -> None:
    order = synced(here, replace(commands(["false"], ["true"]), name="1-sync", kind="sync"))
    facts = capture(here, order)
    assert facts.refusal
    assert facts.refusal.reason == "CommandFailed"
    assert here.control.snapshots() == []


def test_a_sync_command_that_takes_too_long_is_told_as_such(here: Local) -> None:
    slow = commands(["sh", "-c", "sleep 5"], [])
    facts = capture(here, synced(here, replace(slow, name="1-sync", kind="sync")))
    assert facts.refusal
    assert facts.refusal.reason == "FlushTooSlow"


def test_a_sync_session_freezes_nothing_and_knows_no_other_word(here: Local) -> None:
    session = LocalSession(here.syncer())
    event(session, "ready")
    session.send_line("freeze 1000")
    reason, message = refusal(session)
    assert (reason, "unknown line" in message) == ("FreezeRefused", True)
    session.close()


def _dirty(here: Local, content: bytes) -> int:
    """Write without a sync; return the sectors that the disk had written before."""
    sectors = _sectors_written(here)
    (here.mount / "dirty").write_bytes(content)
    return sectors


def _sectors_written(here: Local) -> int:
    number = here.mount.stat().st_dev
    stat = Path(f"/sys/dev/block/{number >> 8}:{number & 0xFF}/stat").read_text()
    return int(stat.split()[6])
