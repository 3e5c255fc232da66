"""`python -m lab.deaths run [KEY...]` brings deaths about; `page` writes what came of all of them.

`storm [SEED]` kills at random moments; with the seed of another storm it strikes in its order.

Each row is kept in the lab's cache, so that one death can be had again without the others.
"""

import secrets
import sys
from argparse import ArgumentParser
from pathlib import Path

from lab.cluster import Lab
from lab.cluster.errors import LabError
from lab.deaths import page, storm
from lab.deaths.catalogue import DEATHS, Death
from lab.deaths.dying import die
from lab.deaths.rows import Row, kept
from lab.deaths.scene import played, staged
from lab.layout import Layout

_PAGE = Path(__file__).parents[3] / "docs" / "deaths.md"


def run(lab: Lab, deaths: list[Death]) -> list[Row]:
    """Bring the deaths about one after the other, each with writers of its own."""
    rows = kept(lab.layout)
    with staged(lab) as (first, server):
        database = first
        for death in deaths:
            with played(lab, database, server, files=death.database_lives) as scene:
                outcome = die(scene, death)
            database = outcome.database
            rows.keep(Row.of(outcome))
            print(Row.of(outcome).words, flush=True)
    return [rows.of(death.key) for death in deaths]


def rage(lab: Lab, seed: int) -> storm.Storm:
    """Kill at random moments while snapshots are taken."""
    print(f"seed {seed}", flush=True)
    with staged(lab) as (database, server), played(lab, database, server) as scene:
        done = storm.rage(scene, seed)
    storm.kept(lab.layout).keep(done)
    print(done.words, flush=True)
    return done


def main() -> int:
    """Do what the command line says; 1 if a death broke a promise."""
    parser = ArgumentParser(prog="python -m lab.deaths", description=__doc__)
    parser.add_argument("command", choices=("run", "storm", "page"))
    parser.add_argument("keys", nargs="*", metavar="KEY")
    options = parser.parse_args()
    if options.command == "storm":
        seed = int(options.keys[0]) if options.keys else secrets.randbelow(1_000_000)
        return 1 if rage(Lab.running(), seed).broken else 0
    wanted = [d for d in DEATHS if not options.keys or d.key in options.keys]
    if options.command == "run":
        rows = run(Lab.running(), wanted)
    else:
        layout = Layout.from_environment()
        rows = [kept(layout).of(death.key) for death in DEATHS]
        _PAGE.write_text(page.page(rows, storm.kept(layout).of("storm")))
    return 1 if any(row.broken for row in rows) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LabError as error:
        sys.exit(str(error))
