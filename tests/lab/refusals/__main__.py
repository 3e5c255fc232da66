"""`python -m lab.refusals run [KEY...]` gives bad input to the cluster; `page` writes what came.

`reasons` writes the page of reasons anew, with what the page of refusals shows.

Each row is kept in the lab's cache, so that one case can be had again without the others.
"""

import sys
from argparse import ArgumentParser
from collections.abc import Collection
from dataclasses import replace
from itertools import chain
from pathlib import Path

from disksnapshot import reasons
from lab.cluster import Lab
from lab.cluster.errors import LabError
from lab.layout import Layout
from lab.refusals import page, seen
from lab.refusals import rows as kept_rows
from lab.refusals.catalogue import CASES, GROUPS
from lab.refusals.denials import DENIALS, RIGHTS, RULES
from lab.refusals.denying import deny
from lab.refusals.refusing import refuse
from lab.refusals.rows import Row
from lab.refusals.scene import staged

_DOCS = Path(__file__).parents[3] / "docs"
_PAGE, _REASONS = _DOCS / "refusals.md", _DOCS / "reasons.md"


def run(lab: Lab, keys: Collection[str]) -> list[Row]:
    """Give the input of these keys, or all there is, and keep what came of it."""
    cases = [case for case in CASES if not keys or case.key in keys]
    denials = [denial for denial in DENIALS if not keys or denial.key in keys]
    known = {case.key for case in CASES} | {denial.key for denial in DENIALS}
    if set(keys) - known:
        raise LabError(f"The catalogue doesn't have all of {', '.join(keys)}.")
    kept, rows = kept_rows.kept(lab.layout), []
    with staged(lab) as scene:
        for row in chain(deny(scene, denials), refuse(scene, cases)):
            # At once: a run that is cut off has shown what it had.
            kept.keep(row)
            rows.append(row)
            print(row.words, flush=True)
    return rows


def write() -> list[Row]:
    """Write the page from the rows that are kept."""
    rows = kept_rows.kept(Layout.from_environment())
    # What was seen is held to what the catalogue says now.
    refused = {
        title: [replace(rows.of(case.key), says=case.says) for case in group]
        for title, group in GROUPS.items()
    }
    denied = {
        "Refused by the API server: the definition": [rows.of(one.key) for one in RULES],
        "Refused by the API server: rights": [rows.of(one.key) for one in RIGHTS],
    }
    _PAGE.write_text(page.page(refused, denied))
    write_reasons()
    return [row for group in (*refused.values(), *denied.values()) for row in group]


def write_reasons() -> None:
    """Write the page of reasons, each as the page of refusals shows it."""
    _REASONS.write_text(seen.page(reasons.page(), [*reasons.Reason], _PAGE.read_text()))


def main() -> int:
    """Do what the command line says; 1 if a case broke a promise."""
    parser = ArgumentParser(prog="python -m lab.refusals", description=__doc__)
    parser.add_argument("command", choices=("run", "page", "reasons"))
    parser.add_argument("keys", nargs="*", metavar="KEY")
    options = parser.parse_args()
    if options.command == "reasons":
        write_reasons()
        return 0
    rows = run(Lab.running(), options.keys) if options.command == "run" else write()
    return 1 if any(row.broken for row in rows) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LabError as error:
        sys.exit(str(error))
