"""Write an object's status: whole, or, where the schema refuses that, what is needed to go on."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from disksnapshot.kube.api import Invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from disksnapshot.announcements import Announcements
    from disksnapshot.kube.objects import Objects
    from disksnapshot.sight import Sight
    from disksnapshot.snapshot.draft import Draft

    Write = Callable[[Mapping[str, Any], Mapping[str, Any]], dict[str, Any]]

logger = logging.getLogger(__name__)


class Writer:
    """Writes, and tells people what has changed by it."""

    def __init__(self, objects: Objects, announcements: Announcements) -> None:
        self._objects = objects
        self.announcements = announcements

    def write(self, sight: Sight, draft: Draft) -> None:
        """Write a status, if the object is still as it was seen, and tell of it."""
        self.put(sight, draft, self._objects.write_status)
        self.announcements.tell(sight.ask, sight.done, draft)

    def put(self, sight: Sight, draft: Draft, write: Write) -> None:
        """Write a status; what the schema refuses once it refuses for ever, so write less then."""
        try:
            write(sight.body, draft.body)
        except Invalid as error:
            logger.error("%s: the status is refused, writing less: %s", sight.ask.label, error)  # noqa: TRY400 - the answer says all
            write(sight.body, draft.minimal().body)
