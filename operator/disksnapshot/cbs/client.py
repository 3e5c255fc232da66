"""Disks and snapshots: what the operator asks of CBS, in its own words."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tencentcloud.cbs.v20170312 import models
from tencentcloud.cbs.v20170312.cbs_client import CbsClient
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile

from disksnapshot.cbs import signing
from disksnapshot.cbs.errors import Meaning, Remedy, meaning
from disksnapshot.errors import CloudUnavailable, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from tencentcloud.common.credential import Credential

    from disksnapshot.cbs.limits import Limits

PAGE = 100  # the greatest Limit of a Describe call
CALL_SECONDS = 5  # to connect, and for each read
NOT_FOUND = "InvalidSnapshotId.NotFound"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """One CBS disk."""

    id: str
    state: str
    snapshot_ability: bool
    size_gib: int
    encrypted: bool


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
    ) -> None:
        http = HttpProfile(endpoint=endpoint, reqTimeout=CALL_SECONDS, certification=ca_file)
        profile = ClientProfile(httpProfile=http, language="en-US")
        # The SDK warns of each field that it doesn't know, and the service sends new ones.
        warnings.filterwarnings("ignore", r"\w+ fileds are useless", UserWarning)
        self._client = CbsClient(credential, region, profile)
        self.limits = limits

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
        found: dict[str, Snapshot] = {}
        offset, total = 0, 1
        while offset < total:
            answer = self._describe(_lookup_params(disk_id, offset))
            found |= {item.SnapshotId: _snapshot(item) for item in answer.SnapshotSet or []}
            total = int(answer.TotalCount)
            offset += PAGE
        return list(found.values())

    def delete(self, snapshot_id: str) -> None:
        """Ask to delete a snapshot; one that is not there counts as deleted."""
        request = models.DeleteSnapshotsRequest()
        request.SnapshotIds = [snapshot_id]
        try:
            self._call("DeleteSnapshots", lambda: self._client.DeleteSnapshots(request))
        except CloudProblem as error:
            if error.code != NOT_FOUND:
                raise

    def sign_create(self, disk_id: str, name: str, tags: Mapping[str, str], at: datetime) -> bytes:
        """Return CreateSnapshot for one disk, signed as of `at`."""
        params = {
            "DiskId": disk_id,
            "SnapshotName": name,
            "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        }
        return signing.sign(self._client, "CreateSnapshot", params, at)

    def sign_lookup(self, disk_id: str, at: datetime) -> bytes:
        """Return the look-up of a disk's newest snapshots, signed as of `at`."""
        params = _lookup_params(disk_id, 0) | {"Order": "DESC", "OrderField": "CREATE_TIME"}
        return signing.sign(self._client, "DescribeSnapshots", params, at)

    def _describe(self, params: dict[str, Any]) -> Any:
        request = models.DescribeSnapshotsRequest()
        request._deserialize(params)  # noqa: SLF001 - the SDK's way from a dict to nested models
        return self._call("DescribeSnapshots", lambda: self._client.DescribeSnapshots(request))

    def _call(self, action: str, act: Callable[[], Any]) -> Any:
        self.limits.wait(action)
        try:
            answer = act()
        except TencentCloudSDKException as error:
            raise _translate(action, error) from error
        # The SDK takes an error for an empty answer when its content type has a charset; what
        # isn't known to be empty must not be read as "there is none".
        if getattr(answer, "TotalCount", 0) is None:
            raise CloudUnavailable(f"{action}: an answer without a count")
        return answer


class CloudProblem(Problem):
    """The cloud answered with an error code, which means what the table says."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.meaning: Meaning = meaning(code)
        super().__init__(
            self.meaning.reason,
            message,
            final=self.meaning.remedy is Remedy.FINAL,
            needs_person=self.meaning.needs_person,
        )


def _translate(action: str, error: TencentCloudSDKException) -> Exception:
    code, request_id = str(error.code), str(error.requestId or "")
    message = f"{action}: {code}: {str(error.message)[:300]} (request {request_id or 'unknown'})"
    if "." not in code and not request_id:
        return CloudUnavailable(message)  # the SDK's own codes: network, HTTP status, broken body
    return CloudProblem(code, message)


def _lookup_params(disk_id: str, offset: int) -> dict[str, Any]:
    filters = [{"Name": "disk-id", "Values": [disk_id]}]
    return {"Filters": filters, "Limit": PAGE, "Offset": offset}


def _disk(disk: Any) -> Disk:
    return Disk(
        id=disk.DiskId,
        state=str(disk.DiskState or ""),
        snapshot_ability=bool(disk.SnapshotAbility),
        size_gib=int(disk.DiskSize or 0),
        encrypted=bool(disk.Encrypt),
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
