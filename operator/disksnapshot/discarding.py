"""Have the cloud delete a snapshot, without asking again for as long as it may take."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from disksnapshot.errors import Problem
from disksnapshot.pacing import LONGEST_SELDOM
from disksnapshot.reasons import Reason

if TYPE_CHECKING:
    from disksnapshot.cbs.client import Cloud
    from disksnapshot.memory import Memory
    from disksnapshot.pacing import Pacing
    from disksnapshot.sight import Sight

PAUSE = timedelta(seconds=3)  # it stays listed for a while

logger = logging.getLogger(__name__)


class Discarder:
    """Performs the one step that deletes; what may be deleted is decided elsewhere."""

    def __init__(self, cloud: Cloud, memory: Memory, pacing: Pacing) -> None:
        self._cloud = cloud
        self._memory = memory
        self._pacing = pacing

    def discard(self, sight: Sight, snapshot_id: str) -> timedelta:
        """Ask to delete it; return when to look again. Edits of the object don't ask again.

        Raises: Problem with the cloud's words if it refuses.
        """
        uid = sight.ask.uid
        rest = self._memory.deletion_rests(uid, snapshot_id, sight.now)
        if rest:
            return min(rest, LONGEST_SELDOM)  # longer only by a clock that was set back
        logger.info("%s: deleting %s", sight.ask.label, snapshot_id)
        self._memory.rest_deletion(uid, snapshot_id, sight.now + PAUSE)
        self._delete(snapshot_id)
        # One that stays listed is not asked for in a hot loop.
        pause = self._pacing.seldom(sight, f"deleting {snapshot_id}", PAUSE)
        self._memory.rest_deletion(uid, snapshot_id, sight.now + pause)
        return pause

    def _delete(self, snapshot_id: str) -> None:
        try:
            self._cloud.delete(snapshot_id)
        except Problem as problem:
            raise Problem(
                Reason.DELETION_BLOCKED,
                f"{snapshot_id} can't be deleted: {problem}",
                slow=problem.slow,
            ) from problem
