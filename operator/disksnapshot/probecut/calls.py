"""Send signed requests and note when: the cut, the look-ups for it, a signature's life."""

from __future__ import annotations

import json
import select
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from disksnapshot.probecut.report import Moments
from disksnapshot.window.connection import Connection

if TYPE_CHECKING:
    from disksnapshot.cbs.client import Cloud
    from disksnapshot.window.hold import CloudAddress

REPLY_SECONDS = 30.0
LISTED_SECONDS = 300.0
LOOK_PAUSE_SECONDS = 0.06  # 20 calls a second are allowed
LIFE_LIMIT_SECONDS = 1800
KEPT = timedelta(hours=25)  # by the cloud's own Deadline, should this program die
EXPIRED = "AuthFailure.SignatureExpire"


class ProbeError(Exception):
    """The probe can't go on; the message says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply, and when it was asked for and complete, in monotonic nanoseconds."""

    content: dict[str, Any]
    sent: int
    came: int

    @property
    def code(self) -> str:
        """The error code, or nothing."""
        return str((self.content.get("Error") or {}).get("Code", ""))


class Calls:
    """Requests to one cloud, each signed here and sent on a connection that is open already."""

    def __init__(self, cloud: Cloud, address: CloudAddress) -> None:
        self._cloud = cloud
        self._address = address

    def send(self, action: str, params: dict[str, Any], shifted: int = 0) -> Answer:
        """Send a request whose time stamp is `shifted` seconds off."""
        self._cloud.limits.wait(action)
        connection = Connection(self._address, time.monotonic() + REPLY_SECONDS)
        try:
            at = self._cloud.clock.now() + timedelta(seconds=shifted)
            payload = self._cloud.sign(action, params, at)
            sent = time.monotonic_ns()
            connection.send(payload)
            return Answer(_content(action, connection), sent, time.monotonic_ns())
        finally:
            connection.close()

    def create(self, disk_id: str, name: str) -> tuple[str, Answer]:
        """Cut; return the snapshot's id, and the reply."""
        deadline = (self._cloud.clock.now() + KEPT).strftime("%Y-%m-%dT%H:%M:%S+00:00")
        asked = {"DiskId": disk_id, "SnapshotName": name, "Deadline": deadline}
        reply = self.send("CreateSnapshot", asked)
        snapshot_id = str(reply.content.get("SnapshotId") or "")
        if not snapshot_id:
            raise ProbeError(
                f"CreateSnapshot: {reply.content.get('Error') or 'no id'}; look in the console "
                f"for a snapshot named {name}"
            )
        return snapshot_id, reply

    def await_listed(self, snapshot_id: str, reply: Answer) -> Moments:
        """Look until the snapshot is listed; return when it all was."""
        unlisted, end = reply, time.monotonic() + LISTED_SECONDS
        while time.monotonic() < end:
            seen = self.send("DescribeSnapshots", {"SnapshotIds": [snapshot_id]})
            if seen.content.get("SnapshotSet"):
                return Moments(
                    sent=reply.sent,
                    reply=reply.came,
                    listed_after=unlisted.sent,
                    listed_by=seen.came,
                )
            unlisted = seen
            time.sleep(LOOK_PAUSE_SECONDS)
        raise ProbeError(f"{snapshot_id} was not listed within {LISTED_SECONDS:.0f} s")

    def signature_life(self, disk_id: str) -> tuple[int, int]:
        """Return for how many seconds a time stamp is taken when it is old, and when it is early.

        Nobody has to wait for that: a request that is signed in the past is as old.
        """
        return self._life(disk_id, -1), self._life(disk_id, 1)

    def _life(self, disk_id: str, direction: int) -> int:
        taken, refused = 0, LIFE_LIMIT_SECONDS
        while refused - taken > 1:
            middle = (taken + refused) // 2
            answer = self.send("DescribeDisks", {"DiskIds": [disk_id]}, direction * middle)
            if answer.code not in {"", EXPIRED}:
                raise ProbeError(f"DescribeDisks: {answer.content['Error']}")
            taken, refused = (middle, refused) if not answer.code else (taken, middle)
        return taken


def _content(action: str, connection: Connection) -> dict[str, Any]:
    end = time.monotonic() + REPLY_SECONDS
    reply = connection.receive()
    while reply is None and not connection.error:
        left = end - time.monotonic()
        if left <= 0:
            raise ProbeError(f"{action}: no reply within {REPLY_SECONDS:.0f} s")
        select.select([connection], [], [], left)
        reply = connection.receive()
    if reply is None:
        raise ProbeError(f"{action}: {connection.error}")
    try:
        return dict(json.loads(reply[1])["Response"])
    except (ValueError, KeyError, TypeError) as error:
        raise ProbeError(f"{action}: HTTP {reply[0]}, and nothing that can be read") from error
