"""Before it changes anything, the lab says in one sentence what the machine lacks."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.cluster import Lab
from lab.layout import TESTS


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Path]:
    mounted = tmp_path / "tiny"
    mounted.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tiny", str(mounted)], check=True)
    yield mounted
    subprocess.run(["umount", str(mounted)], check=True)


def _check(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lab", "check"],
        env={**os.environ, "PYTHONPATH": str(TESTS), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_machine_that_runs_these_tests_can_run_the_lab() -> None:
    done = _check()

    assert (done.returncode, done.stdout) == (0, "This machine can run the lab.\n")


def test_a_bare_machine_without_iptables_can_run_the_lab(tmp_path: Path) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    for folder in reversed(os.environ["PATH"].split(os.pathsep)):
        for program in Path(folder).glob("*"):
            if "tables" not in program.name:
                (programs / program.name).unlink(missing_ok=True)
                (programs / program.name).symlink_to(program)

    done = _check(PATH=str(programs), DISKSNAPSHOT_LAB_STATE=str(tmp_path / "state"))

    assert (done.returncode, done.stdout) == (0, "This machine can run the lab.\n")


def test_too_little_space_is_named_with_the_folder_and_both_figures(tiny: Path) -> None:
    done = _check(DISKSNAPSHOT_LAB_STATE=str(tiny / "state"))

    assert done.returncode == 1
    assert f"3 GiB free for {tiny}/state (there are 0.0)" in done.stdout
    assert done.stdout.count("\n") == 1


def test_a_go_proxy_out_of_reach_is_named_when_programs_must_be_built(tmp_path: Path) -> None:
    # Port 9 (discard) on the loopback: nothing listens there.
    done = _check(DISKSNAPSHOT_LAB_CACHE=str(tmp_path), GOPROXY="http://127.0.0.1:9")

    assert done.returncode == 1
    assert "the Go module proxy" in done.stdout


def test_nothing_is_asked_of_the_go_proxy_when_the_programs_are_there() -> None:
    assert _check(GOPROXY="http://127.0.0.1:9").returncode == 0


def test_another_kubernetes_on_this_machine_is_refused(lab: Lab, tmp_path: Path) -> None:
    # For a lab with another state folder, this one is just such a Kubernetes.
    assert lab.state != tmp_path
    done = _check(DISKSNAPSHOT_LAB_STATE=str(tmp_path))

    assert done.returncode == 1
    assert "a machine that is no Kubernetes node" in done.stdout
