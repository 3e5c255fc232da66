"""Send the signed cuts in parallel and wait for replies, watching the holds at the same time."""

from __future__ import annotations

import json
import select
import time
from typing import TYPE_CHECKING, Any

from disksnapshot.window.connection import Connection
from disksnapshot.window.hold import DiskFacts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from disksnapshot.window.hold import (
        CloudAddress,
        Go,
        LineSession,
        Selectable,
        SignedLookUp,
        SignedRequest,
    )

# The pauses before each look-up for a snapshot that should have become visible: 3.5 s in all.
LOOKUP_PAUSES = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0)
# A cloud that lists late is waited for up to the bound, ever more seldom: the cut may be as late.
LATER_PAUSES = (2.0, 4.0, *(8.0,) * 6)
LAST_LOOK_SECONDS = 0.3  # kept of the time that is left, so that the last pause ends with a look


class Cut:
    """The cloud's side of one window: a connection a disk, and one for looking up."""

    def __init__(self, address: CloudAddress, disk_ids: Sequence[str]) -> None:
        self._address = address
        self.facts = [DiskFacts(disk_id=disk_id) for disk_id in disk_ids]
        self._connections: dict[str, Connection] = {}
        self._lookup: Connection | None = None
        self._waiting: dict[str, Connection] = {}
        self.look_ups = 0
        self.look_up_code = ""

    def connect(self, deadline: float) -> None:
        """Open all connections before anything is held."""
        for facts in self.facts:
            self._connections[facts.disk_id] = Connection(self._address, deadline)
        self._lookup = Connection(self._address, deadline)

    def refresh(self, deadline: float) -> None:
        """Replace what the cloud closed while the intent was written, before anything is held."""
        for disk_id, connection in self._connections.items():
            if not connection.idle:
                connection.close()
                self._connections[disk_id] = Connection(self._address, deadline)
        if self._lookup and not self._lookup.idle:
            self._lookup.close()
            self._lookup = Connection(self._address, deadline)

    def send(self, requests: Iterable[SignedRequest]) -> None:
        """Send every cut at once."""
        for request in requests:
            self._by_disk(request.disk_id).sent = True
            connection = self._connections[request.disk_id]
            connection.send(request.payload)
            self._waiting[request.disk_id] = connection

    @property
    def answered(self) -> bool:
        """Tell whether no reply is waited for."""
        return not self._waiting

    @property
    def created(self) -> bool:
        """Tell whether every disk has a snapshot's id."""
        return all(facts.snapshot_id for facts in self.facts)

    def wait(self, deadline: float, watch: Watch) -> bool:
        """Take replies until all have come; False when `watch` says stop or time is up."""
        self._collect()  # a request that could not be sent is answered already
        while self._waiting:
            left = deadline - time.monotonic()
            if left <= 0 or not watch.wait(list(self._waiting.values()), left):
                return False
            self._collect()
        return True

    def look_up(self, go: Go, deadline: float, watch: Watch, *, visible: bool) -> None:
        """Ask for each disk's snapshots until those of this attempt are listed, or time is up.

        Unless they have to be `visible`, a late reply with an id is as good.
        """
        names = dict(go.names)
        for pause in self._pauses(deadline, visible=visible):
            if not watch.rest(pause):
                return
            self._collect()
            if self.created and not visible:
                return
            for request in go.lookups:
                if not all(self._by_disk(disk_id).visible for disk_id in request.disk_ids):
                    self._look(request, names, deadline, watch)
            if all(facts.visible for facts in self.facts):
                return

    def close(self) -> None:
        """Close all connections."""
        for connection in (*self._connections.values(), self._lookup):
            if connection:
                connection.close()

    def _collect(self) -> None:
        for disk_id, connection in list(self._waiting.items()):
            reply = connection.receive()
            if reply is None and not connection.error:
                continue
            del self._waiting[disk_id]
            _note(self._by_disk(disk_id), reply, connection.error)

    def _look(
        self, request: SignedLookUp, names: Mapping[str, str], deadline: float, watch: Watch
    ) -> None:
        if self._lookup is None or self._lookup.error:
            return
        self.look_ups += 1
        self._lookup.send(request.payload)
        reply = self._lookup.receive()
        while reply is None and not self._lookup.error:
            left = deadline - time.monotonic()
            if left <= 0 or not watch.wait([self._lookup], left):
                self._lookup.error = "the reply came too late"
                return
            reply = self._lookup.receive()
        answer = _response(reply[1]) if reply else {}
        self.look_up_code = str((answer.get("Error") or {}).get("Code") or self.look_up_code)
        for disk_id in request.disk_ids:
            self._find(self._by_disk(disk_id), names[disk_id], _listed(answer))

    def _find(self, facts: DiskFacts, name: str, listed: Iterable[Mapping[str, Any]]) -> None:
        for snapshot in listed:
            same = snapshot["SnapshotId"] == facts.snapshot_id
            # Names can be matched loosely by the service, so both are compared here.
            ours = snapshot.get("SnapshotName") == name and snapshot.get("DiskId") == facts.disk_id
            if same or (ours and not facts.snapshot_id and not facts.code):
                facts.snapshot_id = str(snapshot["SnapshotId"])
                facts.visible = True
                self._waiting.pop(facts.disk_id, None)  # what a late reply says can't change it

    def _pauses(self, deadline: float, *, visible: bool) -> Iterator[float]:
        for pause in LOOKUP_PAUSES:
            if time.monotonic() + pause > deadline:
                break
            yield pause
        # For a request that may never have arrived, writers aren't kept any longer.
        for pause in LATER_PAUSES if visible and self.created else ():
            left = deadline - LAST_LOOK_SECONDS - time.monotonic()
            if left <= 0:
                return
            yield min(pause, left)

    def _by_disk(self, disk_id: str) -> DiskFacts:
        return next(facts for facts in self.facts if facts.disk_id == disk_id)


