"""The guard under dash, busybox and bash: whatever its commands do, writers are let go in time."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from disksnapshot.kube.exec import ExecError
from disksnapshot.window.hold import HoldError
from lab.cluster.waiting import until
from lab.guarding import SHELLS, Guarded, in_each_shell
from lab.holding import children_of, is_zombie

Act = Callable[[Guarded], None]


def sh(script: str) -> list[str]:
    """A command of the user's own which happens to be a shell."""
    return ["sh", "-c", script]


@pytest.fixture
def everywhere(tmp_path: Path) -> Callable[[Act], None]:
    def everywhere(act: Act) -> None:
        in_each_shell(tmp_path, act)

    return everywhere


def alive(pid: int) -> bool:
    try:
        return not is_zombie(pid)
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_line_ends_a_hold_and_the_exit_status_says_that_all_went_well(
    everywhere: Callable[[Act], None],
) -> None:
    def act(guard: Guarded) -> None:
        guard.start(["true"]).say("5")
        assert guard.hear() == "acquired 0"
        assert not guard.released
        guard.say("release")
        assert guard.hear() == "released 0 asked"
        assert guard.exit_code() == 0
        assert guard.released

    everywhere(act)


def test_the_end_of_the_input_ends_a_hold_at_once(everywhere: Callable[[Act], None]) -> None:
    def act(guard: Guarded) -> None:
        guard.start(["true"]).say("30")
        guard.hear()
        guard.end_input()
        assert guard.hear() == "released 0 ended"
        assert guard.released
        assert guard.exit_code() == 1

    everywhere(act)


def test_the_deadline_ends_a_hold_while_the_session_lives_on(
    everywhere: Callable[[Act], None],
) -> None:
    def act(guard: Guarded) -> None:
        guard.start(["true"]).say("2")
        started = time.monotonic()
        guard.hear()
        assert guard.hear() == "released 0 deadline"
        assert 1.9 < time.monotonic() - started < 5
        assert guard.exit_code(0.1) is None
        guard.end_input()
        assert guard.exit_code() == 1

    everywhere(act)


def test_nothing_is_run_when_nothing_was_asked(everywhere: Callable[[Act], None]) -> None:
    def act(guard: Guarded) -> None:
        guard.start(["touch", str(guard.mark("acquired"))]).end_input()
        assert guard.exit_code() == 0
        assert not guard.released
        assert not guard.mark("acquired").exists()

    everywhere(act)


def test_a_failed_acquire_is_told_and_released_at_once(everywhere: Callable[[Act], None]) -> None:
    def act(guard: Guarded) -> None:
        guard.start(sh("echo because >&2; exit 3")).say("9")
        assert guard.hear() == "acquired 3"
        assert guard.hear() == "released 0 failed"
        assert guard.released
        guard.end_input()
        assert guard.exit_code() == 1
        assert guard.session.last_words() == "because"

    everywhere(act)


def test_a_program_that_is_missing_is_a_failed_acquire(everywhere: Callable[[Act], None]) -> None:
    def act(guard: Guarded) -> None:
        guard.start(["no-such-program"]).say("9")
        assert guard.hear() == "acquired 127"
        assert guard.hear() == "released 0 failed"

    everywhere(act)


def test_a_refused_freeze_is_not_thawed(everywhere: Callable[[Act], None]) -> None:
    def act(guard: Guarded) -> None:
        guard.start(["false"], kind="freeze").say("9")
        assert guard.hear() == "acquired 1"
        assert guard.hear() == "released none refused"
        assert not guard.released

    everywhere(act)


def test_a_freeze_that_was_killed_is_thawed(everywhere: Callable[[Act], None]) -> None:
    def act(guard: Guarded) -> None:
        guard.start(sh("kill -KILL $$"), kind="freeze").say("9")
        assert guard.hear() == "acquired 137"
        assert guard.hear() == "released 0 failed"

    everywhere(act)


def test_an_acquire_that_hangs_is_ended_with_all_that_it_started(
    everywhere: Callable[[Act], None],
) -> None:
    def act(guard: Guarded) -> None:
        pid = guard.mark("pid")
        guard.start(sh(f"sleep 60 & echo $! >{pid}; wait")).say("9")
        assert guard.hear(1.8) == "acquired 143"
        assert guard.hear() == "released 0 late"
        until(lambda: not alive(int(pid.read_text())), "its child's end", seconds=10)

    everywhere(act)


def test_an_acquire_that_ignores_termination_is_killed(everywhere: Callable[[Act], None]) -> None:
    def act(guard: Guarded) -> None:
        guard.start(sh("trap '' TERM; while :; do sleep 1; done")).say("9")
        assert guard.hear(3) == "acquired 137"
        assert guard.hear() == "released 0 late"

    everywhere(act)


