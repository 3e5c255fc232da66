"""One look at one object: what is asked, what is done, and since when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from disksnapshot.cbs.calls import unnumbered
from disksnapshot.metrics import Standing
from disksnapshot.reasons import Reason
from disksnapshot.snapshot.draft import Draft

if TYPE_CHECKING:
    from collections.abc import Mapping

    from disksnapshot.errors import Problem
    from disksnapshot.snapshot.spec import Ask
    from disksnapshot.snapshot.status import Done


@dataclass(frozen=True, slots=True)
class Key:
    """The object to look at."""

    namespace: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """One look at an object: what is asked, what is done, and the object itself."""

    body: Mapping[str, Any]
    ask: Ask
    done: Done
    now: datetime

    @property
    def draft(self) -> Draft:
        """The next status, to be filled in."""
        return Draft(self.body.get("status", {}), self.ask, self.now)

    @property
    def created(self) -> datetime:
        """When the object was created; an object that doesn't say was just now."""
        text = self.body["metadata"].get("creationTimestamp")
        return datetime.fromisoformat(text) if text else self.now

    @property
    def age(self) -> float:
        """Seconds since then."""
        return max(0.0, (self.now - self.created).total_seconds())

    def says(self, problem: Problem) -> bool:
        """Tell whether the status says it: to write each number would make each look cause one.

        Of a deletion the cloud's own words count: an image, a share and a lock are ended elsewhere
        each, and what was waited for before has the same reason.
        """
        if problem.reason != Reason.DELETION_BLOCKED:
            return problem.reason == self.done.reason
        said = (self.done.reason, unnumbered(self.done.message))
        return said == (problem.reason, unnumbered(str(problem)))

    def standing(self) -> Standing:
        """Return what is counted of it."""
        ready = self.done.since if self.done.ready == "True" else None
        return Standing(
            namespace=self.ask.namespace,
            claims=self.ask.claims,
            since=self.created,
            ready=ready,
            pending=not self.done.finished,
        )
