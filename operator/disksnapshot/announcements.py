"""Tell people of a change: in the log, in metrics, and as events on the object and its claims."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from disksnapshot.errors import Forbidden, Gone, Unavailable
from disksnapshot.kube.events import claim_subject, snapshot_subject
from disksnapshot.reasons import REMEDIES, Reason
from disksnapshot.snapshot import status

if TYPE_CHECKING:
    from disksnapshot.kube.api import Api
    from disksnapshot.kube.events import Events
    from disksnapshot.metrics import Metrics
    from disksnapshot.snapshot.draft import Draft
    from disksnapshot.snapshot.spec import Ask
    from disksnapshot.snapshot.status import Done

NOT_A_FAILURE = frozenset(
    {
        Reason.PENDING,
        Reason.PREPARING,
        Reason.HOLDING,
        Reason.CREATING,
        Reason.READY,
        Reason.DELETING,
        Reason.OFFLINE,
        Reason.EXPIRED,
    }
)

logger = logging.getLogger(__name__)


class Announcements:
    """Says each change of the reason once, and warns of each failure once, not once a retry."""

    def __init__(self, api: Api, events: Events, metrics: Metrics) -> None:
        self._api = api
        self._events = events
        self.metrics = metrics
        self._lock = threading.Lock()
        self._warned: dict[str, set[str]] = {}

    def tell(self, ask: Ask, before: Done, draft: Draft) -> None:
        """Log a change of the reason, and warn of a failure where people look."""
        now = status.parse(draft.body)
        if now.reason == before.reason:
            return
        logger.info("%s: %s: %s", ask.label, now.reason, now.message)
        if now.stalled and not before.stalled and now.reason != Reason.EXPIRED:
            self.metrics.failed(now.reason)
        if now.reason not in NOT_A_FAILURE:
            self.warn(ask, now.reason, now.message)

    def warn(self, ask: Ask, reason: str, message: str) -> None:
        """Write a Warning with its remedy, if it is new."""
        if self._is_new(ask.uid, reason):
            remedy = next((text for known, text in REMEDIES.items() if known == reason), "")
            self.post(ask, "Warning", reason, f"{message}. {remedy}".rstrip())

    def post(self, ask: Ask, kind: str, reason: str, message: str) -> None:
        """Write an event on the object and on each of its claims."""
        subject = snapshot_subject(ask.namespace, ask.name, ask.uid)
        self.metrics.told(kind, reason)
        self._events.post(subject, kind, reason, message)
        for name in ask.claims:
            try:
                path = f"/api/v1/namespaces/{ask.namespace}/persistentvolumeclaims/{name}"
                uid = self._api.get(path)["metadata"]["uid"]
            except (Forbidden, Gone, Unavailable):
                continue
            subject = claim_subject(ask.namespace, name, uid)
            self._events.post(subject, kind, reason, f"DiskSnapshot {ask.name}: {message}")

    def forget(self, uid: str) -> None:
        """Drop what was said of an object that is gone, or of which nothing more will come."""
        with self._lock:
            self._warned.pop(uid, None)

    def _is_new(self, uid: str, reason: str) -> bool:
        """Tell whether a failure is new, and note that it is said; a retry says it no more."""
        with self._lock:
            said = self._warned.setdefault(uid, set())
            new = reason not in said
            said.add(reason)
            return new
