"""The bad builds that the campaign must catch, one a guarantee, and the cases that catch them."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from lab.bench.builds import Build


@dataclass(frozen=True, slots=True, kw_only=True)
class Caught:
    """A patch of `tests/broken`, what it takes away, and by which case that shows."""

    build: str
    lacks: str
    guarantee: str
    case: str


CAUGHT = (
    Caught(
        build="one-retried-at-once",
        lacks="the wait until a lost request can no longer act",
        guarantee="One",
        case="window CreateSnapshot: acts 299 s later, unanswered, Delete",
    ),
    Caught(
        build="tracked-let-go-unsettled",
        lacks="the same wait before the finalizer is dropped",
        guarantee="Tracked",
        case="deleted while a request acts 60 s later, Delete",
    ),
    Caught(
        build="bounded-bound-not-passed-on",
        lacks="the user's bound in the window's order",
        guarantee="Bounded",
        case="stopped before effect 15, window CreateSnapshot, Delete",
    ),
    Caught(
        build="ours-tags-not-compared",
        lacks="the look at the tags before a snapshot is deleted",
        guarantee="Ours",
        case="the tags don't stick, Delete",
    ),
    Caught(
        build="ours-wrong-pod",
        lacks="the look at which pod mounts the claims",
        guarantee="Ours",
        case="no fault befalls it, Delete",
    ),
    Caught(
        build="ours-restored-not-looked-for",
        lacks="the last look at all objects before an orphan is deleted",
        guarantee="Ours",
        case="the orphan's object is back after the first of two looks at all objects",
    ),
    Caught(
        build="true-proof-not-asked-for",
        lacks="the proof that the hold covered the cut",
        guarantee="True",
        case="the holds end before CreateSnapshot, Abort",
    ),
    Caught(
        build="converge-failure-not-tried-again",
        lacks="another look after the API server was away",
        guarantee="Converge",
        case="effect 0, GET object: K4 503",
    ),
    Caught(
        build="clear-reason-of-no-list",
        lacks="the closed list of reasons",
        guarantee="Clear",
        case="DeleteSnapshots: InternalError, Delete",
    ),
    Caught(
        build="calm-retried-without-rest",
        lacks="the minute between two attempts that touch writers",
        guarantee="Calm",
        case="lock fails: LockTimeout, once, Abort",
    ),
    Caught(
        build="event-told-twice",
        lacks="the rule that an event is written once",
        guarantee="Calm",
        case="no fault befalls it, Delete",
    ),
    Caught(
        build="isolated-gate-shut-for-all",
        lacks="the difference between one disk's refusal and the region's",
        guarantee="Isolated",
        case="window CreateSnapshot: InvalidDisk.NotSupportSnapshot, Delete",
    ),
)


def run(build: Build, case: str) -> subprocess.CompletedProcess[str]:
    """Run one case on a build, in a process that has that build alone."""
    argv = [sys.executable, "-m", "campaign", case]
    return subprocess.run(
        argv, env=build.environment, capture_output=True, text=True, timeout=120, check=False
    )


def catch(caught: Caught) -> str:
    """Return what the case says of the bad build; raise RuntimeError if it lets it through."""
    with tempfile.TemporaryDirectory(prefix="dsl-") as folder:
        told = run(Build.broken(caught.build, Path(folder)), caught.case)
    beginning = f"  {caught.guarantee}: "
    for line in told.stdout.splitlines():
        if told.returncode and line.startswith(beginning):
            return line.strip()
    raise RuntimeError(f"{caught.build} was not caught: {told.stdout}{told.stderr[-2000:]}")
