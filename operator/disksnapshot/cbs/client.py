"""Disks and snapshots: what the operator asks of CBS, in its own words."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

from tencentcloud.cbs.v20170312 import models

from disksnapshot.cbs import sdk, signing
from disksnapshot.cbs.calls import CREATE, Calls, CloudProblem
from disksnapshot.cbs.clock import CloudClock
from disksnapshot.cbs.listed import PAGE, Disk, Snapshot, page
from disksnapshot.cbs.together import Together
from disksnapshot.errors import CloudUnavailable, Problem, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from tencentcloud.common.credential import Credential

    from disksnapshot.cbs.limits import Limits

DISKS_A_FILTER = 10  # the most values of the filter disk-id
VALID = timedelta(seconds=signing.VALID_SECONDS)
READINGS = 4  # of a list that changes while it is read
UNFINISHED = ("CREATING", "ROLLBACKING")
NOT_FOUND = "InvalidSnapshotId.NotFound"


class Cloud:
    """The account's CBS in one region. Calls are limited in time and rate."""

    def __init__(
        self,
        credential: Credential,
        region: str,
        endpoint: str,
        ca_file: str | None,
        limits: Limits,
        clock: CloudClock | None = None,
        valid_seconds: int = signing.VALID_SECONDS,
    ) -> None:
        self._valid = timedelta(seconds=valid_seconds)
        self.clock = clock or CloudClock()
        self._client = sdk.client(credential, region, endpoint, ca_file, self.clock)
        self.limits = limits
        self.called: Callable[[str, str, float], None] = _uncounted  # who counts calls sets it
        self._busy = Together(DISKS_A_FILTER, self._unfinished)
        self._calls = Calls(credential, limits, self.clock, self._tell)

    def _tell(self, action: str, code: str, seconds: float) -> None:
        self.called(action, code, seconds)

    @property
    def keys(self) -> str:
        """Whose keys are in use: as long as it is the same, so are account and region."""
        return self._calls.keys

    def disks(self, disk_ids: Sequence[str]) -> dict[str, Disk]:
        """Return the disks that exist, by id."""
        request = models.DescribeDisksRequest()
        request.DiskIds, request.Limit = list(disk_ids), PAGE
        answer = self._call("DescribeDisks", lambda: self._client.DescribeDisks(request))
        return {disk.id: disk for disk in page(answer, "DiskSet", Disk.of)}

    def snapshots(self, snapshot_ids: Sequence[str]) -> dict[str, Snapshot]:
        """Return those of at most 100 snapshots that are listed, by id."""
        answer = self._describe({"SnapshotIds": list(snapshot_ids), "Limit": PAGE})
        return {item.id: item for item in _snapshots(answer)}

    def snapshots_of(self, *disk_ids: str) -> list[Snapshot]:
        """Return every snapshot of some disks: a page must never be taken for all of them."""
        return [snapshot for some in in_tens(disk_ids) for snapshot in self._whole_list(some)]

    def _whole_list(self, disk_ids: Sequence[str]) -> list[Snapshot]:
        for _ in range(READINGS):
            found = self._read_all(disk_ids)
            if found is not None:
                return found
        raise CloudUnavailable(
            f"DescribeSnapshots: the list of {', '.join(disk_ids)} is never whole"
        )

    def _read_all(self, disk_ids: Sequence[str]) -> list[Snapshot] | None:
        """Read all pages; None when a snapshot was made or deleted meanwhile.

        What came after one that was deleted has moved up, perhaps to a page that was read before:
        it would be missed, and a look-up must miss nothing.
        """
        found: dict[str, Snapshot] = {}
        offset, total = 0, 1
        while offset < total:
            answer = self._describe(_lookup_params(disk_ids, offset))
            found |= {item.id: item for item in _snapshots(answer, offset)}
            if offset and int(answer.TotalCount) < total:
                return None
            total = int(answer.TotalCount)
            offset += PAGE
        return list(found.values()) if len(found) >= total else None

    def every_snapshot(self) -> list[Snapshot]:
        """Return what the region has; what moves between pages meanwhile may be missing."""
        found: dict[str, Snapshot] = {}
        offset, total = 0, 1
        while offset < total:
            answer = self._describe({"Limit": PAGE, "Offset": offset})
            found |= {item.id: item for item in _snapshots(answer, offset)}
            total = int(answer.TotalCount)
            offset += PAGE
        return list(found.values())

    def in_creation(self, disk_ids: Sequence[str]) -> dict[str, Snapshot]:
        """Return a snapshot in the making by disk: such a disk can't have another one yet."""
        found: dict[str, Snapshot] = {}
        for some in in_tens(disk_ids):
            found |= self._busy.about(some)
        return found

    def _unfinished(self, disk_ids: Callable[[], Sequence[str]]) -> dict[str, Snapshot]:
        def ask() -> Any:
            params = _lookup_params(disk_ids(), 0)
            params["Filters"].append({"Name": "snapshot-state", "Values": list(UNFINISHED)})
            return self._client.DescribeSnapshots(_describing(params))

        answer = self._call("DescribeSnapshots", ask)
        return {item.disk_id: item for item in _snapshots(answer)}

    def delete(self, snapshot_id: str) -> None:
        """Ask to delete a snapshot; one that is not there counts as deleted."""
        request = models.DeleteSnapshotsRequest()
        request.SnapshotIds = [snapshot_id]
        try:
            self._call("DeleteSnapshots", lambda: self._client.DeleteSnapshots(request))
        except CloudProblem as error:
            if error.code != NOT_FOUND:
                raise

    def not_after(self, signed: datetime) -> datetime:
        """Return when the cloud begins to refuse a CreateSnapshot that is signed at a time."""
        # No reply has told the cloud's time: whatever it is, it takes no request that is
        # further off than VALID.
        return signed + self._valid + (timedelta(0) if self.clock.known else VALID)

    def sign_create(
        self, disk_id: str, name: str, tags: Mapping[str, str], at: datetime,
        deadline: datetime | None = None,
    ) -> bytes:  # fmt: skip
        """Return CreateSnapshot for one disk, to be sent at `at` or a little later.

        Its time stamp lies so far in the past that no more than the wanted validity is left.
        """
        params: dict[str, Any] = {
            "DiskId": disk_id,
            "SnapshotName": name,
            "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        }
        if deadline:
            params["Deadline"] = _moment(deadline)
        return signing.sign(self._client, CREATE, params, at - VALID + self._valid)

    def sign_lookup(self, disk_ids: Sequence[str], at: datetime) -> bytes:
        """Return the look-up of the newest snapshots of at most 10 disks, signed as of `at`."""
        params = _lookup_params(disk_ids, 0) | {"Order": "DESC", "OrderField": "CREATE_TIME"}
        return signing.sign(self._client, "DescribeSnapshots", params, at)

    def set_deadline(self, snapshot_id: str, deadline: datetime | None) -> None:
        """Have the cloud delete a snapshot by itself then, or never.

        Raises: CloudProblem also where it isn't there, as by keys of another account: the deadline
        that it had then counts on.
        """
        request = models.ModifySnapshotAttributeRequest()
        request.SnapshotId = snapshot_id
        if deadline:
            request.Deadline = _moment(deadline)
        else:
            request.IsPermanent = True
        action = "ModifySnapshotAttribute"
        self._call(action, lambda: self._client.ModifySnapshotAttribute(request))

    def require_room(self) -> None:
        """Raise the Problem that stops captures in this region, while there is one."""
        self._calls.require_room(self._count)

    def hear(self, action: str, code: str, message: str = "") -> None:
        """Take what a call came to that was sent by others; no code: it did what was asked."""
        self._calls.hear(action, code, message)

    def _count(self) -> int | None:
        """Return how many snapshots there are in the region; None if that can't be told."""
        request = models.DescribeSnapshotOverviewRequest()
        action = "DescribeSnapshotOverview"
        try:
            answer = self._call(action, lambda: self._client.DescribeSnapshotOverview(request))
            return int(answer.TotalNums)
        except (Problem, Unavailable, TypeError, ValueError):
            return None

    def ask(self, action: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Call an action by its name, with the cloud's own words; return what is in Response."""
        answer = self._call(action, lambda: self._client.call_json(action, dict(params)))
        return dict(answer["Response"])

    def sign(self, action: str, params: Mapping[str, Any], at: datetime) -> bytes:
        """Return the request of an action, signed as of `at`, as bytes for a socket."""
        return signing.sign(self._client, action, params, at)

    def _describe(self, params: dict[str, Any]) -> Any:
        request = _describing(params)
        return self._call("DescribeSnapshots", lambda: self._client.DescribeSnapshots(request))

    def _call(self, action: str, act: Callable[[], Any]) -> Any:
        return self._calls.make(action, act)


def _snapshots(answer: Any, offset: int = 0) -> list[Snapshot]:
    return page(answer, "SnapshotSet", Snapshot.of, offset)


def _uncounted(_action: str, _code: str, _seconds: float) -> None:
    """Count nothing: nobody asked for it."""


def in_tens(disk_ids: Sequence[str]) -> list[Sequence[str]]:
    """Split disks into groups that one look-up can ask for."""
    starts = range(0, len(disk_ids), DISKS_A_FILTER)
    return [disk_ids[start : start + DISKS_A_FILTER] for start in starts]


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def _describing(params: dict[str, Any]) -> models.DescribeSnapshotsRequest:
    request = models.DescribeSnapshotsRequest()
    request._deserialize(params)  # noqa: SLF001 - the SDK's way from a dict to nested models
    return request


def _lookup_params(disk_ids: Sequence[str], offset: int) -> dict[str, Any]:
    filters = [{"Name": "disk-id", "Values": list(disk_ids)}]
    return {"Filters": filters, "Limit": PAGE, "Offset": offset}
