"""Keep a finished object: as long as something of it is to be cleaned, and until it expires."""

from __future__ import annotations

import logging
import secrets
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, assert_never

from disksnapshot import naming
from disksnapshot.cbs.calls import shown
from disksnapshot.errors import CloudUnavailable, Problem
from disksnapshot.reasons import Reason
from disksnapshot.snapshot import status, steps

if TYPE_CHECKING:
    from disksnapshot.cbs.client import Cloud
    from disksnapshot.kube.objects import Objects
    from disksnapshot.sight import Sight
    from disksnapshot.writing import Writer

DEADLINE_RETRY = timedelta(minutes=10)

logger = logging.getLogger(__name__)


class Keeper:
    """Performs the steps that concern the object more than its snapshot."""

    def __init__(self, objects: Objects, cloud: Cloud, writer: Writer) -> None:
        self._objects = objects
        self._cloud = cloud
        self._writer = writer

    def keep(self, sight: Sight, step: steps.Keeping) -> timedelta | None:
        """Perform one step; return when to look again, if not by itself."""
        match step:
            case steps.Acknowledge():
                self._writer.put(sight, sight.draft.acknowledge(), self._objects.write_status)
            case steps.AddFinalizer():
                self._objects.add_finalizer(sight.body)
            case steps.DropFinalizer():
                self._objects.drop_finalizer(sight.body)
            case steps.GiveUp(message):
                logger.warning("%s: %s", sight.ask.label, message)
                self._post(sight, "Warning", Reason.GIVEN_UP, message)
                self._objects.drop_finalizer(sight.body)
            case steps.Retire(message):
                self._writer.write(sight, sight.draft.waiting(Reason.DELETING, message))
                return timedelta(0)
            case steps.Expire(message):
                self._writer.write(sight, sight.draft.expired(message))
                self._post(sight, "Normal", Reason.EXPIRED, message)
            case steps.Reopen():
                self._writer.write(sight, sight.draft.reopen(self._reopened(sight)))
            case steps.SetDeadline(deadline):
                return self._set_deadline(sight, deadline)
            case _:
                assert_never(step)
        return None

    def _reopened(self, sight: Sight) -> status.Intent:
        """Return the intent to go on with; what is lost of it is taken to be of this moment."""
        ask, done = sight.ask, sight.done
        if done.intent:
            return replace(done.intent, state=status.OPEN)
        said = next(iter(done.names.values()))
        attempt = naming.attempt_of({}, said, ask)
        return status.Intent(
            attempt=attempt or 1,
            state=status.OPEN,
            nonce=secrets.token_hex(8),
            disk_ids=tuple(done.names),
            signed=sight.now,
            not_after=self._cloud.not_after(sight.now),
        )

    def _set_deadline(self, sight: Sight, deadline: datetime | None) -> timedelta | None:
        """Tell the cloud; it is a back-stop, so that a refusal makes no Ready snapshot less so.

        It is said all the same: the deadline that the cloud has may come before the one wanted.
        """
        try:
            for snapshot_id in sight.done.snapshots.values():
                self._cloud.set_deadline(snapshot_id, deadline)
        except (Problem, CloudUnavailable) as error:
            was = sight.done.deadline
            stays = f"at {was:%Y-%m-%d %H:%M:%S} UTC" if was else "never"
            message = f"the cloud deletes the snapshot by itself {stays}, as before: {error}"
            logger.warning("%s: %s", sight.ask.label, message)
            self._writer.announcements.warn(sight.ask, shown(error).reason, message)
            return DEADLINE_RETRY
        self._writer.put(sight, sight.draft.deadline(deadline), self._objects.write_status)
        return None

    def _post(self, sight: Sight, kind: str, reason: Reason, message: str) -> None:
        self._writer.announcements.post(sight.ask, kind, reason, message)
