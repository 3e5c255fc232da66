"""Write what was counted as a page of the documentation. No I/O."""

from collections.abc import Mapping, Sequence
from typing import Final

from lab.damage.counting import TABLES, Count, damaged, misplaced, replayed
from lab.damage.cuts import Judged
from lab.demo.finding import Mark
from lab.demo.ledger import Engine

Results = Mapping[str, Sequence[Judged]]  # by the words of the way

_EXAMPLE_LENGTH: Final = 160
_HEAD: Final = """# What a hold saves, engine by engine

Made by `make damage` from {copies} copies, {each} of each way; don't edit. `make damage` makes it
again, with other rows and the same code. MariaDB on ext4 on a loop disk, without Kubernetes; one
writer each to an InnoDB, an Aria and a MyISAM table and to a plain file beside the database. Each
cut is made by the operator's own window, each copy judged by the one verdict code of the demo: by
what its writers had acknowledged, `CHECK TABLE`, `e2fsck -fn`, and a server started on it.

InnoDB here is durable (`innodb_flush_log_at_trx_commit=1`, `sync_binlog=1`), and its own recovery
runs in every copy. **Durable InnoDB loses no acknowledged row either way**: if that is all you
have, a hold buys you a binlog position and a journal without replay, not rows.

## Where the cloud cuts before it answers: copies damaged

"""
_LATE: Final = """
## Where the cloud cuts {late} ms after it answers

Tencent Cloud doesn't document when it cuts. The emulator's second mode answers first and cuts
later; then `releaseWhen` decides whether the hold covers the cut. *Called proven* counts what the
operator would say, *clean* what the copies are; where the first is the larger one, the operator
says what is not so.

| releaseWhen | a snapshot is listed | called proven | clean | first damage |
|---|---|---:|---:|---|
"""
_END: Final = """
So `Accepted` is worth as much as the cloud's promise to cut before it answers, and `Visible` as
much as its promise to list only what is cut. `Visible` is the default: it is right in one case
more. Where a cloud lists what isn't cut yet, neither can be, and no client can tell.
"""


def page(held: Results, late: Mapping[tuple[str, str], Sequence[Judged]], delay: int) -> str:
    """Return the page."""
    each = len(next(iter(held.values())))
    copies = sum(map(len, held.values())) + sum(map(len, late.values()))
    head = _HEAD.format(copies=copies, each=each)
    lines = [_late_line(*way, judged) for way, judged in late.items()]
    return head + _held(held) + _LATE.format(late=delay) + "".join(lines) + _END


def _held(held: Results) -> str:
    columns = [*TABLES, "plain file", "journal", "binlog, GTID"]
    table = f"| held by | {' | '.join(columns)} |\n|---|{'---:|' * len(columns)}\n"
    notes = ""
    for words, judged in held.items():
        counts = _counts(judged)
        table += f"| {words} | {' | '.join(count.words for count in counts)} |\n"
        notes += _notes(words, dict(zip(columns, counts, strict=True)))
    return f"{table}\nThe first damage of each kind:\n\n{notes}{_undamaged(held)}"


def _counts(judged: Sequence[Judged]) -> list[Count]:
    engines = [damaged(judged, engine) for engine in (*TABLES, Engine.FILE)]
    return [*engines, replayed(judged), misplaced(judged)]


def _notes(words: str, counts: Mapping[str, Count]) -> str:
    return "".join(
        f"- {words}, {column}: {_short(count.example)}\n"
        for column, count in counts.items()
        if count.damaged
    )


def _undamaged(held: Results) -> str:
    clean = [
        words for words, judged in held.items() if not any(c.damaged for c in _counts(judged))
    ]
    engines = [*TABLES, Engine.FILE]
    whole = [e for e in engines if not any(damaged(j, e).damaged for j in held.values())]
    return (
        f"\nNothing at all was damaged in the copies held by: {', '.join(clean) or 'none'}."
        f" Damaged in no copy, however held: {', '.join(whole) or 'none'}.\n"
    )


def _late_line(release: str, listed: str, judged: Sequence[Judged]) -> str:
    proven = sum(one.proven for one in judged)
    clean = sum(one.verdict.clean for one in judged)
    findings = [finding for one in judged for finding in one.verdict.of(Mark.BROKEN)]
    said = next((f"{found.subject}: {found.sentence}" for found in findings), "none")
    counts = f"{proven} of {len(judged)} | {clean} of {len(judged)}"
    return f"| `{release}` | {listed} | {counts} | {_short(said)} |\n"


def _short(text: str) -> str:
    text = text.replace("|", "/")
    return text if len(text) <= _EXAMPLE_LENGTH else text[:_EXAMPLE_LENGTH].rstrip() + " ..."
