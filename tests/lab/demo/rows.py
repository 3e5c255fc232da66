"""Judge the rows of a copy by the ledgers of those who wrote them. No I/O."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from lab.demo.facts import Cut, Rows
from lab.demo.finding import Finding, Mark
from lab.demo.ledger import Engine, Ledger

_SHOWN: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The rows of one engine, each named `writer/number`."""

    expected: int = 0  # acknowledged before the cut began
    present: int = 0
    lost: list[str] = field(default_factory=list)
    torn: list[str] = field(default_factory=list)
    too_late: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            expected=self.expected + other.expected,
            present=self.present + other.present,
            lost=self.lost + other.lost,
            torn=self.torn + other.torn,
            too_late=self.too_late + other.too_late,
            unknown=self.unknown + other.unknown,
        )


def tally(ledger: Ledger, found: Mapping[int, str], cut: Cut) -> Tally:
    """Compare what one writer noted with what the copy holds of it."""
    due = [number for number, time in ledger.acknowledged.items() if time < cut.begun]
    sent = ledger.sent

    def names(numbers: Iterable[int]) -> list[str]:
        return [f"{ledger.writer.number}/{number}" for number in sorted(numbers)]

    return Tally(
        expected=len(due),
        present=len(found),
        lost=names(n for n in due if n not in found),
        torn=names(n for n in found if n in sent and found[n] != sent[n].checksum),
        too_late=names(n for n in found if n in sent and sent[n].time > cut.ended),
        unknown=names(n for n in found if n not in sent),
    )


def tallies(ledgers: Sequence[Ledger], rows: Rows, cut: Cut) -> dict[Engine, Tally]:
    """Compare all writers, summed by what kept their rows."""
    sums: dict[Engine, Tally] = {}
    for ledger in ledgers:
        engine = ledger.writer.engine
        own = tally(ledger, rows.get(ledger.writer, {}), cut)
        sums[engine] = sums.get(engine, Tally()) + own
    return sums


def judge_rows(engine: Engine, counted: Tally, cut: Cut) -> Finding:
    subject = f"{engine} rows"
    if not counted.expected:
        return Finding(
            Mark.UNPROVEN, subject, f"none was acknowledged before {cut.begin_words}: no load"
        )
    damage = [
        _damage(counted.lost, f"of {counted.expected} acknowledged before {cut.begin_words} lost"),
        _damage(counted.torn, "with another content than was sent"),
        _damage(counted.too_late, f"there though sent after {cut.end_words}"),
        _damage(counted.unknown, "there that no writer sent"),
    ]
    return Finding.of(
        subject,
        "; ".join(filter(None, damage)),
        f"all {counted.expected} acknowledged before {cut.begin_words} are there and whole, none"
        f" sent after {cut.end_words} is ({counted.present} in all)",
    )


def judge_order(ledgers: Sequence[Ledger], rows: Rows) -> Finding:
    """Ask for one point in time: whatever was acknowledged before a present row was sent is there.

    It holds between writers, tables and files, and needs no clock of the cut.
    """
    latest = _last_sent(ledgers, rows)
    gone = [
        f"{ledger.writer} {number}"
        for ledger in ledgers
        for number, time in ledger.acknowledged.items()
        if time < latest and number not in rows.get(ledger.writer, {})
    ]
    return Finding.of(
        "one moment",
        _damage(gone, "missing though acknowledged before another that is there was sent"),
        "no row is missing that was acknowledged before another one there was sent",
    )


def _last_sent(ledgers: Sequence[Ledger], rows: Rows) -> int:
    return max(
        (
            ledger.sent[number].time
            for ledger in ledgers
            for number in rows.get(ledger.writer, {})
            if number in ledger.sent
        ),
        default=0,
    )


def _damage(names: Sequence[str], words: str) -> str:
    if not names:
        return ""
    more = ", ..." if len(names) > _SHOWN else ""
    return f"{len(names)} {words} ({', '.join(names[:_SHOWN])}{more})"
