"""Tell people what happened, on the object and on its claims: that is where they look first."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from disksnapshot.kube.objects import KIND, VERSION
from disksnapshot.naming import DOMAIN

if TYPE_CHECKING:
    from disksnapshot.kube.api import Api

MESSAGE_LIMIT = 1024  # of the API server
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The object that an event is about."""

    kind: str
    api_version: str
    namespace: str
    name: str
    uid: str


def snapshot_subject(namespace: str, name: str, uid: str) -> Subject:
    """Return a DiskSnapshot as the subject of an event."""
    return Subject(
        kind=KIND, api_version=f"{DOMAIN}/{VERSION}", namespace=namespace, name=name, uid=uid
    )


def claim_subject(namespace: str, name: str, uid: str) -> Subject:
    """Return a claim as the subject of an event."""
    return Subject(
        kind="PersistentVolumeClaim", api_version="v1", namespace=namespace, name=name, uid=uid
    )


class Events:
    """Writes events; one that can't be written is logged, and delays nothing."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def post(self, subject: Subject, kind: str, reason: str, message: str) -> None:
        """Write one event of kind Normal or Warning."""
        now = datetime.now(UTC)
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"generateName": f"{subject.name[:40].rstrip('.-')}."},
            "involvedObject": {
                "kind": subject.kind,
                "apiVersion": subject.api_version,
                "namespace": subject.namespace,
                "name": subject.name,
                "uid": subject.uid,
            },
            "type": kind,
            "reason": reason,
            "message": message[:MESSAGE_LIMIT],
            "firstTimestamp": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "lastTimestamp": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "count": 1,
            "source": {"component": "disksnapshot"},
            "reportingComponent": "disksnapshot",
            "reportingInstance": os.environ.get("HOSTNAME", "disksnapshot"),
        }
        try:
            self._api.create(f"/api/v1/namespaces/{subject.namespace}/events", event)
        except Exception as error:  # noqa: BLE001 - an event is news, never a reason to fail
            logger.warning("event %s on %s not written: %s", reason, subject.name, error)
