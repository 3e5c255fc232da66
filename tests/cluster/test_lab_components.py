"""A part of the lab outlives its starter, and only it is ever signalled."""

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.cluster import LabError
from lab.cluster.components import Component
from lab.cluster.waiting import until

_STUBBORN = "trap '' TERM; while :; do sleep 0.1; done"


def _component(folder: Path, *argv: str) -> Component:
    return Component(
        name="part", argv=argv, run=folder / "run", logs=folder / "logs", ready=lambda: True
    )


@pytest.fixture
def part(tmp_path: Path) -> Iterator[Component]:
    component = _component(tmp_path, "sleep", "1000")
    component.start()
    yield component
    component.kill()


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "1000"]) as process:
        yield process
        process.kill()


def test_a_component_holds_no_lock_of_the_command_that_started_it(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        os.set_inheritable(lock.fileno(), True)
        component = _component(tmp_path, "sleep", "1000")
        component.start()
    try:
        with (tmp_path / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        component.kill()


def test_a_component_outlives_the_command_that_started_it(tmp_path: Path) -> None:
    script = (
        "from pathlib import Path\n"
        "from lab.cluster.components import Component\n"
        f"folder = Path({str(tmp_path)!r})\n"
        "Component(name='part', argv=('sleep', '1000'), run=folder / 'run',\n"
        "          logs=folder / 'logs', ready=lambda: True).start()\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)

    found = _component(tmp_path, "sleep", "1000")

    assert found.alive
    found.stop()
    assert not found.alive


def test_starting_what_runs_leaves_it_running(part: Component) -> None:
    before = part.pid

    part.start()

    assert part.pid == before


def test_other_flags_restart_a_component(part: Component, tmp_path: Path) -> None:
    before = part.pid
    changed = _component(tmp_path, "sleep", "2000")

    changed.start()

    assert changed.pid != before


def test_stop_never_touches_a_process_that_got_the_pid_of_a_dead_component(
    part: Component, bystander: subprocess.Popen[bytes]
) -> None:
    recorded = part.pid_file.read_text().replace(f"\n{part.pid} ", f"\n{bystander.pid} ")
    part.kill()
    part.pid_file.write_text(recorded)

    part.stop()

    assert bystander.poll() is None


def test_a_component_that_ends_at_once_is_reported_with_its_last_words(tmp_path: Path) -> None:
    failing = Component(
        name="part",
        argv=("sh", "-c", "echo the disk is missing; exit 1"),
        run=tmp_path / "run",
        logs=tmp_path / "logs",
        ready=lambda: False,
    )

    with pytest.raises(LabError, match="the disk is missing"):
        failing.start()


def test_a_component_that_ignores_being_asked_is_killed(tmp_path: Path) -> None:
    stubborn = _component(tmp_path, "sh", "-c", _STUBBORN)
    stubborn.start()

    stubborn.stop(seconds=0.2)

    assert not stubborn.alive


def test_a_paused_component_stands_still_until_it_is_resumed(tmp_path: Path) -> None:
    beats = tmp_path / "beats"
    beating = _component(tmp_path, "sh", "-c", f"while :; do echo >>{beats}; sleep 0.01; done")
    beating.start()
    until(beats.exists, "the first beat", seconds=30)

    beating.pause()
    until(lambda: _state_of(beating) == "T", "the pause", seconds=30)
    count = len(beats.read_text())
    time.sleep(0.2)  # twenty beats, were it not paused
    assert len(beats.read_text()) == count
    beating.resume()

    until(lambda: len(beats.read_text()) > count, "another beat", seconds=30)
    beating.kill()


def test_starting_a_paused_component_resumes_it(part: Component) -> None:
    part.pause()
    until(lambda: _state_of(part) == "T", "the pause", seconds=30)

    part.start()

    until(lambda: _state_of(part) == "S", "the resumption", seconds=30)


def _state_of(component: Component) -> str:
    return Path(f"/proc/{component.pid}/stat").read_text().rpartition(")")[2].split()[0]
