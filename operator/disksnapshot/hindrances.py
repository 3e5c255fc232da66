"""Say of an object what keeps it from going on, and when to look again."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from disksnapshot import scaling
from disksnapshot.pacing import SOON
from disksnapshot.snapshot import outcome, status
from disksnapshot.snapshot.intents import insist

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime, timedelta

    from disksnapshot.errors import Problem
    from disksnapshot.kube.objects import Objects
    from disksnapshot.pacing import Pacing
    from disksnapshot.sight import Sight
    from disksnapshot.snapshot.outcome import Result
    from disksnapshot.writing import Writer

logger = logging.getLogger(__name__)


class Hindrances:
    """Writes a problem down as its moment demands: before anything was touched, or after it."""

    def __init__(
        self, objects: Objects, writer: Writer, scaler: scaling.Scaler, pacing: Pacing,
        clock: Callable[[], datetime],
    ) -> None:  # fmt: skip
        self._objects = objects
        self._writer = writer
        self._scaler = scaler
        self._pacing = pacing
        self._clock = clock

    def at_the_start(self, sight: Sight, problem: Problem) -> timedelta | None:
        """Nothing was touched: say what is missing, and try again ever more slowly."""

        def say(body: Mapping[str, Any]) -> timedelta | None:
            done = status.parse(body.get("status", {}))
            return self._say(replace(sight, body=body, done=done, now=self._clock()), problem)

        # The attempt's own finalizer, or somebody's edit of a label: no reason to keep silent.
        return insist(self._objects, sight.body, say)

    def on_the_way(self, sight: Sight, problem: Problem, *, quietly: bool) -> timedelta:
        """Something may exist in the cloud, so that no error is the end: say it, and go on."""
        pause = self._pacing.after(sight, problem)
        if quietly:
            logger.warning("%s: %s", sight.ask.label, problem)
        elif not sight.says(problem):
            self._wait(sight, problem, pause)
        return pause

    def unwritten(self, sight: Sight, result: Result) -> timedelta:
        """Return when to look again after an attempt of which the object shows nothing.

        One that could not be written down has touched the writers and isn't counted: while the
        API server takes no status, the next ones must come ever more seldom.
        """
        if result.refusal is None:
            return SOON
        logger.warning("%s: %s", sight.ask.label, result.refusal.message)
        what = "an attempt that was not acknowledged"
        return self._pacing.seldom(sight, what, outcome.RETRY_PAUSE)

    def _say(self, sight: Sight, problem: Problem) -> timedelta | None:
        if problem.final and sight.done.offline and sight.done.is_down:
            # First the way back; only then it is called failed.
            note = scaling.ended(sight.done.offline, problem.reason, str(problem))
            return self._scaler.perform(sight, note)
        if problem.final:
            self._writer.write(sight, sight.draft.failed(problem.reason, str(problem)))
            return None
        pause = self._pacing.after(sight, problem)
        self._wait(sight, problem, pause)
        return pause

    def _wait(self, sight: Sight, problem: Problem, pause: timedelta) -> None:
        draft = sight.draft.waiting(problem.reason, str(problem), sight.now + pause)
        self._writer.write(sight, draft)
