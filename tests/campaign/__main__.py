"""Run the campaign, or the cases whose names contain what is asked for; write its page."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from campaign import builds, deaths, everything
from campaign.cases import Case, Seen, run
from campaign.page import page

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"


def main(asked: list[str]) -> int:
    """Without arguments: all cases, and the page. With some: those alone, told one by one."""
    chosen = _named(asked) if asked else list(everything.every())
    print(f"{len(chosen)} cases")
    seen = [run(case) for case in chosen]
    failed = [one for one in seen if one.trouble]
    for one in failed:
        print(f"{one.case.name}:\n  " + "\n  ".join(one.trouble))
    print(f"{len(seen) - len(failed)} of {len(seen)} passed")
    if not asked and not failed:
        _write(seen)
    return 1 if failed or not seen else 0


def _named(asked: list[str]) -> list[Case]:
    """Return the cases whose names contain a word; pairs, which take long to list, come last."""

    def fitting(cases: Iterator[Case]) -> list[Case]:
        return [case for case in cases if any(word in case.name for word in asked)]

    return fitting(everything.singles()) or fitting(everything.every())


def _write(seen: list[Seen]) -> None:
    lives = {life: len(deaths.recorded(life)) for life in deaths.LIVES}
    told = {caught.build: builds.catch(caught) for caught in builds.CAUGHT}
    print(f"{len(told)} bad builds were caught")
    PAGE.write_text(page(seen, lives, told), encoding="utf-8")
    print(f"Written: {PAGE.name}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
