"""A campaign that lets a bad build through is not to be trusted: each must be caught, by name."""

import subprocess
import sys
from pathlib import Path

import pytest

from campaign.builds import CAUGHT, Caught
from campaign.oracles import GUARANTEES
from lab.bench.builds import Build


@pytest.mark.parametrize("caught", CAUGHT, ids=lambda caught: caught.build)
def test_a_bad_build_breaks_its_guarantee_in_its_case(tmp_path: Path, caught: Caught) -> None:
    told = _run(Build.broken(caught.build, tmp_path), caught.case)
    assert told.returncode == 1, told.stdout + told.stderr
    assert f"{caught.case}:\n" in told.stdout
    assert f"  {caught.guarantee}: " in told.stdout


@pytest.mark.parametrize("case", sorted({caught.case for caught in CAUGHT}))
def test_the_true_build_passes_the_same_case(case: str) -> None:
    told = _run(Build.true(), case)
    assert told.returncode == 0, told.stdout + told.stderr


def test_each_guarantee_has_a_bad_build() -> None:
    assert {caught.guarantee for caught in CAUGHT} == set(GUARANTEES)


def _run(build: Build, case: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "campaign", case]
    return subprocess.run(
        argv, env=build.environment, capture_output=True, text=True, timeout=120, check=False
    )
