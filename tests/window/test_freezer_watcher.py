"""The freezer pod's main process thaws what a dead or stopped session left frozen."""

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from disksnapshot.inpod import freezer
from lab.cluster.commands import run
from lab.cluster.waiting import until
from lab.freezing import event, freeze, fsfreeze, record_of, refusal, thaw, thaw_as_somebody_else
from lab.local import Local
from lab.program import LocalSession
from lab.writing import FileWrite

Start = Callable[..., LocalSession]
Watcher = subprocess.Popen[bytes]


def kill(session: LocalSession) -> None:
    session.process.kill()
    session.process.wait()


def test_a_killed_sessions_freeze_is_thawed_soon(
    here: Local,
    start: Start,
    watcher: Watcher,  # noqa: ARG001 - it acts by itself
) -> None:
    session = start()
    freeze(session)
    kill(session)
    assert FileWrite(here.mount).ended()
    until(lambda: record_of(here).stat().st_size == 0, "an empty record", seconds=2)


def test_a_watcher_that_starts_later_thaws_at_once(
    here: Local, start: Start, new_watcher: Callable[[], Watcher]
) -> None:
    session = start()
    freeze(session)
    kill(session)
    new_watcher()
    assert FileWrite(here.mount).ended()


def test_a_killed_sessions_freeze_is_thawed_though_another_session_was_refused(
    here: Local, start: Start, new_watcher: Callable[[], Watcher]
) -> None:
    owner = start()
    freeze(owner)
    assert refusal(start())[0] == "HoldBusy"
    kill(owner)
    new_watcher()
    assert FileWrite(here.mount).ended()


def test_a_stopped_sessions_freeze_is_thawed_soon_after_its_deadline(
    here: Local,
    start: Start,
    watcher: Watcher,  # noqa: ARG001 - it acts by itself
) -> None:
    session = start()
    freeze(session, milliseconds=1500)
    frozen_at = time.monotonic()
    session.process.send_signal(signal.SIGSTOP)
    try:
        assert FileWrite(here.mount).ended(4)
        # The window keeps a second between this deadline and the bound of the whole hold.
        assert 1.4 < time.monotonic() - frozen_at < 2.5
    finally:
        session.process.send_signal(signal.SIGCONT)
    assert thaw(session)["thawed"] == [False]


def test_a_session_stopped_while_it_warms_keeps_writers_two_seconds_at_most(
    here: Local,
    start: Start,
    watcher: Watcher,  # noqa: ARG001 - it acts by itself
) -> None:
    session = start()
    event(session, "ready")
    session.send_line("warm")
    event(session, "warm")
    stopped_at = time.monotonic()
    session.process.send_signal(signal.SIGSTOP)
    try:
        assert FileWrite(here.mount).ended(4)
        assert time.monotonic() - stopped_at < 2.5
    finally:
        session.process.send_signal(signal.SIGCONT)


def test_a_freeze_of_somebody_else_after_the_watchers_thaw_is_left_alone(
    here: Local,
    start: Start,
    watcher: Watcher,  # noqa: ARG001 - it acts by itself
) -> None:
    session = start()
    freeze(session, milliseconds=600)
    session.process.send_signal(signal.SIGSTOP)
    try:
        assert FileWrite(here.mount).ended(4)
        assert fsfreeze("--freeze", here.mount).returncode == 0
        assert not FileWrite(here.mount).ended(2.5)
        assert thaw_as_somebody_else(here.mount), "a foreign freeze was thawed"
    finally:
        session.process.send_signal(signal.SIGCONT)


def test_a_living_sessions_freeze_is_left_alone(
    here: Local, start: Start, watcher: Watcher
) -> None:
    session = start()
    freeze(session)
    assert not FileWrite(here.mount).ended(1.5)
    assert watcher.poll() is None
    answer = thaw(session)
    assert (answer["thawed"], answer["writesUnchanged"]) == ([True], [True])


def test_a_termination_of_the_watcher_thaws_also_living_sessions_freezes(
    here: Local, start: Start, watcher: Watcher
) -> None:
    session = start()
    freeze(session)
    watcher.terminate()
    assert FileWrite(here.mount).ended()
    assert watcher.wait(2) == 0
    assert thaw(session)["thawed"] == [False]


def test_a_record_of_another_boot_is_cleared_and_thaws_nothing(
    here: Local, new_watcher: Callable[[], Watcher]
) -> None:
    record = record_of(here)
    record.write_text(json.dumps({"nonce": "n", "boot": "earlier", "deadline": 0}))
    assert fsfreeze("--freeze", here.mount).returncode == 0
    new_watcher()
    until(lambda: record.stat().st_size == 0, "an empty record", seconds=5)
    assert thaw_as_somebody_else(here.mount), "a foreign freeze was thawed"


def test_an_unreadable_record_without_an_owner_thaws_and_is_cleared(
    here: Local, new_watcher: Callable[[], Watcher]
) -> None:
    for garbage in ("{", "[1]", '{"boot": "x", "deadline": "soon"}', "\0" * 100 + "x"):
        record_of(here).write_text(garbage)
        assert fsfreeze("--freeze", here.mount).returncode == 0
        watching = new_watcher()
        assert FileWrite(here.mount).ended()
        until(lambda: record_of(here).stat().st_size == 0, "an empty record", seconds=2)
        watching.terminate()
        watching.wait()


def test_a_freeze_without_a_record_is_somebody_elses(
    here: Local, new_watcher: Callable[[], Watcher]
) -> None:
    assert fsfreeze("--freeze", here.mount).returncode == 0
    watching = new_watcher()
    assert not FileWrite(here.mount).ended(1.2)
    watching.terminate()
    watching.wait()
    assert thaw_as_somebody_else(here.mount)


def test_a_record_whose_volume_is_mounted_nowhere_is_kept_for_later(
    other_mount: Path, here: Local, thawer: Any, new_watcher: Callable[[], Watcher]
) -> None:
    thawer.act()  # its descriptor would keep the volume mounted
    record = record_of(here, other_mount)
    device = run("findmnt", "--noheadings", "--output", "SOURCE", str(other_mount)).strip()
    assert fsfreeze("--freeze", other_mount).returncode == 0
    try:
        record.write_text(json.dumps({"boot": freezer.boot_id(), "deadline": 0}))
        run("umount", str(other_mount))
        new_watcher()
    finally:
        run("mount", device, str(other_mount))
        thawer.arm(other_mount)
    assert FileWrite(other_mount).ended(), "an unmount keeps a freeze, so the record is needed"


def test_something_mounted_over_a_volume_is_not_mistaken_for_it(
    other_mount: Path, here: Local, start: Start, new_watcher: Callable[[], Watcher]
) -> None:
    session = start(other_mount)
    freeze(session)
    run("mount", "--bind", str(here.mount), str(other_mount))
    try:
        assert fsfreeze("--freeze", here.mount).returncode == 0
        kill(session)
        watching = new_watcher()
        assert not FileWrite(here.mount).ended(1.2)
        watching.terminate()
        watching.wait()
        assert thaw_as_somebody_else(here.mount), "a foreign freeze was thawed"
    finally:
        run("umount", str(other_mount))


def test_a_session_and_a_watcher_do_not_disturb_each_other_for_long(
    start: Start,
    watcher: Watcher,  # noqa: ARG001 - it looks all the time
) -> None:
    for _ in range(5):
        session = start()
        event(session, "ready")
        session.close()
