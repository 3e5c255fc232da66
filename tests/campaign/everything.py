"""All cases of the campaign, family by family."""

from __future__ import annotations

from typing import TYPE_CHECKING

from campaign import clouds, deaths, holds, inputs, lives

if TYPE_CHECKING:
    from collections.abc import Iterator

    from campaign.cases import Case


def singles() -> Iterator[Case]:
    """One fault a case."""
    yield from deaths.kills()
    yield from deaths.stops()
    yield from clouds.cases()
    yield from lives.cases()
    yield from holds.cases()
    yield from inputs.cases()


def every() -> Iterator[Case]:
    """Those, and the pairs."""
    yield from singles()
    yield from deaths.pairs()
