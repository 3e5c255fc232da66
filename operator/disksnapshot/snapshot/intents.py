"""Write an attempt down before anything can come of it, and take up one that was forgotten."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from disksnapshot import naming
from disksnapshot.errors import Conflict
from disksnapshot.snapshot import spec, status
from disksnapshot.snapshot.draft import Draft
from disksnapshot.snapshot.plan import MAX_ATTEMPTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from disksnapshot.cbs.client import Cloud
    from disksnapshot.kube.objects import Objects
    from disksnapshot.naming import Marks
    from disksnapshot.snapshot.prepare import Prepared

    Body = Mapping[str, Any]

T = TypeVar("T")
WRITE_TRIES = 5  # while others keep changing the object


class Intents:
    """The intents of objects: none is written twice, and none that the cloud contradicts."""

    def __init__(
        self, objects: Objects, cloud: Cloud, require_running: Callable[[], None]
    ) -> None:
        self._objects = objects
        self._cloud = cloud
        self._require_running = require_running

    def announce(self, body: Body) -> dict[str, Any]:
        """Put the finalizer on: before writers are touched, as it is what can conflict.

        Not by who is no longer at work: the look-ups took their time, and in an uninstall nobody
        would take it off again.
        """
        self._require_running()
        return insist(self._objects, body, self._objects.add_finalizer)

    def write(
        self, body: Body, prepared: Prepared, marks: Marks, signed: datetime, *,
        forgotten: bool = False,
    ) -> None:  # fmt: skip
        """Write the intent. Unless that is acknowledged, nothing may follow."""
        intent = status.Intent(
            attempt=marks.attempt,
            state=status.OPEN,
            nonce=marks.nonce,
            disk_ids=prepared.order.disk_ids,
            signed=signed,
            not_after=self._cloud.not_after(signed),
        )
        volumes = _volumes(prepared, naming.snapshot_name(marks))

        def write(body: Body) -> dict[str, Any]:
            claims = tuple(target.claim.name for target in prepared.targets)
            ask = replace(spec.parse(body), claims=claims)
            if ask.deleting or not ask.has_finalizer:
                raise Conflict("the object is being deleted")
            draft = Draft(body.get("status", {}), ask, self._cloud.clock.now())
            draft.intend(intent, volumes)
            if forgotten:
                draft.deadline(None)  # the cloud has an earlier one, and is to be told of this
            return self._objects.write_status(body, draft.body)

        insist(self._objects, body, write)

    def require_none_forgotten(self, body: Body, prepared: Prepared, marks: Marks) -> None:
        """Raise Conflict if the cloud has a snapshot of this object that its status forgot.

        A status that was set back, with etcd or by hand, must not make a second one: the attempt
        is written down again, as one whose outcome is unknown, and gone on with from there. What
        was made within the last seconds may not be listed yet, and is missed.
        """
        attempts = [
            naming.attempt_of(item.tags, item.name, marks)
            for item in self._cloud.snapshots_of(*prepared.order.disk_ids)
        ]
        # There is no attempt of a higher number: it is somebody's name that looks like ours.
        possible = [attempt for attempt in attempts if attempt and attempt <= MAX_ATTEMPTS]
        if not possible:
            return
        forgotten = replace(marks, attempt=max(possible))
        now = self._cloud.clock.now()
        self.write(self.announce(body), prepared, forgotten, now, forgotten=True)
        raise Conflict(f"the cloud has attempt {forgotten.attempt}, which the status forgot")


def insist(objects: Objects, body: Body, write: Callable[[Body], T]) -> T:
    """Write although others edit the object, as long as what is asked stays the same.

    Beginning anew for each edit of a label would touch the writers each time.
    """
    for _ in range(WRITE_TRIES):
        try:
            return write(body)
        except Conflict:
            fresh = objects.read(body["metadata"]["namespace"], body["metadata"]["name"])
            if not _is_same_ask(body, fresh):
                raise
            body = fresh
    raise Conflict("others keep changing the object")


def _is_same_ask(before: Body, now: Body) -> bool:
    """Tell whether nothing changed that an attempt depends on."""

    def depends_on(body: Body) -> list[object]:
        metadata = body["metadata"]
        deleted, said = metadata.get("deletionTimestamp"), body.get("status", {})
        # What another operator has called failed meanwhile must stay so.
        ended = status.parse(said).finished
        return [metadata["uid"], deleted, body["spec"], said.get("intent"), ended]

    return depends_on(before) == depends_on(now)


def _volumes(prepared: Prepared, name: str) -> list[dict[str, Any]]:
    return [
        {
            "claimName": target.claim.name,
            "volumeName": target.claim.volume_name,
            "diskID": target.disk.id,
            "snapshotName": name,
            "sizeGiB": target.disk.size_gib,
            "encrypted": target.disk.encrypted,
        }
        for target in prepared.targets
    ]
