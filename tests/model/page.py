"""Write the page of the documentation: the protocol, its picture, and the stories."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

from model import phases, telling
from model.exploring import Broken, Explorer
from model.variants import BROKEN, Lacking

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TEMPLATE = Path(__file__).with_name("page.md")


def page(sizes: Mapping[str, tuple[int, int]]) -> str:
    """Return the page; `sizes` is how many states and moves each variant has."""
    rows = [f"| {name} | {states:,} | {moves:,} |" for name, (states, moves) in sizes.items()]
    changes = [f"| {old} | {new} | {words} |" for (old, new), words in phases.CHANGES.items()]
    text = TEMPLATE.read_text()
    parts = {"CHANGES": changes, "SIZES": rows, "STORIES": list(stories())}
    for mark, lines in parts.items():
        text = text.replace(f"<!-- {mark} -->", "\n".join(lines))
    return text


def stories() -> Iterator[str]:
    """Tell, for each part that can be left out, what goes wrong without it."""
    for lacking in BROKEN:
        broken = damage(lacking)
        yield "<details>"
        yield f"<summary>Without {lacking.part}: <b>{broken.guarantee}</b></summary>"
        yield ""
        yield from told(broken)
        yield ""
        yield "</details>"


@functools.cache
def damage(lacking: Lacking) -> Broken:
    """Find the shortest way to what goes wrong without one part."""
    # In a story it matters which operator does what.
    broken = Explorer(lacking.protocol, alike=False).explore().broken
    if broken is None:
        raise AssertionError(f"without {lacking.part} nothing is broken")
    return broken


def told(broken: Broken) -> list[str]:
    """Return a story as a numbered list, its end in bold."""
    *way, end = telling.story(broken.moves, broken.sentence)
    steps = [f"{number}. {line}" for number, line in enumerate(way, 1)]
    return [*steps, "", f"**{end}**"]
