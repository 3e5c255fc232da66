"""A window that holds by commands: the example's lock, and fsfreeze, under guards."""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from disksnapshot.window.clock import HoldClock, Timeline
from disksnapshot.window.command import CommandHold
from disksnapshot.window.fsfreeze import FsfreezeHold
from disksnapshot.window.hold import AnyOrder, Facts, HoldError, Order, Ready, Refusal, StepFacts
from disksnapshot.window.launch import WindowProcess
from lab.cluster.waiting import until
from lab.commanding import commands, freeze_by_command, lock_by_command
from lab.freezing import fsfreeze
from lab.guarding import SHELLS
from lab.holding import Holding, assert_free, capture, children_of, opened
from lab.local import Local
from lab.program import LocalProgram
from lab.writing import FileWrite, Writer

SHORT_HOLD = 6


def holding_by(here: Local, *steps: AnyOrder, max_hold_seconds: int = 10) -> Order:
    order = here.order(mysql=False, freeze=False, max_hold_seconds=max_hold_seconds)
    return replace(order, steps=steps)


def by_commands(here: Local, folder: Path, max_hold_seconds: int = 10) -> Order:
    return holding_by(
        here,
        lock_by_command(here, folder),
        freeze_by_command(here.mount),
        max_hold_seconds=max_hold_seconds,
    )


@pytest.fixture(autouse=True)
def _nobody_holds(here: Local) -> Iterator[None]:
    yield
    until(lambda: not named_lock(here), "an end of the command's lock", seconds=12)


def named_lock(here: Local) -> object:
    with here.database.connect() as session, session.cursor() as cursor:
        cursor.execute("SELECT IS_USED_LOCK('snapshot')")
        [owner] = cursor.fetchone() or (None,)
        return owner


def step_of(facts: Facts, kind: str) -> StepFacts:
    return next(step for step in facts.steps if step.kind == kind)


def refused(order: Order) -> Refusal:
    with WindowProcess(order) as window:
        answer = window.ready(20)
    assert isinstance(answer, Refusal)
    return answer


def test_a_cut_held_by_commands_alone_is_proven_and_all_is_free_afterwards(
    here: Local, writer: Writer, tmp_path: Path
) -> None:
    here.control.settings(replyDelayMilliseconds=300)
    facts = capture(here, by_commands(here, tmp_path))
    assert facts.proven, facts.steps
    writer.seconds_until_acknowledged(after=facts.times["0-exec released"])
    assert writer.made_between(facts.times["frozen"], facts.times["thawed"]) == []
    assert FileWrite(here.mount).ended()


def test_the_moments_of_commands_come_in_the_order_of_a_hold(here: Local, tmp_path: Path) -> None:
    names = ["ready", "lockSent", "0-exec sent", "0-exec held", "frozen", "cutSent", "reply"]
    names += ["visible", "thawed", "0-exec released"]
    times = capture(here, by_commands(here, tmp_path)).times
    assert sorted(times, key=lambda name: times[name]) == names


def test_the_examples_position_is_the_binlogs_size_in_the_hold(
    here: Local, tmp_path: Path
) -> None:
    assert capture(here, by_commands(here, tmp_path)).proven
    file, size, *_ = (tmp_path / "position").read_text().split()
    assert (here.database.datadir / file).stat().st_size == int(size)


def test_a_failed_command_holds_nothing_and_its_output_goes_nowhere(
    here: Local, tmp_path: Path
) -> None:
    acquire = ["sh", "-c", "echo a-secret; echo a-secret >&2; exit 3"]
    released = tmp_path / "released"
    order = holding_by(here, commands(acquire, ["touch", str(released)]))
    facts = capture(here, order)
    assert facts.refusal == Refusal(
        reason="CommandFailed",
        message="sh ended with status 3 in container db of pod orders",
    )
    assert released.exists()
    assert here.control.snapshots() == []
    assert "a-secret" not in repr(facts)


def test_a_release_that_fails_is_not_proven(here: Local) -> None:
    facts = capture(here, holding_by(here, commands(["true"], ["false"])))
    assert facts.disks[0].snapshot_id
    assert not facts.proven
    assert step_of(facts, "exec").reason == (
        "release ended with status 1 in container db of pod orders"
    )


def test_a_lock_that_was_lost_in_the_hold_is_not_proven(
    here: Local, tmp_path: Path, pool: ThreadPoolExecutor
) -> None:
    here.control.settings(visibilityDelayMilliseconds=2000)
    with opened(holding_by(here, lock_by_command(here, tmp_path))) as window:
        answer = Holding(here, window, pool).until_cut(here.go())
        with here.database.connect() as session, session.cursor() as cursor:
            cursor.execute(f"KILL {named_lock(here)}")
        facts = answer.result()
    assert isinstance(facts, Facts)
    assert not facts.proven
    assert "release ended" in step_of(facts, "exec").reason


