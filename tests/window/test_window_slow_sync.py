"""Disks that take their dirty pages slowly: told as such, before and under the lock."""

import time
from contextlib import closing
from pathlib import Path

import pytest

from disksnapshot.window.clock import HoldClock, Timeline
from disksnapshot.window.freeze import FreezeHold
from disksnapshot.window.fsfreeze import FsfreezeHold
from disksnapshot.window.hold import FreezeOrder, FreezeTarget, Hold, HoldError, SyncOrder
from disksnapshot.window.sync import SyncHold
from lab.commanding import freeze_by_command
from lab.local import Local
from lab.program import LocalProgram

ONCE_THEN_NEVER = """
import json, sys, time
print(json.dumps({"event": "ready"}), flush=True)
sys.stdin.readline()
sys.stdin.readline()
"""


def test_a_sync_that_takes_all_the_time_of_a_hold_is_told_as_too_slow() -> None:
    never = FreezeTarget(program=LocalProgram(), argv=("python3", "-c", ONCE_THEN_NEVER))
    clock = HoldClock(5, Timeline())
    clock.sent()
    clock.guarded(0.5)
    with closing(SyncHold(SyncOrder(name="1-sync", targets=(never,)))) as hold:
        hold.ready(time.monotonic() + 10)
        with pytest.raises(HoldError) as refusal:
            hold.acquire(clock)
    assert refusal.value.reason == "FlushTooSlow"
    assert not hold.facts.proven


def by_a_freezer_that_still_writes(kind: str) -> Hold:
    """Return a hold whose freezer says nothing, as one does that waits for the kernel."""
    silent = FreezeTarget(program=LocalProgram(), argv=("cat",))
    if kind == "freeze":
        return FreezeHold(FreezeOrder(name="0-freeze", targets=(silent,)))
    return SyncHold(SyncOrder(name="0-sync", targets=(silent,)))


@pytest.mark.parametrize("kind", ["freeze", "sync"])
def test_a_freezer_that_is_not_ready_in_time_still_writes_dirty_pages_out(kind: str) -> None:
    silent = by_a_freezer_that_still_writes(kind)
    with closing(silent) as hold, pytest.raises(HoldError) as refusal:
        hold.ready(time.monotonic() + 0.3)
    assert refusal.value.reason == "FlushTooSlow"
    assert "dirty pages" in str(refusal.value)


@pytest.mark.parametrize("kind", ["freeze", "sync"])
def test_a_freezer_that_ended_is_no_slow_disk(kind: str) -> None:
    gone = FreezeTarget(program=LocalProgram(), argv=("false",))
    hold: Hold = FreezeHold(FreezeOrder(name="0-freeze", targets=(gone,)))
    if kind == "sync":
        hold = SyncHold(SyncOrder(name="0-sync", targets=(gone,)))
    with closing(hold), pytest.raises(HoldError) as refusal:
        hold.ready(time.monotonic() + 10)
    assert refusal.value.reason == "FreezeRefused"


def test_dirty_pages_that_take_too_long_are_told_before_anything_is_frozen(
    here: Local, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = tmp_path / "sync"
    slow.write_text("#!/bin/sh\nexec sleep 1.5\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/sbin:/usr/bin:/sbin:/bin")
    order = freeze_by_command(here.mount)
    with closing(FsfreezeHold(order)) as hold, pytest.raises(HoldError) as refusal:
        hold.ready(time.monotonic() + 0.8)
    assert refusal.value.reason == "FlushTooSlow"
