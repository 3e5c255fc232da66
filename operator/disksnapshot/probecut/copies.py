"""What the probe makes in the cloud besides the snapshot, and how it takes everything away."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from disksnapshot.errors import Problem, Unavailable
from disksnapshot.probecut.calls import ProbeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from disksnapshot.cbs.client import Cloud

PAUSE_SECONDS = 1.0
AWAY_SECONDS = 60.0


class Copies:
    """The restored disk and the snapshot of one run."""

    def __init__(
        self, cloud: Cloud, name: str, patience: float, say: Callable[[str], None]
    ) -> None:
        self._cloud = cloud
        self._name = name
        self._patience = patience
        self._say = say
        self.snapshot_id = ""
        self.disk_id = ""

    def disk(self, disk_id: str) -> dict[str, Any]:
        """Return a disk as the cloud describes it; raise ProbeError without one."""
        found = self._cloud.ask("DescribeDisks", {"DiskIds": [disk_id]})["DiskSet"]
        if not found:
            raise ProbeError(f"there is no disk {disk_id} in the region")
        return dict(found[0])

    def await_snapshot(self) -> None:
        """Wait until the snapshot is complete: only then a disk can be made of it."""

        def complete() -> bool:
            snapshot = self._cloud.snapshots([self.snapshot_id]).get(self.snapshot_id)
            return snapshot is not None and snapshot.complete

        self._until(complete, f"{self.snapshot_id} is complete", self._patience)

    def restore(self, source: dict[str, Any]) -> None:
        """Make a disk of the snapshot, like its source and beside it."""
        asked = {
            "Placement": {"Zone": source["Placement"]["Zone"]},
            "DiskChargeType": "POSTPAID_BY_HOUR",
            "DiskType": source["DiskType"],
            "DiskName": self._name,
            "SnapshotId": self.snapshot_id,
            "ClientToken": self._name,
        }
        [self.disk_id] = self._create(asked)["DiskIdSet"]
        self._until(
            lambda: self._state() in {"UNATTACHED", "ATTACHED"},
            f"{self.disk_id} is made",
            self._patience,
        )

    def _create(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Ask again when no answer came: by its ClientToken it is the same request."""
        try:
            return self._cloud.ask("CreateDisks", asked)
        except Unavailable:
            return self._cloud.ask("CreateDisks", asked)

    def attach(self, instance_id: str) -> None:
        """Attach the restored disk to a machine."""
        self._cloud.ask("AttachDisks", {"InstanceId": instance_id, "DiskIds": [self.disk_id]})
        self._until(lambda: self._state() == "ATTACHED", "it is attached", self._patience)

    def take_away(self, *, detach: bool) -> None:
        """Remove disk and snapshot; say what could not be removed, by its id."""
        if self.disk_id:
            self._try(f"disk {self.disk_id}", lambda: self._remove_disk(detach=detach))
        if self.snapshot_id:
            self._try(f"snapshot {self.snapshot_id}", self._remove_snapshot)

    def _remove_disk(self, *, detach: bool) -> None:
        if detach and self._state() == "ATTACHED":
            self._cloud.ask("DetachDisks", {"DiskIds": [self.disk_id]})
            self._until(lambda: self._state() == "UNATTACHED", "it is detached", AWAY_SECONDS)
        self._cloud.ask("TerminateDisks", {"DiskIds": [self.disk_id]})

    def _remove_snapshot(self) -> None:
        self.await_snapshot()  # the cloud deletes complete ones alone
        self._cloud.delete(self.snapshot_id)

    def _try(self, what: str, remove: Callable[[], None]) -> None:
        try:
            remove()
        except (Problem, Unavailable, ProbeError) as error:
            self._say(f"LEFT IN THE CLOUD: {what} ({error}); remove it by hand")

    def _state(self) -> str:
        found = self._cloud.ask("DescribeDisks", {"DiskIds": [self.disk_id]})["DiskSet"]
        return str(found[0]["DiskState"]) if found else ""

    def _until(self, reached: Callable[[], bool], what: str, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not reached():
            if time.monotonic() > end:
                raise ProbeError(f"waited {seconds:.0f} s in vain until {what}")
            time.sleep(PAUSE_SECONDS)
