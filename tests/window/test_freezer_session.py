"""One session of the freezer on a real file system, without any window."""

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lab.freezing import (
    event,
    freeze,
    fsfreeze,
    record_of,
    refusal,
    thaw,
    thaw_as_somebody_else,
)
from lab.local import Local
from lab.program import LocalSession
from lab.writing import FileWrite

Start = Callable[..., LocalSession]


def test_a_freeze_blocks_writes_until_its_thaw_and_is_proven(here: Local, start: Start) -> None:
    session = start()
    freeze(session)
    write = FileWrite(here.mount)
    assert not write.ended(0.2)
    answer = thaw(session)
    assert (answer["thawed"], answer["writesUnchanged"]) == ([True], [True])
    assert not answer["expired"]
    assert write.ended()


def test_a_session_can_warm_before_it_freezes(here: Local, start: Start) -> None:
    session = start()
    event(session, "ready")
    session.send_line("warm")
    event(session, "warm")
    assert FileWrite(here.mount).ended(), "warming must not stop writers"
    session.send_line("freeze 5000")
    event(session, "frozen")
    assert thaw(session)["thawed"] == [True]


def test_the_end_of_the_input_thaws(here: Local, start: Start) -> None:
    session = start()
    freeze(session)
    session.close()
    assert FileWrite(here.mount).ended()
    assert session.process.returncode == 0


def test_a_termination_thaws(here: Local, start: Start) -> None:
    session = start()
    freeze(session)
    session.process.send_signal(signal.SIGTERM)
    assert FileWrite(here.mount).ended()
    session.process.wait(5)
    assert not thaw_as_somebody_else(here.mount)


@pytest.mark.parametrize("milliseconds", range(1, 9))
def test_a_termination_in_any_phase_of_warming_leaves_nothing_frozen(
    here: Local, start: Start, milliseconds: int
) -> None:
    session = start()
    event(session, "ready")
    session.send_line("warm")
    event(session, "warm")
    # No condition to await: the phases of a warming turn, of about 7 ms, are gone through.
    time.sleep(milliseconds / 1000)
    session.process.terminate()
    session.process.wait(5)
    assert not thaw_as_somebody_else(here.mount)


def test_the_deadline_thaws_while_nobody_speaks(here: Local, start: Start) -> None:
    session = start()
    freeze(session, milliseconds=500)
    frozen_at = time.monotonic()
    assert FileWrite(here.mount).ended()
    assert time.monotonic() - frozen_at < 2
    answer = thaw(session)
    assert answer["expired"]
    assert answer["thawed"] == [False]


def test_a_freeze_of_somebody_else_after_the_deadline_is_left_alone(
    here: Local, start: Start
) -> None:
    session = start()
    freeze(session, milliseconds=300)
    assert FileWrite(here.mount).ended()
    assert fsfreeze("--freeze", here.mount).returncode == 0
    assert not FileWrite(here.mount).ended(0.2)
    session.close()
    assert thaw_as_somebody_else(here.mount)


def test_a_session_that_says_nothing_ends_by_itself(start: Start) -> None:
    session = start(idle_seconds=0.3)
    event(session, "ready")
    assert session.process.wait(3) == 0


def test_the_idle_limit_does_not_cut_a_freeze_short(here: Local, start: Start) -> None:
    session = start(idle_seconds=0.3)
    freeze(session, milliseconds=5000)
    assert not FileWrite(here.mount).ended(0.8)
    assert thaw(session)["thawed"] == [True]


def test_a_freeze_of_somebody_else_is_refused_and_left_frozen(here: Local, start: Start) -> None:
    assert fsfreeze("--freeze", here.mount).returncode == 0
    reason, message = refusal(start())
    assert reason == "FreezeRefused"
    assert "somebody else" in message
    assert thaw_as_somebody_else(here.mount), "a foreign freeze was thawed"


def test_a_foreign_thaw_and_new_freeze_is_no_proof(here: Local, start: Start) -> None:
    session = start()
    freeze(session)
    assert fsfreeze("--unfreeze", here.mount).returncode == 0
    assert fsfreeze("--freeze", here.mount).returncode == 0
    answer = thaw(session)
    assert answer["writesUnchanged"] == [False]


def test_a_foreign_thaw_is_no_proof(here: Local, start: Start) -> None:
    session = start()
    freeze(session)
    assert thaw_as_somebody_else(here.mount)
    assert thaw(session)["thawed"] == [False]


def test_a_volume_can_not_be_unmounted_while_a_session_is_open(
    other_mount: Path, thawer: Any, start: Start
) -> None:
    thawer.act()  # its own descriptor would keep the volume mounted too
    session = start(other_mount)
    event(session, "ready")
    busy = subprocess.run(["umount", other_mount], check=False, capture_output=True, text=True)
    assert "target is busy" in busy.stderr


def test_a_second_session_on_a_volume_is_busy_and_harms_nothing(here: Local, start: Start) -> None:
    first = start()
    freeze(first)
    claimed = record_of(here).read_text()
    assert refusal(start())[0] == "HoldBusy"
    assert record_of(here).read_text() == claimed, "the owner's record is what thaws if it dies"
    assert thaw(first)["thawed"] == [True]


def test_what_a_dead_session_left_frozen_is_thawed_by_the_next(here: Local, start: Start) -> None:
    dead = start()
    freeze(dead)
    dead.process.kill()
    dead.process.wait()
    assert not FileWrite(here.mount).ended(0.2)
    freeze(start())


def test_two_file_systems_are_frozen_and_thawed_in_one_session(
    here: Local, other_mount: Path, start: Start
) -> None:
    session = start(here.mount, other_mount)
    freeze(session)
    writes = [FileWrite(here.mount), FileWrite(other_mount)]
    assert not any(write.ended(0.2) for write in writes)
    answer = thaw(session)
    assert (answer["thawed"], answer["writesUnchanged"]) == ([True, True], [True, True])
    assert all(write.ended() for write in writes)


def test_one_foreign_freeze_of_two_frees_the_other_and_leaves_the_foreign(
    here: Local, other_mount: Path, start: Start
) -> None:
    session = start(here.mount, other_mount)
    event(session, "ready")
    assert fsfreeze("--freeze", other_mount).returncode == 0
    session.send_line("freeze 20000")
    reason, message = refusal(session)
    assert (reason, message) == ("FreezeRefused", f"somebody else has frozen {other_mount}")
    assert FileWrite(here.mount).ended()
    assert thaw_as_somebody_else(other_mount), "a foreign freeze was thawed"


def test_a_record_of_another_boot_is_no_reason_to_thaw(here: Local, start: Start) -> None:
    record_of(here).write_text(json.dumps({"nonce": "n", "boot": "earlier", "deadline": 0}))
    assert fsfreeze("--freeze", here.mount).returncode == 0
    assert refusal(start())[0] == "FreezeRefused"
    assert thaw_as_somebody_else(here.mount), "a foreign freeze was thawed"


def test_a_session_leaves_an_empty_record(here: Local, start: Start) -> None:
    session = start()
    freeze(session)
    assert record_of(here).stat().st_size
    thaw(session)
    assert record_of(here).stat().st_size == 0


def test_an_unknown_line_ends_the_session_and_thaws(here: Local, start: Start) -> None:
    session = start()
    freeze(session)
    session.send_line("sing")
    assert refusal(session)[0] == "FreezeRefused"
    assert FileWrite(here.mount).ended()
