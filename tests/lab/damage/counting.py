"""Count, engine by engine, in how many copies something was damaged. No I/O."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from lab.damage.cuts import Judged
from lab.demo.finding import Mark
from lab.demo.ledger import Engine
from lab.demo.verdict import Verdict

_CHECK: Final = "CHECK TABLE"
_DATABASE: Final = ("database", _CHECK, "binlog size", "GTID")


@dataclass(frozen=True, kw_only=True)
class Count:
    """How many of the copies of one way were damaged, and the first that was said of it."""

    damaged: int
    copies: int
    example: str
    judged: bool = True

    @property
    def words(self) -> str:
        return f"{self.damaged} of {self.copies}" if self.judged else "none recorded"

    @property
    def cell(self) -> str:
        return str(self.damaged) if self.judged else "none recorded"


def damaged(judged: Sequence[Judged], engine: Engine) -> Count:
    """Count copies in which this engine's rows or tables were damaged."""
    return _count([_damage(one.verdict, engine) for one in judged])


def replayed(judged: Sequence[Judged]) -> Count:
    """Count copies whose journal needs replay, or whose file system is damaged."""
    return _count([_broken(one.verdict, "file system") for one in judged])


def misplaced(judged: Sequence[Judged]) -> Count:
    """Count copies whose binlog or GTID isn't what was recorded."""
    count = _count(
        [_broken(one.verdict, "binlog size") or _broken(one.verdict, "GTID") for one in judged]
    )
    recorded = any(one.verdict.finding("binlog size").mark is not Mark.UNPROVEN for one in judged)
    return replace(count, judged=recorded)


def broken_for_the_database(one: Judged) -> bool:
    """Tell whether anything is wrong with the database, whatever became of other files."""
    subjects = (*_DATABASE, *(f"{engine} rows" for engine in Engine if engine is not Engine.FILE))
    return any(f.mark is not Mark.PROVEN for f in one.verdict.findings if f.subject in subjects)


def _count(damage: Sequence[str]) -> Count:
    found = [words for words in damage if words]
    return Count(damaged=len(found), copies=len(damage), example=next(iter(found), ""))


def _damage(verdict: Verdict, engine: Engine) -> str:
    rows = _broken(verdict, f"{engine} rows") or _broken(verdict, "database")
    if rows or engine is Engine.FILE:
        return rows
    # CHECK TABLE's finding names the engine of each table that it complains of.
    complaint = _broken(verdict, _CHECK)
    return complaint if f"({engine})" in complaint else ""


def _broken(verdict: Verdict, subject: str) -> str:
    found = [f for f in verdict.findings if f.subject == subject and f.mark is Mark.BROKEN]
    return found[0].sentence if found else ""