@pytest.mark.usefixtures("hidden")
def test_a_window_killed_while_commands_hold_frees_writers_at_once(
    here: Local, writer: Writer, tmp_path: Path, pool: ThreadPoolExecutor
) -> None:
    with opened(by_commands(here, tmp_path)) as window:
        holding = Holding(here, window, pool)
        answer = holding.until_cut(here.go())
        assert not FileWrite(here.mount).ended(0.2)
        os.kill(holding.pid, signal.SIGKILL)
        assert_free(here, writer, time.time_ns())
        assert answer.result() is None


@pytest.mark.usefixtures("hidden")
def test_a_window_stopped_while_commands_hold_frees_writers_by_the_bound(
    here: Local, writer: Writer, tmp_path: Path, pool: ThreadPoolExecutor
) -> None:
    with opened(by_commands(here, tmp_path, SHORT_HOLD)) as window:
        holding = Holding(here, window, pool)
        answer = holding.until_cut(here.go())
        os.kill(holding.pid, signal.SIGSTOP)
        stopped_at = time.time_ns()
        try:
            first = writer.seconds_until_acknowledged(after=stopped_at)
            assert stopped_at / 1e9 + first - holding.sent_at / 1e9 < SHORT_HOLD
            assert FileWrite(here.mount).ended()
        finally:
            os.kill(holding.pid, signal.SIGCONT)
        facts = answer.result()
    assert isinstance(facts, Facts)
    assert not facts.proven
    assert not any(step.proven for step in facts.steps)


@pytest.mark.usefixtures("hidden")
def test_a_window_killed_while_a_command_takes_its_time_leaves_nothing_held(
    here: Local, writer: Writer, tmp_path: Path, pool: ThreadPoolExecutor
) -> None:
    begun = tmp_path / "begun"
    slow = commands(["sh", "-c", f"touch {begun}; sleep 30"], ["true"], seconds=3)
    with opened(holding_by(here, slow)) as window:
        answer = pool.submit(window.go, here.go(), 20)
        until(begun.exists, "a command that runs", seconds=5)
        assert window.pid
        os.kill(window.pid, signal.SIGKILL)
        assert_free(here, writer, time.time_ns())
        assert answer.result() is None
    assert here.control.snapshots() == []


def test_a_window_stopped_while_a_command_takes_its_time_leaves_nothing_held(
    here: Local, tmp_path: Path, pool: ThreadPoolExecutor
) -> None:
    begun, released = tmp_path / "begun", tmp_path / "released"
    acquire = ["sh", "-c", f"touch {begun}; sleep 30"]
    slow = commands(acquire, ["touch", str(released)], seconds=2)
    with opened(holding_by(here, slow)) as window:
        answer = pool.submit(window.go, here.go(), 20)
        until(begun.exists, "a command that runs", seconds=5)
        assert window.pid
        os.kill(window.pid, signal.SIGSTOP)
        try:
            until(released.exists, "a release by the guard alone", seconds=4)
        finally:
            os.kill(window.pid, signal.SIGCONT)
        facts = answer.result()
    assert isinstance(facts, Facts)
    assert facts.refusal
    assert facts.refusal.reason == "CommandFailed"
    assert here.control.snapshots() == []


@pytest.mark.usefixtures("hidden")
def test_guards_that_lose_a_process_in_the_hold_end_it_and_its_proof(
    here: Local, writer: Writer, tmp_path: Path, pool: ThreadPoolExecutor
) -> None:
    with opened(by_commands(here, tmp_path)) as window:
        holding = Holding(here, window, pool)
        answer = holding.until_cut(here.go())
        for guard in holding.programs():
            _, decide, _ = children_of(guard)
            os.kill(decide, signal.SIGKILL)
        assert_free(here, writer, time.time_ns())
        facts = answer.result()
    assert isinstance(facts, Facts)
    assert not facts.cut_while_held
    assert not facts.proven


def test_a_freeze_by_fsfreeze_alone_is_proven(here: Local, writer: Writer) -> None:
    facts = capture(here, holding_by(here, freeze_by_command(here.mount)))
    assert facts.proven
    assert writer.made_between(facts.times["frozen"], facts.times["thawed"]) == []


