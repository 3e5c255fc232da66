"""The rows of the table of deaths, kept in files until the page is written."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Self

from lab.cluster.errors import LabError
from lab.deaths.outcome import Outcome
from lab.layout import Layout


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table."""

    key: str
    who: str
    when: str
    hold_seconds: int
    pause: float | None
    pause_of: str
    free: float
    snapshots: int
    end: str
    message: str
    broken: Sequence[str]
    database_lives: bool
    taken: str

    @classmethod
    def of(cls, outcome: Outcome) -> Self:
        """Shorten an outcome to its line."""
        longest = outcome.longest
        return cls(
            key=outcome.death.key,
            who=outcome.death.who,
            when=outcome.death.when,
            hold_seconds=outcome.hold_seconds,
            pause=longest.milliseconds if longest else None,
            pause_of=str(longest.writer) if longest else "",
            free=outcome.until_free_milliseconds,
            snapshots=outcome.snapshots,
            end=outcome.end,
            message=outcome.message,
            broken=outcome.broken,
            database_lives=outcome.death.database_lives,
            taken=datetime.now(UTC).isoformat(timespec="seconds"),
        )

    @property
    def words(self) -> str:
        """Say it in one line."""
        pause = f"{self.pause:,.0f} ms" if self.pause is not None else "no writers"
        said = f"{self.key}: pause {pause} ({self.pause_of}), free after {self.free:,.0f} ms"
        said += f", {self.snapshots} snapshot(s), {self.end}"
        return said + "".join(f"\n  BROKEN: {promise}" for promise in self.broken)


class Rows:
    """A file a row."""

    def __init__(self, layout: Layout) -> None:
        # In the cache and not in the lab's state, which goes with the lab.
        self._folder = layout.cache / "deaths"
        self._folder.mkdir(parents=True, exist_ok=True)

    def keep(self, row: Row) -> None:
        """Put a row in place of the one with the same key."""
        (self._folder / f"{row.key}.json").write_text(json.dumps(asdict(row)))

    def of(self, key: str) -> Row:
        """Return a row, or fail with one sentence."""
        file = self._folder / f"{key}.json"
        if not file.exists():
            raise LabError(f"{key} has not been run: `python -m lab.deaths run {key}`.")
        return Row(**json.loads(file.read_text()))
