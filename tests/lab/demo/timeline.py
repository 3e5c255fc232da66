"""Show when a hold did what, and whose time it was."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from lab.demo.scale import drawn

_BAR: Final = 40


class Event(StrEnum):
    """The moments of a hold, in the order in which they are meant to come."""

    READY = "ready"
    LOCK_SENT = "lockSent"
    LOCKED = "locked"
    FROZEN = "frozen"
    CUT_SENT = "cutSent"
    REPLY = "reply"
    VISIBLE = "visible"
    THAWED = "thawed"
    PROVEN = "proven"
    UNLOCKED = "unlocked"
    NORMAL = "normal"


_WORDS: Final = {
    Event.READY: "ready: sessions open, freezer armed, nothing held",
    Event.LOCK_SENT: "lock sent: the hold begins",
    Event.LOCKED: "locked: the database stands still",
    Event.FROZEN: "frozen: the file system stands still",
    Event.CUT_SENT: "cut sent: CreateSnapshot is on its way",
    Event.REPLY: "reply: the cloud has given it an id",
    Event.VISIBLE: "visible: DescribeSnapshots lists it",
    Event.THAWED: "thawed: files can be written",
    Event.PROVEN: "proven: the lock was still ours, position read",
    Event.UNLOCKED: "unlocked: the hold ends",
    Event.NORMAL: "NORMAL: the snapshot can be used",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A hold, and whose time it was; all in ns."""

    hold: int
    lock: int  # by the server's own clock
    freeze: int  # by the freezer's own clock
    cloud: int

    @property
    def ours(self) -> int:
        return self.hold - self.lock - self.freeze - self.cloud

    @property
    def formula(self) -> str:
        return (
            "ours = hold - server's lock - kernel's freeze - cloud's part"
            f" = {_ms(self.hold)} - {_ms(self.lock)} - {_ms(self.freeze)} - {_ms(self.cloud)}"
            f" = {_ms(self.ours)} ms"
        )


def split(events: Mapping[str, int], *, lock: int, freeze: int) -> Split:
    """Part a hold. The cloud's part ends when what it was held for was seen: listed, or answered.

    A look-up that came only after the thaw held nobody up.
    """
    held_for = events[Event.REPLY]
    visible = events.get(Event.VISIBLE)
    if visible is not None and visible <= events[Event.THAWED]:
        held_for = visible
    return Split(
        hold=events[Event.UNLOCKED] - events[Event.LOCK_SENT],
        lock=lock,
        freeze=freeze,
        cloud=held_for - events[Event.CUT_SENT],
    )


def timeline(events: Mapping[str, int], parts: Split | None = None) -> RenderableType:
    """Lay the events out by time, in milliseconds since the lock was sent."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("ms", justify="right")
    table.add_column("since last", justify="right", style="dim")
    table.add_column("event")
    zero = events[Event.LOCK_SENT]
    before: int | None = None
    for name, time in sorted(events.items(), key=lambda item: (item[1], _rank(item[0]))):
        gap = "" if before is None else f"+{_ms(time - before)}"
        table.add_row(_ms(time - zero), gap, _describe(name))
        before = time
    return Group(table, *([Text(), drawn(events), Text(), shares(parts)] if parts else []))


def shares(parts: Split) -> RenderableType:
    """Show whose time the hold was, and the formula with its numbers."""
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(justify="left")
    table.add_column(justify="right")
    table.add_column(style="cyan")
    for words, time in (
        ("server's lock", parts.lock),
        ("kernel's freeze", parts.freeze),
        ("cloud's part", parts.cloud),
        ("ours", parts.ours),
        ("hold", parts.hold),
    ):
        table.add_row(words, f"{_ms(time)} ms", "█" * round(_BAR * max(time, 0) / parts.hold))
    return Group(table, Text(), Text(parts.formula))


def _rank(name: str) -> int:
    names = list(_WORDS)
    return names.index(Event(name)) if name in names else len(names)


def _describe(name: str) -> str:
    return _WORDS[Event(name)] if name in list(_WORDS) else name


def _ms(nanoseconds: int) -> str:
    return f"{nanoseconds / 1e6:,.2f}"
