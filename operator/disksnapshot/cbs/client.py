"""Disks and snapshots: what the operator asks of CBS, in its own words."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

from tencentcloud.cbs.v20170312 import models
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

from disksnapshot.cbs import sdk, signing
from disksnapshot.cbs.clock import CloudClock
from disksnapshot.cbs.errors import Meaning, Remedy, meaning
from disksnapshot.cbs.gate import Admission, Gate
from disksnapshot.cbs.temporary import TemporaryCredential
from disksnapshot.errors import CloudUnavailable, Problem, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from tencentcloud.common.credential import Credential

    from disksnapshot.cbs.limits import Limits

PAGE = 100  # the greatest Limit of a Describe call
DISKS_A_FILTER = 10  # the most values of the filter disk-id
VALID = timedelta(seconds=signing.VALID_SECONDS)
READINGS = 4  # of a list that changes while it is read
CREATE = "CreateSnapshot"
UNFINISHED = ("CREATING", "ROLLBACKING")
NOT_FOUND = "InvalidSnapshotId.NotFound"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """One CBS disk; `state` is the cloud's own word, `instance_id` empty while it has none."""

    id: str
    state: str
    snapshot_ability: bool
    size_gib: int
    encrypted: bool
    shareable: bool = False
    migrating: bool = False
    rolling_back: bool = False
    instance_id: str = ""
    last_instance_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One CBS snapshot; `percent` is 0..100, `state` the cloud's own word."""

    id: str
    name: str
    disk_id: str
    state: str
    percent: int
    tags: Mapping[str, str]

    @property
    def complete(self) -> bool:
        """Both are asked for: NORMAL alone has been seen before the copy was complete."""
        return self.state == "NORMAL" and self.percent == 100  # noqa: PLR2004 - per cent


