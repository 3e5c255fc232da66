"""What came of one death, and which promises it broke. No I/O."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lab.deaths.catalogue import UNKNOWN, Death
from lab.deaths.watching import Sample
from lab.demo.load import Pause
from lab.demo.stage import Database


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What was seen from outside until nothing was held any more; times in ns."""

    struck: int
    held_at_strike: Sample
    freed: int
    pauses: Sequence[Pause]
    samples: Sequence[Sample]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One death, what was seen of it, and what it came to."""

    death: Death
    database: Database  # as it is after the death: its pod may be another
    hold_seconds: int
    seen: Seen
    acknowledged: Mapping[str, Sequence[int]]
    still_held: str
    snapshots: int
    end: str
    message: str

    @property
    def until_free_milliseconds(self) -> float:
        """From the death until a look at the server and the node found nothing held any more."""
        return (self.seen.freed - self.seen.struck) / 1e6

    @property
    def longest(self) -> Pause | None:
        return max(self.seen.pauses, key=lambda pause: pause.milliseconds, default=None)

    @property
    def broken(self) -> list[str]:
        """Name each promise that was not kept; none is the only good answer."""
        return list(self._broken())

    def _broken(self) -> Iterator[str]:
        bound = self.hold_seconds * 1000
        if not (self.seen.held_at_strike.locked or self.seen.held_at_strike.frozen):
            yield "nothing was held when it struck, so it shows nothing"
        if self.still_held:
            yield f"at the end {self.still_held}"
        if self.until_free_milliseconds > bound:
            yield f"it was held for {self.until_free_milliseconds:,.0f} ms after the death"
        if self.death.writes and self.death.database_lives:
            yield from self._broken_by_writers(bound)
        if self.end not in self.death.ends:
            yield f"the object says {self.end}: {self.message}"
        wanted = 1 if self.end in _WITH_SNAPSHOT else 0
        if self.snapshots != wanted:
            yield f"{self.snapshots} snapshots in the cloud instead of {wanted}"

    def _broken_by_writers(self, bound: float) -> Iterator[str]:
        if not self.seen.pauses:
            yield "no writer was measured"
        for pause in self.seen.pauses:
            if pause.milliseconds > bound:
                yield f"{pause.writer} stood still for {pause.milliseconds:,.0f} ms"


# The words of an object that is Ready; any other word is a reason, and then nothing may be left.
_WITH_SNAPSHOT: Final = (UNKNOWN, "ApplicationConsistent")
