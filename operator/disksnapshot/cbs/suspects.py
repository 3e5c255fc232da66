"""Remember ids that failed a page of others, so that each is asked for alone, ever more seldom."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 60.0, 900.0


class Suspects:
    """Ids under suspicion, each with the time from which it may be asked for again."""

    def __init__(self) -> None:
        self._due: dict[str, float] = {}
        self._pause: dict[str, float] = {}

    def add(self, snapshot_id: str, now: float) -> None:
        """Leave an id alone for a while, each time for twice as long."""
        pause = self._pause.get(snapshot_id, FIRST_PAUSE_SECONDS / 2) * 2
        self._pause[snapshot_id] = min(pause, LONGEST_PAUSE_SECONDS)
        self._due[snapshot_id] = now + self._pause[snapshot_id]

    def clear(self, snapshot_ids: Iterable[str]) -> None:
        """Let ids that were answered for be like all others."""
        for snapshot_id in snapshot_ids:
            self._due.pop(snapshot_id, None)
            self._pause.pop(snapshot_id, None)

    def keep(self, followed: Collection[str]) -> list[str]:
        """Return those that are still followed, and forget the others."""
        self.clear(set(self._due).difference(followed))
        return list(self._due)

    def due(self, snapshot_ids: Iterable[str], now: float) -> list[str]:
        """Return which of these may be asked for now."""
        return sorted(item for item in snapshot_ids if self._due.get(item, now) <= now)