class Cloud:
    """The account's CBS in one region. Calls are limited in time and rate; none retries."""

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
        self._keys = credential
        self._valid = timedelta(seconds=valid_seconds)
        self.clock = clock or CloudClock()
        self._client = sdk.client(credential, region, endpoint, ca_file, self.clock)
        self.limits = limits
        self._gate = Gate()
        self.called: Callable[[str, str, float], None] = _uncounted  # who counts calls sets it

    def disks(self, disk_ids: Sequence[str]) -> dict[str, Disk]:
        """Return the disks that exist, by id."""
        request = models.DescribeDisksRequest()
        request.DiskIds, request.Limit = list(disk_ids), PAGE
        answer = self._call("DescribeDisks", lambda: self._client.DescribeDisks(request))
        return {disk.DiskId: _disk(disk) for disk in answer.DiskSet or []}

    def snapshots(self, snapshot_ids: Sequence[str]) -> dict[str, Snapshot]:
        """Return those of at most 100 snapshots that are listed, by id."""
        answer = self._describe({"SnapshotIds": list(snapshot_ids), "Limit": PAGE})
        return {item.SnapshotId: _snapshot(item) for item in answer.SnapshotSet or []}

    def snapshots_of(self, disk_id: str) -> list[Snapshot]:
        """Return every snapshot of a disk: a page must never be taken for all of them."""
        for _ in range(READINGS):
            found = self._read_all(disk_id)
            if found is not None:
                return found
        raise CloudUnavailable(f"DescribeSnapshots: the list of {disk_id} keeps changing")

    def _read_all(self, disk_id: str) -> list[Snapshot] | None:
        """Read all pages; None when one was deleted meanwhile.

        What came after it has moved up, perhaps to a page that was read before: it would be
        missed, and a look-up must miss nothing.
        """
        found: dict[str, Snapshot] = {}
        offset, total = 0, 1
        while offset < total:
            answer = self._describe(_lookup_params([disk_id], offset))
            found |= {item.SnapshotId: _snapshot(item) for item in answer.SnapshotSet or []}
            if offset and int(answer.TotalCount) < total:
                return None
            total = int(answer.TotalCount)
            offset += PAGE
        return list(found.values())

    def every_snapshot(self) -> list[Snapshot]:
        """Return what the region has; what moves between pages meanwhile may be missing."""
        found: dict[str, Snapshot] = {}
        offset, total = 0, 1
        while offset < total:
            answer = self._describe({"Limit": PAGE, "Offset": offset})
            found |= {item.SnapshotId: _snapshot(item) for item in answer.SnapshotSet or []}
            total = int(answer.TotalCount)
            offset += PAGE
        return list(found.values())

    def in_creation(self, disk_ids: Sequence[str]) -> dict[str, Snapshot]:
        """Return a snapshot in the making by disk: such a disk can't have another one yet."""
        found: dict[str, Snapshot] = {}
        for some in in_tens(disk_ids):
            params = _lookup_params(some, 0)
            params["Filters"].append({"Name": "snapshot-state", "Values": list(UNFINISHED)})
            answer = self._describe(params)
            found |= {item.DiskId: _snapshot(item) for item in answer.SnapshotSet or []}
        return found

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
        """Have the cloud delete a snapshot by itself then, or never; one that is gone is gone."""
        request = models.ModifySnapshotAttributeRequest()
        request.SnapshotId = snapshot_id
        if deadline:
            request.Deadline = _moment(deadline)
        else:
            request.IsPermanent = True
        action = "ModifySnapshotAttribute"
        try:
            self._call(action, lambda: self._client.ModifySnapshotAttribute(request))
        except CloudProblem as error:
            if error.code != NOT_FOUND:
                raise

    def require_room(self) -> None:
        """Raise the Problem that stops captures in this region, while there is one."""
        admission = self._gate.ask(self.clock.now())
        if admission is Admission.ENTER or (admission is Admission.LOOK_FIRST and self._room()):
            return
        if why := self._gate.why:
            raise why

    def hear(self, action: str, code: str, message: str = "") -> None:
        """Take what a call came to that was sent by others; no code: it did what was asked."""
        said = meaning(code)
        if said.remedy is Remedy.CREDENTIALS and isinstance(self._keys, TemporaryCredential):
            self._keys.distrust()
        elif not code and action == CREATE:
            self._gate.succeed()
        elif said.remedy is Remedy.SEND_AGAIN:
            # Bare, it is this action's rate; each detail is about more than one action.
            self.limits.slow_down(action, whole_account="." in code)
        elif said.remedy is Remedy.QUOTA and action == CREATE:
            self._gate.refuse(said, f"{code}: {message}", self.clock.now())

    def _room(self) -> bool:
        """Tell whether there are fewer snapshots in the region than when there was no room."""
        request = models.DescribeSnapshotOverviewRequest()
        try:
            answer = self._call(
                "DescribeSnapshotOverview", lambda: self._client.DescribeSnapshotOverview(request)
            )
        except (Problem, Unavailable):
            return False  # what stopped captures is to be told, not this
        return self._gate.count(int(answer.TotalNums))

    def ask(self, action: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Call an action by its name, with the cloud's own words; return what is in Response."""
        answer = self._call(action, lambda: self._client.call_json(action, dict(params)))
        response = dict(answer["Response"])
        if "Error" in response:  # the SDK overlooks it when the content type has a charset
            raise CloudUnavailable(f"{action}: {response['Error']}")
        return response

    def sign(self, action: str, params: Mapping[str, Any], at: datetime) -> bytes:
        """Return the request of an action, signed as of `at`, as bytes for a socket."""
        return signing.sign(self._client, action, params, at)

    def _describe(self, params: dict[str, Any]) -> Any:
        request = models.DescribeSnapshotsRequest()
        request._deserialize(params)  # noqa: SLF001 - the SDK's way from a dict to nested models
        return self._call("DescribeSnapshots", lambda: self._client.DescribeSnapshots(request))

    def _call(self, action: str, act: Callable[[], Any]) -> Any:
        self.limits.wait(action)
        try:
            answer = self._counted(action, act)
        except TencentCloudSDKException as error:
            problem = _translate(action, error)
            if isinstance(problem, CloudProblem):
                self.hear(action, problem.code)
            raise problem from error
        # The SDK takes an error for an empty answer when its content type has a charset; what
        # isn't known to be empty must not be read as "there is none".
        if None in {getattr(answer, "TotalCount", 0), getattr(answer, "TotalNums", 0)}:
            raise CloudUnavailable(f"{action}: an answer without a count")
        return answer

    def _counted(self, action: str, act: Callable[[], Any]) -> Any:
        began, code = time.monotonic(), "OK"
        try:
            return act()
        except TencentCloudSDKException as error:
            code = str(error.code)
            raise
        finally:
            self.called(action, code, time.monotonic() - began)


def _uncounted(_action: str, _code: str, _seconds: float) -> None:
    """Count nothing: nobody asked for it."""


def in_tens(disk_ids: Sequence[str]) -> list[Sequence[str]]:
    """Split disks into groups that one look-up can ask for."""
    starts = range(0, len(disk_ids), DISKS_A_FILTER)
    return [disk_ids[start : start + DISKS_A_FILTER] for start in starts]


class CloudProblem(Problem):
    """The cloud answered with an error code, which means what the table says."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.meaning: Meaning = meaning(code)
        super().__init__(
            self.meaning.reason,
            message,
            final=self.meaning.remedy is Remedy.FINAL,
            slow=self.meaning.needs_person,
        )


def _translate(action: str, error: TencentCloudSDKException) -> Exception:
    code, request_id = str(error.code), str(error.requestId or "")
    message = f"{action}: {code}: {str(error.message)[:300]} (request {request_id or 'unknown'})"
    if "." not in code and not request_id:
        return CloudUnavailable(message)  # the SDK's own codes: network, HTTP status, broken body
    return CloudProblem(code, message)


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def _lookup_params(disk_ids: Sequence[str], offset: int) -> dict[str, Any]:
    filters = [{"Name": "disk-id", "Values": list(disk_ids)}]
    return {"Filters": filters, "Limit": PAGE, "Offset": offset}


def _disk(disk: Any) -> Disk:
    return Disk(
        id=disk.DiskId,
        state=str(disk.DiskState or ""),
        snapshot_ability=bool(disk.SnapshotAbility),
        size_gib=int(disk.DiskSize or 0),
        encrypted=bool(disk.Encrypt),
        shareable=bool(disk.Shareable),
        migrating=bool(disk.Migrating),
        rolling_back=bool(disk.Rollbacking),
        instance_id=str(disk.InstanceId or ""),
        last_instance_id=str(disk.LastAttachInsId or ""),
    )


def _snapshot(snapshot: Any) -> Snapshot:
    return Snapshot(
        id=snapshot.SnapshotId,
        name=str(snapshot.SnapshotName or ""),
        disk_id=str(snapshot.DiskId or ""),
        state=str(snapshot.SnapshotState or ""),
        percent=int(snapshot.Percent or 0),
        tags={tag.Key: tag.Value for tag in snapshot.Tags or []},
    )
