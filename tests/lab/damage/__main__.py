"""`python -m lab.damage [--copies N]`: cut in every way, judge each copy, write the page."""

import multiprocessing
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final

from lab.cluster.errors import LabError
from lab.damage import page
from lab.damage.counting import broken_for_the_database, damaged
from lab.damage.scene import Late, Played, play
from lab.damage.ways import BOTH, COMMANDS, DATABASE, LATE_MILLISECONDS, SCENES
from lab.demo.ledger import Engine

COPIES: Final = 25
_PAGE: Final = Path(__file__).parents[3] / "docs" / "what-a-snapshot-holds.md"


def main() -> int:
    """Write the page; 1 unless it shows what it says."""
    parser = ArgumentParser(prog="python -m lab.damage", description=__doc__)
    parser.add_argument("--copies", type=int, default=COPIES, help="of each recommended way")
    copies = parser.parse_args().copies
    # A process each, since the operator's fork server and the emulator's threads are per process.
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        played = list(pool.map(partial(play, copies=copies), SCENES))
    _PAGE.write_text(page.page(played, LATE_MILLISECONDS))
    print(_PAGE.read_text())
    broken = list(surprises(played))
    print("\n".join(f"NOT AS THE PAGE SAYS: {words}" for words in broken))
    return 1 if broken else 0


def surprises(played: Sequence[Played]) -> Iterator[str]:
    """Name what contradicts the page's own sentences."""
    for one in played:
        yield from (f"{one.scene}: {words}" for words in _surprises_of(one))
    yield from _surprises_of_late_cuts(played[0].late)


def _surprises_of(played: Played) -> Iterator[str]:
    for way, judged in played.held.items():
        if damaged(judged, Engine.INNODB).damaged:
            yield f"InnoDB was damaged, held by {way}"
    for way in (BOTH, COMMANDS):
        if not all(one.proven and one.verdict.clean for one in played.held[way]):
            yield f"a copy held by {way} was not clean, or not proven"
    if any(not one.proven or broken_for_the_database(one) for one in played.held[DATABASE]):
        yield f"a database held by {DATABASE} was not whole, or not proven"


def _surprises_of_late_cuts(late: Late) -> Iterator[str]:
    if not all(one.proven and one.verdict.clean for one in late["Visible", "once it is cut"]):
        yield "Visible did not cover a cut that is listed once it is made"
    for release in ("Accepted", "Visible"):
        if all(one.verdict.clean for one in late[release, "before it is cut"]):
            yield f"{release} covered cuts that it can't know of: the mode shows nothing"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LabError as error:
        sys.exit(str(error))