@pytest.mark.parametrize("shell", SHELLS)
def test_a_freeze_by_fsfreeze_is_proven_under_each_shell(here: Local, shell: str) -> None:
    clock = HoldClock(5, Timeline())
    with closing(FsfreezeHold(freeze_by_command(here.mount, shell=SHELLS[shell]))) as hold:
        hold.ready(time.monotonic() + 10)
        hold.acquire(clock)
        write = FileWrite(here.mount)
        assert not write.ended(0.2)
        hold.release(clock)
    assert hold.facts.proven, hold.facts.reason
    assert write.ended()


def test_a_lock_of_ours_goes_with_a_freeze_by_fsfreeze(here: Local) -> None:
    order = here.order(freeze=False)
    facts = capture(here, replace(order, steps=(*order.steps, freeze_by_command(here.mount))))
    assert facts.proven


def test_two_file_systems_are_frozen_by_a_guard_each(here: Local, other_mount: Path) -> None:
    facts = capture(here, holding_by(here, freeze_by_command(here.mount, other_mount)))
    assert facts.proven
    assert FileWrite(other_mount).ended()


@pytest.mark.usefixtures("hidden")
def test_a_thaw_by_somebody_else_is_seen_by_fsfreezes_own_status(
    here: Local, pool: ThreadPoolExecutor
) -> None:
    order = holding_by(here, freeze_by_command(here.mount), max_hold_seconds=SHORT_HOLD)
    with opened(order) as window:
        answer = Holding(here, window, pool).until_cut(here.go())
        assert fsfreeze("--unfreeze", here.mount).returncode == 0
        facts = answer.result()
    assert isinstance(facts, Facts)
    assert not facts.proven
    assert "status 1" in step_of(facts, "freeze").reason


def test_somebody_elses_freeze_is_refused_and_not_thawed(here: Local) -> None:
    assert fsfreeze("--freeze", here.mount).returncode == 0
    try:
        refusal = refused(holding_by(here, freeze_by_command(here.mount)))
        assert not FileWrite(here.mount).ended(0.2)
    finally:
        assert fsfreeze("--unfreeze", here.mount).returncode == 0
    assert refusal.reason == "FreezeRefused"
    assert "busy" in refusal.message


@pytest.mark.parametrize(
    ("path", "why"),
    [("/", "own root"), ("/proc", "isn't on a disk"), ("/etc", "isn't mounted there")],
)
def test_what_is_no_volume_of_its_own_is_never_frozen(here: Local, path: str, why: str) -> None:
    refusal = refused(holding_by(here, freeze_by_command(Path(path))))
    assert refusal.reason == "FreezeRefused"
    assert why in refusal.message


def test_a_guard_says_ready_before_anything_is_run(here: Local, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    with WindowProcess(holding_by(here, commands(["touch", str(ran)], ["true"]))) as window:
        assert window.ready(20) == Ready()
        assert not ran.exists()
    assert not ran.exists()


@pytest.fixture
def bare_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with a shell and little more, as in a small image."""
    for program in ("sh", "sleep", "sync"):
        (tmp_path / program).symlink_to(Path("/bin", program))
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


@pytest.mark.usefixtures("bare_path")
def test_a_container_without_fsfreeze_is_told_before_anything_is_tried(here: Local) -> None:
    with closing(FsfreezeHold(freeze_by_command(here.mount))) as hold:
        assert refusal_of(hold) == "NoFsfreeze"


@pytest.mark.usefixtures("bare_path")
def test_a_container_without_setsid_and_tail_holds_all_the_same() -> None:
    clock = HoldClock(5, Timeline())
    with closing(CommandHold(commands(["sh", "-c", "echo words"], ["sleep", "0"]))) as hold:
        hold.ready(time.monotonic() + 10)
        hold.acquire(clock)
        hold.release(clock)
    assert hold.facts.proven, hold.facts.reason


def test_a_container_without_a_shell_is_told_as_such() -> None:
    order = commands(["true"], ["true"])
    [target] = order.targets
    nowhere = replace(target, program=LocalProgram(("false",)))
    with closing(CommandHold(replace(order, targets=(nowhere,)))) as hold:
        assert refusal_of(hold) == "NoShell"


def test_commands_without_time_left_are_not_begun(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    clock = HoldClock(5, Timeline())
    clock.sent()
    clock.guarded(0.9)
    with closing(CommandHold(commands(["touch", str(ran)], ["true"], seconds=3))) as hold:
        hold.ready(time.monotonic() + 10)
        with pytest.raises(HoldError) as refusal:
            hold.acquire(clock)
        hold.release(clock)
    assert refusal.value.reason == "LockTimeout"
    assert not ran.exists()


def refusal_of(hold: FsfreezeHold | CommandHold) -> str:
    with pytest.raises(HoldError) as refusal:
        hold.ready(time.monotonic() + 10)
    return refusal.value.reason
