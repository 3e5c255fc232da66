"""Judge a copy by facts: what was kept, what was lost, what could not be proven. No I/O."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from lab.demo.facts import Cut, Database, Disk, NoDatabase, Position, TableCheck
from lab.demo.finding import Finding, Mark
from lab.demo.journal import judge_file_system
from lab.demo.ledger import Engine, Ledger
from lab.demo.rows import judge_order, judge_rows, tallies

_BINLOG: Final = "binlog size"
_GTID: Final = "GTID"
_TABLES: Final = "CHECK TABLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """All findings on one copy, and how to come to them without this code."""

    title: str
    findings: Sequence[Finding]
    commands: Sequence[str] = ()

    @property
    def clean(self) -> bool:
        """Tell if every claim was proven; one that could not be looked at counts against it."""
        return all(finding.mark is Mark.PROVEN for finding in self.findings)

    def finding(self, subject: str) -> Finding:
        [found] = [finding for finding in self.findings if finding.subject == subject]
        return found

    def of(self, mark: Mark) -> list[Finding]:
        return [finding for finding in self.findings if finding.mark is mark]


def judge(
    title: str, cut: Cut, ledgers: Sequence[Ledger], disk: Disk, database: Database | NoDatabase
) -> Verdict:
    """Judge the disk first, then what a server on it answered."""
    findings = [judge_file_system(disk.file_system), _judge_binlog_of(disk, cut.position)]
    if isinstance(database, NoDatabase):
        findings.append(Finding(Mark.BROKEN, "database", f"does not start: {database.reason}"))
    else:
        findings += _judge_database(cut, ledgers, disk, database)
    return Verdict(title=title, findings=findings)


def _judge_database(
    cut: Cut, ledgers: Sequence[Ledger], disk: Disk, database: Database
) -> Iterator[Finding]:
    yield judge_gtid(cut.position, database)
    yield judge_tables(database.checks)
    rows = {**disk.plain_rows, **database.rows}
    by_engine = tallies(ledgers, rows, cut)
    for engine, counted in (
        (engine, by_engine[engine]) for engine in Engine if engine in by_engine
    ):
        yield _with_reason(judge_rows(engine, counted, cut), engine, cut)
    yield judge_order(ledgers, rows)


def _judge_binlog_of(disk: Disk, position: Position | None) -> Finding:
    if disk.unreadable:
        return Finding(Mark.BROKEN, "files", f"can't be read: {disk.unreadable}")
    return judge_binlog(position, disk.binlogs)


def judge_binlog(position: Position | None, binlogs: Mapping[str, int]) -> Finding:
    """Compare the size of the last binlog with the recorded position, to the byte."""
    if position is None:
        return Finding(Mark.UNPROVEN, _BINLOG, "no position was recorded at the cut")
    base = position.file.rpartition(".")[0]
    last = max((name for name in binlogs if name.rpartition(".")[0] == base), default=None)
    broken = ""
    if last != position.file:
        broken = f"the copy's last file is {last}, recorded was {position.file}"
    elif binlogs[last] != position.size:
        broken = f"{last} has {binlogs[last]} bytes, recorded was {position.size}"
    return Finding.of(
        _BINLOG, broken, f"{position.file} has the {position.size} bytes that were recorded"
    )


def judge_gtid(position: Position | None, database: Database) -> Finding:
    """Compare the copy's last transaction, and the one at the position, with the recorded one."""
    if position is None:
        return Finding(
            Mark.UNPROVEN, _GTID, f"none was recorded at the cut (the copy has {database.gtid})"
        )
    wanted = _gtid_set(position.gtid)
    broken = ""
    if _gtid_set(database.gtid) != wanted:
        broken = f"the copy's last is {database.gtid}, recorded was {position.gtid}"
    elif _gtid_set(database.gtid_at_position) != wanted:
        broken = (
            f"at {position.file}:{position.size} it is {database.gtid_at_position},"
            f" recorded was {position.gtid}"
        )
    return Finding.of(_GTID, broken, f"{position.gtid}, as recorded")


def judge_tables(checks: Sequence[TableCheck]) -> Finding:
    """Pass on what CHECK TABLE complained about; a warning is a complaint."""
    if not checks:
        return Finding(Mark.UNPROVEN, _TABLES, "no table was checked")
    complaints = [
        f"{check.table} ({check.engine}): {', '.join(check.complaints)}"
        for check in checks
        if check.complaints
    ]
    counts = Counter(check.engine for check in checks)
    engines = ", ".join(f"{count} {engine}" for engine, count in counts.most_common())
    return Finding.of(
        _TABLES,
        f"{len(complaints)} of {len(checks)} complain: {'; '.join(complaints)}" * bool(complaints),
        f"no complaint on {len(checks)} tables ({engines})",
    )


def _with_reason(finding: Finding, engine: Engine, cut: Cut) -> Finding:
    """Say why a cut that held nothing lost nothing here, lest the hold gets the credit."""
    if cut.held or engine is not Engine.INNODB or finding.mark is not Mark.PROVEN:
        return finding
    return replace(
        finding,
        sentence=f"{finding.sentence}: durable InnoDB loses nothing without a hold either, its own"
        " log recovers it",
    )


def _gtid_set(text: str | None) -> frozenset[str]:
    """Compare lists of GTIDs (one a replication domain) whatever their order."""
    return frozenset(part.strip() for part in (text or "").split(",") if part.strip())