def test_an_acquire_still_at_it_at_the_deadline_is_killed_at_once(
    everywhere: Callable[[Act], None],
) -> None:
    def act(guard: Guarded) -> None:
        guard.start(sh("trap '' TERM; while :; do sleep 1; done"), seconds=5).say("1")
        assert guard.hear(1.5) == "acquired 137"
        assert guard.hear() == "released 0 deadline"

    everywhere(act)


def test_an_acquire_still_at_it_when_the_input_ends_is_ended(
    everywhere: Callable[[Act], None],
) -> None:
    def act(guard: Guarded) -> None:
        guard.start(sh(f"touch {guard.mark('begun')}; sleep 60"), seconds=20).say("30")
        until(guard.mark("begun").exists, "acquire runs", seconds=5)
        guard.end_input()
        assert guard.hear() == "acquired 143"
        assert guard.hear() == "released 0 ended"

    everywhere(act)


def test_an_acquire_that_prints_a_gigabyte_neither_blocks_nor_is_kept(
    everywhere: Callable[[Act], None],
) -> None:
    def act(guard: Guarded) -> None:
        flood = "head -c 1073741824 /dev/zero; echo; echo the end; exit 1"
        guard.start(sh(flood), seconds=20).say("30")
        assert guard.hear(20) == "acquired 1"
        assert guard.hear() == "released 0 failed"
        guard.end_input()
        guard.exit_code()
        assert guard.session.last_words().endswith("the end")
        assert guard.session.error_bytes <= 4096

    everywhere(act)


def test_what_acquire_prints_can_not_pass_for_the_guards_own_words(
    everywhere: Callable[[Act], None],
) -> None:
    def act(guard: Guarded) -> None:
        lies = "echo acquired 0; echo released 0 asked; printf '\\377\\0'; exit 7"
        guard.start(sh(lies)).say("9")
        assert guard.hear() == "acquired 7"

    everywhere(act)


def test_the_words_of_a_command_are_never_read_by_a_shell(
    everywhere: Callable[[Act], None],
) -> None:
    def act(guard: Guarded) -> None:
        words = ["$(touch oops)", "a  b", "", "*", "'\"\\", ";", "-n", "ü\n"]
        seen = guard.mark("seen")
        guard.start(
            [
                "python3",
                "-c",
                f"import sys; open({str(seen)!r}, 'w').write(ascii(sys.argv[1:]))",
                *words,
            ]
        )
        guard.say("9")
        assert guard.hear() == "acquired 0"
        assert seen.read_text() == ascii(words)

    everywhere(act)


def test_a_word_that_names_something_of_the_shell_is_a_program_all_the_same(
    everywhere: Callable[[Act], None],
) -> None:
    def act(guard: Guarded) -> None:
        guard.start(["let_go"]).say("9")
        assert guard.hear() == "acquired 127"

    everywhere(act)


def test_an_acquire_that_closes_everything_is_still_watched(
    everywhere: Callable[[Act], None],
) -> None:
    def act(guard: Guarded) -> None:
        guard.start(sh("exec 0<&- 1>&- 2>&-; exec sleep 60")).say("9")
        assert guard.hear(1.8) == "acquired 143"
        assert guard.hear() == "released 0 late"

    everywhere(act)


def test_acquire_can_not_take_the_line_that_is_for_the_guard(
    everywhere: Callable[[Act], None],
) -> None:
    def act(guard: Guarded) -> None:
        guard.start(["cat"]).say("9")
        assert guard.hear() == "acquired 0"
        guard.say("release")
        assert guard.hear() == "released 0 asked"

    everywhere(act)


def test_what_acquire_leaves_running_holds_until_release_and_not_after(
    everywhere: Callable[[Act], None],
) -> None:
    def act(guard: Guarded) -> None:
        pid = guard.mark("pid")
        guard.start(sh(f"sleep 60 & echo $! >{pid}")).say("9")
        assert guard.hear() == "acquired 0"
        assert alive(int(pid.read_text()))
        guard.say("release")
        assert guard.hear() == "released 0 asked"
        assert guard.exit_code() == 0
        until(lambda: not alive(int(pid.read_text())), "its end", seconds=10)

    everywhere(act)


def test_a_release_that_fails_is_told(everywhere: Callable[[Act], None]) -> None:
    def act(guard: Guarded) -> None:
        guard.start(["true"], ["false"]).say("9")
        guard.hear()
        guard.say("release")
        assert guard.hear() == "released 1 asked"
        assert guard.exit_code() == 1

    everywhere(act)


def test_a_release_that_hangs_is_ended_in_its_time(everywhere: Callable[[Act], None]) -> None:
    def act(guard: Guarded) -> None:
        guard.start(["true"], sh("trap '' TERM; while :; do sleep 1; done")).say("9")
        guard.hear()
        guard.say("release")
        assert guard.hear(1.5) == "released 137 asked"
        assert guard.exit_code() == 1

    everywhere(act)


