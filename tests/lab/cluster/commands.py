"""Run a program to its end and turn its failure into one sentence."""

import os
import subprocess
from collections.abc import Mapping

from lab.cluster.errors import LabError

_TAIL_CHARACTERS = 600


def run(
    *argv: str,
    stdin: str | None = None,
    check: bool = True,
    seconds: float = 120,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Return what the program printed; with `check`, fail unless it exits 0."""
    try:
        done = subprocess.run(
            argv,
            input=stdin,
            stdin=None if stdin is not None else subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            env={**os.environ, **(environment or {})},
            check=False,
        )
    except FileNotFoundError as error:
        raise LabError(f"The program {argv[0]} is missing.") from error
    except subprocess.TimeoutExpired as error:
        raise LabError(f"`{' '.join(argv)}` did not end in {seconds:.0f} seconds.") from error
    if check and done.returncode:
        words = (done.stderr.strip() or done.stdout.strip())[-_TAIL_CHARACTERS:]
        raise LabError(f"`{' '.join(argv)}` exited {done.returncode}: {words}")
    return done.stdout


def succeeds(*argv: str) -> bool:
    """Say whether the program exists and exits 0."""
    try:
        run(*argv)
    except LabError:
        return False
    return True