class Watch:
    """What must be noticed while waiting for the cloud: a lost hold, or that we shall stop."""

    def __init__(self, stop: Stop, sessions: Sequence[LineSession]) -> None:
        self._stop = stop
        self._sessions = sessions
        self.lost = False
        self.stopping = False

    def wait(self, others: Sequence[Connection], seconds: float) -> bool:
        """Wait until one of `others` may be read; False when the hold is lost or we shall stop."""
        watched: list[Selectable] = [*others, *self._sessions, self._stop]
        readable, _, _ = select.select(watched, [], [], seconds)
        # TLS may hold bytes that select doesn't show, so each session is asked.
        self.lost = self.lost or any(session.spoke() for session in self._sessions)
        self.stopping = self.stopping or self._stop in readable
        return not self.lost and not self.stopping

    def rest(self, seconds: float) -> bool:
        """Let time pass, still watching."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if not self.wait([], left):
                return False
        return not self.lost and not self.stopping


class Stop:
    """The parent's end of the conversation: readable in the middle of a cut means let go."""

    def __init__(self, fileno: int) -> None:
        self._fileno = fileno

    def fileno(self) -> int:
        """Return the descriptor, for select."""
        return self._fileno


class NoWatch(Watch):
    """Nothing is held any more: only time matters."""

    def __init__(self) -> None:
        self.lost = self.stopping = False

    def wait(self, others: Sequence[Connection], seconds: float) -> bool:
        """Wait until one of `others` may be read."""
        select.select(others, [], [], seconds)
        return True


def _note(facts: DiskFacts, reply: tuple[int, bytes] | None, error: str) -> None:
    """Write down what the cloud said; what can't be read leaves the outcome unknown."""
    if reply is None:
        facts.message = error
        return
    status, body = reply
    answer = _response(body)
    failure = answer.get("Error") or {}
    facts.request_id = str(answer.get("RequestId") or "")
    facts.snapshot_id = str(answer.get("SnapshotId") or "")
    facts.code = str(failure.get("Code") or "")
    facts.message = str(failure.get("Message") or "")
    if not facts.snapshot_id and not facts.code:
        facts.message = f"HTTP {status} without a snapshot id"


def _listed(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    listed = answer.get("SnapshotSet")
    return [item for item in listed or [] if isinstance(item, dict) and item.get("SnapshotId")]


def _response(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)["Response"]
    except (ValueError, KeyError, TypeError):
        return {}
    return answer if isinstance(answer, dict) else {}
