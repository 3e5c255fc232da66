"""Draw a death in the middle of a hold to scale: what was held, and when writers were answered."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

WIDTH: Final = 72
_NAMES: Final = 18  # columns for the names on the left
_BEFORE_NS: Final = 300_000_000
_AFTER_NS: Final = 500_000_000
_BAR, _DOT, _NOTHING, _DEATH = "█", "·", " ", "✝"
_STYLES: Final = {_BAR: "cyan", _DOT: "green", _DEATH: "bold red"}


@dataclass(frozen=True, slots=True)
class Span:
    """A time in which something was held, in ns."""

    begun: int
    ended: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What was seen of a death, in ns."""

    death: str
    struck: int
    held: Mapping[str, Sequence[Span]]  # by what is held: frozen, locked
    acknowledged: Mapping[str, Sequence[int]]  # by writer

    @property
    def begun(self) -> int:
        return min([self.struck, *(span.begun for span in self._spans)]) - _BEFORE_NS

    @property
    def ended(self) -> int:
        return max([self.struck, *(span.ended for span in self._spans)]) + _AFTER_NS

    @property
    def _spans(self) -> Iterator[Span]:
        return (span for spans in self.held.values() for span in spans)

    def column(self, time: int) -> int:
        """Place a time on the axis."""
        return (time - self.begun) * WIDTH // (self.ended - self.begun)


def spans(looks: Sequence[tuple[int, bool]]) -> list[Span]:
    """Join looks (time, held or not) to the times in which something was held."""
    found: list[Span] = []
    for (time, held), (until, _) in pairwise(looks):
        if held and found and found[-1].ended == time:
            found[-1] = Span(found[-1].begun, until)
        elif held:
            found.append(Span(time, until))
    return found


def draw(picture: Picture) -> RenderableType:
    """Draw the death's mark, a bar a hold, a row of dots a writer, and the axis in ms."""
    marker = [_NOTHING] * WIDTH
    marker[picture.column(picture.struck)] = _DEATH
    rows = [_row(picture.death, marker)]
    rows += [_row(name, _bars(picture, held)) for name, held in picture.held.items()]
    rows += [_row(name, _dots(picture, times)) for name, times in picture.acknowledged.items()]
    return Group(*rows, _axis(picture))


def _bars(picture: Picture, held: Sequence[Span]) -> list[str]:
    cells = [_NOTHING] * WIDTH
    for span in held:
        # However short, a hold is to be seen.
        last = max(picture.column(span.begun) + 1, picture.column(span.ended))
        for column in range(picture.column(span.begun), last):
            cells[column] = _BAR
    return cells


def _dots(picture: Picture, times: Sequence[int]) -> list[str]:
    cells = [_NOTHING] * WIDTH
    for time in times:
        if picture.begun <= time < picture.ended:
            cells[picture.column(time)] = _DOT
    return cells


def _row(name: str, cells: Sequence[str]) -> Text:
    row = Text(f"{name:<{_NAMES}.{_NAMES}} ")
    for cell in cells:
        row.append(cell, _STYLES.get(cell, ""))
    return row


def _axis(picture: Picture) -> Text:
    first = f"{(picture.begun - picture.struck) / 1e6:,.0f} ms"
    last = f"+{(picture.ended - picture.struck) / 1e6:,.0f} ms"
    return Text(" " * (_NAMES + 1) + first + last.rjust(WIDTH - len(first)), style="dim")