@pytest.mark.parametrize("which", range(3), ids=["events", "decide", "let_go"])
def test_a_guard_that_loses_one_of_its_processes_still_lets_go(
    everywhere: Callable[[Act], None], which: int
) -> None:
    def act(guard: Guarded) -> None:
        guard.start(["true"]).say("2")
        guard.hear()
        process = children_of(guard.session.process.pid)[which]
        os.kill(process, signal.SIGKILL)
        until(lambda: guard.released, "a release", seconds=3)
        guard.end_input()
        assert guard.exit_code() != 0

    everywhere(act)


def test_a_guard_whose_first_process_is_killed_lets_go_by_the_deadline(
    everywhere: Callable[[Act], None],
) -> None:
    def act(guard: Guarded) -> None:
        guard.start(["true"]).say("2")
        guard.hear()
        guard.session.process.kill()
        until(lambda: guard.released, "a release", seconds=3)

    everywhere(act)


def test_a_guard_that_is_told_to_end_lets_go_first(everywhere: Callable[[Act], None]) -> None:
    def act(guard: Guarded) -> None:
        guard.start(["true"]).say("30")
        guard.hear()
        for process in children_of(guard.session.process.pid):
            os.kill(process, signal.SIGTERM)
        until(lambda: guard.released, "a release", seconds=3)

    everywhere(act)


def test_a_guard_without_sleep_refuses_before_it_runs_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "dash").symlink_to("/bin/dash")
    guard = Guarded(tmp_path / "dash-alone", ("dash",))
    with pytest.raises(HoldError) as refused:
        guard.start(["true"])
    assert refused.value.reason == "NoShell"


def test_a_program_kill_is_never_given_the_number_of_a_process_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # That of procps takes -1234 for -1, which is every process there is.
    given = tmp_path / "given"
    program = tmp_path / "bin" / "kill"
    program.parent.mkdir()
    program.write_text(
        f"""#!/bin/sh
echo "$*" >>{given}
for word in "$@"; do last=$word; done
case $last in -*) exit 1 ;; esac
kill "$@"
"""
    )
    program.chmod(0o755)
    without_builtin = tmp_path / "without-builtin"
    without_builtin.write_text("enable -n kill")
    monkeypatch.setenv("BASH_ENV", str(without_builtin))
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/sbin:/usr/bin:/sbin:/bin")
    guard = Guarded(tmp_path / "alone", ("bash",)).start(sh("trap '' TERM; sleep 3"))
    guard.say("9")
    assert guard.hear(3) == "acquired 137"
    assert guard.hear() == "released 0 late"
    guard.close()
    words = [line.split()[-1] for line in given.read_text().splitlines()]
    assert len(words) >= 2
    assert all(word.isdecimal() for word in words), words


# Release, or whatever runs beside it, starts a process that gets the number which acquire had.
TAKES_ITS_NUMBER = """
wanted=$(cat {folder}/number)
for try in 1 2 3 4 5 6 7 8 9 10; do
    echo $((wanted - 1)) >/proc/sys/kernel/ns_last_pid
    {start} sleep 5 &
    [ $! = "$wanted" ] && exit 0
done
exit 1
"""
# The guard in a container of its own, of which the first process tells how that process fared.
IN_A_CONTAINER = """
"$@"
grep -q "^State:.[RSD]" "/proc/$(cat {folder}/number)/status" && touch {folder}/spared
"""


@pytest.mark.parametrize("start", ["", "setsid"], ids=["a process", "the leader of a group"])
@pytest.mark.parametrize("shell", SHELLS)
def test_a_process_that_has_got_the_number_of_an_ended_acquire_is_spared(
    tmp_path: Path, shell: str, start: str
) -> None:
    folder = tmp_path / "guard"
    apart = ("unshare", "--pid", "--fork", "--mount-proc")
    first = ("sh", "-c", IN_A_CONTAINER.format(folder=folder), "first", *SHELLS[shell])
    guard = Guarded(folder, (*apart, *first))
    takes = sh(TAKES_ITS_NUMBER.format(folder=folder, start=start))
    guard.start(sh(f"echo $$ >{folder}/number"), takes, seconds=3).say("9")
    assert guard.hear() == "acquired 0"
    guard.say("release")
    assert guard.hear() == "released 0 asked"
    guard.exit_code()
    guard.close()
    assert guard.mark("spared").exists()


def test_a_guard_leaves_no_process_behind(everywhere: Callable[[Act], None]) -> None:
    def act(guard: Guarded) -> None:
        guard.start(["true"], seconds=3).say("30")
        guard.hear()
        family = _descendants(guard.session.process.pid)
        assert len(family) >= 6
        guard.say("release")
        guard.hear()
        assert guard.exit_code() == 0
        assert not [pid for pid in family if alive(pid)]
        with pytest.raises(ExecError):
            guard.hear(0.1)

    everywhere(act)


def _descendants(pid: int) -> list[int]:
    try:
        below = children_of(pid)
    except (FileNotFoundError, ProcessLookupError):
        return []  # it has just ended
    return below + [far for child in below for far in _descendants(child)]
