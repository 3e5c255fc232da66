"""What came of each case and what that broke, kept in files until the page is written."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

from lab.cluster.errors import LabError
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


class Rows:
    """A file a row."""

    def __init__(self, layout: Layout) -> None:
        # In the cache and not in the lab's state, which goes with the lab.
        self._folder = layout.cache / "refusals"
        self._folder.mkdir(parents=True, exist_ok=True)

    def keep(self, row: Row) -> None:
        """Put a row in place of the one with the same key."""
        (self._folder / f"{row.key}.json").write_text(json.dumps(asdict(row)))

    def of(self, key: str) -> Row:
        """Return a row, or fail with one sentence."""
        file = self._folder / f"{key}.json"
        if not file.exists():
            raise LabError(f"{key} has not been run: `python -m lab.refusals run {key}`.")
        return Row(**json.loads(file.read_text()))
