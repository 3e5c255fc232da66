"""All cases of the campaign, family by family."""

from __future__ import annotations

from typing import TYPE_CHECKING

from campaign import (
    accounts,
    backlogs,
    breadth,
    bulky,
    clouds,
    crowds,
    deaths,
    downs,
    edits,
    endings,
    grounds,
    holds,
    inputs,
    lives,
    namesakes,
    orphans,
    pruned,
    skews,
    sources,
    states,
    unlisted,
    untold,
    watches,
    ways,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from campaign.cases import Case

SMALL = 40  # cases of a family


def singles() -> Iterator[Case]:
    """One fault a case; and some of these where no event can be written."""
    yield from _told()
    yield from untold.cases(_told())


def _told() -> Iterator[Case]:
    yield from deaths.unharmed()
    yield from deaths.kills()
    yield from deaths.stops()
    yield from endings.cases()
    yield from clouds.cases()
    yield from unlisted.cases()
    yield from ways.cases()
    yield from skews.cases()
    yield from accounts.cases()
    yield from states.cases()
    yield from lives.cases()
    yield from edits.cases()
    yield from grounds.cases()
    yield from breadth.cases()
    yield from watches.cases()
    yield from sources.cases()
    yield from namesakes.cases()
    yield from crowds.cases()
    yield from backlogs.cases()
    yield from orphans.cases()
    yield from pruned.cases()
    yield from bulky.cases()
    yield from downs.cases()
    yield from holds.cases()
    yield from inputs.cases()


def slice_of(cases: Iterator[Case], share: int) -> Iterator[Case]:
    """One in so many of each family, and all of a small one."""
    families: dict[str, list[Case]] = {}
    for case in cases:
        families.setdefault(case.family, []).append(case)
    for alike in families.values():
        yield from alike[:: share if len(alike) > SMALL else 1]


def every() -> Iterator[Case]:
    """Those, and the pairs."""
    yield from singles()
    yield from deaths.pairs()
