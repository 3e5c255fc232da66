"""What came of each case and what that broke, kept in files until the page is written."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from lab.kept import Rows
from lab.layout import Layout


@dataclass(frozen=True, kw_only=True)
class Row:
    """One case: what was wanted, and what was seen from outside."""

    key: str
    what: str
    wanted: str
    word: str
    message: str
    printed: str
    says: str = ""
    cuts: int = 0
    may_cut: bool = False
    left: int = 0
    may_leave: int = 0
    held: str = ""
    versions: str = ""
    taken: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    @property
    def broken(self) -> list[str]:
        """Name each promise that was not kept; none is the only good answer."""
        return list(self._broken())

    def _broken(self) -> Iterator[str]:
        if self.word != self.wanted:
            yield f"it says {self.word or 'nothing'} instead of {self.wanted}: {self.message}"
        elif self.says not in self.message:
            yield f"its message doesn't name {self.says!r}: {self.message}"
        if self.cuts and not self.may_cut:
            yield f"{self.cuts} snapshots were asked for"
        if self.left != self.may_leave:
            yield f"{self.left} snapshots are in the cloud instead of {self.may_leave}"
        if self.held:
            yield f"at the end {self.held}"

    @property
    def words(self) -> str:
        """Say it in one line."""
        said = f"{self.key}: {self.word or 'refused'}: {self.message}"
        return said + "".join(f"\n  BROKEN: {promise}" for promise in self.broken)


def kept(layout: Layout) -> Rows[Row]:
    """Return where the rows are kept."""
    return Rows(layout, "refusals", Row)
