"""The rows of the table of deaths, kept in files until the page is written."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from lab.deaths.outcome import Outcome
from lab.kept import Rows
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


def kept(layout: Layout) -> Rows[Row]:
    """Return where the rows are kept."""
    return Rows(layout, "deaths", Row)
