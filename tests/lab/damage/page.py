"""Write what was counted as a page of the documentation. No I/O."""

from collections.abc import Mapping, Sequence
from typing import Final

from lab.damage.counting import Count, damaged, misplaced, replayed
from lab.damage.cuts import Judged
from lab.damage.scene import Played, Results
from lab.demo.finding import Mark
from lab.demo.ledger import Engine

_EXAMPLE_LENGTH: Final = 160
_HEAD: Final = """# What a snapshot holds

Made by `make damage` from {copies} copies that were restored and judged; don't edit. `make damage`
makes it again, with other rows and the same code; `python -m lab.damage --copies 5` is quicker.
{versions}.

One server on a loop disk, without Kubernetes; one writer each to a table of every storage engine
and to a plain file beside the database. Each cut is made by the operator's own window, each copy
judged by the one verdict code of the demo: by what its writers had acknowledged, `CHECK TABLE`,
`e2fsck -fn` or `xfs_logprint` and `xfs_repair -n`, and a server started on it. *held by* names the
steps as a DiskSnapshot does; *called* is what the operator says of a copy by its proofs. The
numbers count damaged copies.

- **A lock protects tables, a freeze protects files, both protect all.** `mysql, freeze` is what to
  take; `mysql, sync` where nothing may be frozen: right for the database, not for other files.
- InnoDB here is durable (`innodb_flush_log_at_trx_commit=1`, `sync_binlog=1`), and its recovery
  runs in every copy. **Durable InnoDB loses no acknowledged row either way**: if that is all you
  have, a hold buys you a binlog position and a file system without replay, not rows.
- MariaDB's own system tables are Aria, MySQL's are InnoDB. `mysql` is `BACKUP STAGE` on MariaDB,
  `FLUSH TABLES WITH READ LOCK` on MySQL; `exec` is the one of `examples/exec-and-freeze.yaml`, on
  MySQL with that statement instead.
- A frozen XFS has the superblock in its log, put there by the kernel on purpose, and perhaps the
  last inode before it, which is on disk as well. That counts as no replay; what isn't in place is.
"""
_LATE: Final = """
## Where the cloud cuts {late} ms after it answers

MariaDB on ext4 again, held by `mysql, freeze`. Tencent Cloud doesn't document when it cuts. The
emulator's second mode answers first and cuts later; then `releaseWhen` decides whether the hold
covers the cut. *Called proven* counts what the operator would say, *clean* what the copies are;
where the first is the larger one, the operator says what is not so.

| releaseWhen | a snapshot is listed | called proven | clean | first damage |
|---|---|---:|---:|---|
"""
_END: Final = """
So `Accepted` is worth as much as the cloud's promise to cut before it answers, and `Visible` as
much as its promise to list only what is cut. `Visible` is the default: it is right in one case
more. Where a cloud lists what isn't cut yet, neither can be, and no client can tell.
"""


def page(played: Sequence[Played], delay: int) -> str:
    """Return the page."""
    tables = "".join(f"\n## {one.scene}\n\n{_held(one.held)}" for one in played)
    late = [_late_line(*way, judged) for one in played for way, judged in one.late.items()]
    return _head(played) + tables + _LATE.format(late=delay) + "".join(late) + _END


def _head(played: Sequence[Played]) -> str:
    results = [judged for one in played for judged in (*one.held.values(), *one.late.values())]
    servers = dict.fromkeys(f"{one.scene.split()[0]} {one.server}" for one in played)
    kernels = dict.fromkeys(f"Linux {one.kernel}" for one in played)
    return _HEAD.format(copies=sum(map(len, results)), versions=", ".join([*servers, *kernels]))


def _held(held: Results) -> str:
    engines = _engines(held)
    names = ["plain file" if engine is Engine.FILE else str(engine) for engine in engines]
    columns = [*names, "file system", "binlog, GTID"]
    table = f"| held by | called | copies | {' | '.join(columns)} |\n"
    table += f"|---|---|---:|{'---:|' * len(columns)}\n"
    notes = ""
    for words, judged in held.items():
        counts = _counts(judged, engines)
        called = "; ".join(dict.fromkeys(one.called for one in judged))
        cells = [words, called, str(len(judged)), *(count.cell for count in counts)]
        table += f"| {' | '.join(cells)} |\n"
        notes += _notes(words, dict(zip(columns, counts, strict=True)))
    return f"{table}\nThe first damage of each kind:\n\n{notes}{_undamaged(held)}"


def _engines(held: Results) -> list[Engine]:
    """Return the engines that any copy was judged by, the plain file last."""
    found = {f.subject for judged in held.values() for one in judged for f in one.verdict.findings}
    return [engine for engine in Engine if f"{engine} rows" in found]


def _counts(judged: Sequence[Judged], engines: Sequence[Engine]) -> list[Count]:
    counts = [damaged(judged, engine) for engine in engines]
    return [*counts, replayed(judged), misplaced(judged)]


def _notes(words: str, counts: Mapping[str, Count]) -> str:
    return "".join(
        f"- {words}, {column}: {_short(count.example)}\n"
        for column, count in counts.items()
        if count.damaged
    )


def _undamaged(held: Results) -> str:
    engines = _engines(held)
    clean = [
        words
        for words, judged in held.items()
        if not any(count.damaged for count in _counts(judged, engines))
    ]
    whole = [e for e in engines if not any(damaged(j, e).damaged for j in held.values())]
    return (
        f"\nNothing at all was damaged in the copies held by: {' / '.join(clean) or 'none'}."
        f" Damaged in no copy, however held: {', '.join(whole) or 'nothing'}.\n"
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
