"""The actions on disks: DescribeDisks and CreateDisks."""

import json
import re
from collections import Counter
from dataclasses import replace
from typing import Any

from lab.cbs import admission, marks
from lab.cbs.cloud import Cloud
from lab.cbs.errors import ApiError
from lab.cbs.listing import MAX_LIMIT, Listing
from lab.cbs.parameters import (
    FILTERS,
    FLAG,
    INTEGER,
    PLACEMENT,
    TAGS,
    TEXT,
    Kind,
    ListOf,
    Structure,
)
from lab.cbs.records import Disk, Snapshot, SnapshotState, Token
from lab.cbs.views import disk_document

MAX_COUNT = 50
MAX_TOKEN = 64
CHARGE_TYPES = {"PREPAID", "POSTPAID_BY_HOUR", "CDCPAID"}
DISK_TYPES = {
    "CLOUD_BASIC",
    "CLOUD_PREMIUM",
    "CLOUD_BSSD",
    "CLOUD_SSD",
    "CLOUD_HSSD",
    "CLOUD_TSSD",
}
DESCRIBE = Structure(
    {},
    {
        "DiskIds": ListOf(TEXT),
        "Filters": FILTERS,
        "Limit": INTEGER,
        "Offset": INTEGER,
        "Order": TEXT,
        "OrderField": TEXT,
        "ReturnBindAutoSnapshotPolicy": FLAG,
    },
)
# Documented, so not unknown; refused, as nothing here would act on them.
_NOT_EMULATED: dict[str, Kind] = {
    "Shareable": FLAG,
    "Encrypt": TEXT,
    "EncryptType": TEXT,
    "KmsKeyId": TEXT,
    "DiskChargePrepaid": Structure({"Period": INTEGER}, {"RenewFlag": TEXT}),
    "DeleteSnapshot": INTEGER,
    "DiskBackupQuota": INTEGER,
    "ThroughputPerformance": INTEGER,
    "BurstPerformance": FLAG,
    "AutoMountConfiguration": Structure(
        {"InstanceId": ListOf(TEXT), "MountPoint": ListOf(TEXT)}, {"FileSystemType": TEXT}
    ),
}
CREATE = Structure(
    {"Placement": PLACEMENT, "DiskChargeType": TEXT, "DiskType": TEXT},
    {
        "DiskName": TEXT,
        "Tags": TAGS,
        "SnapshotId": TEXT,
        "DiskCount": INTEGER,
        "DiskSize": INTEGER,
        "ClientToken": TEXT,
        **_NOT_EMULATED,
    },
)

_LISTING: Listing[Disk] = Listing(
    ids="DiskIds",
    form=re.compile(r"disk-[0-9a-z]{8}"),
    filters={
        "disk-id": lambda disk, _: [disk.id],
        "disk-name": lambda disk, _: [disk.name],
        "disk-state": lambda disk, now: [disk.state(now)],
        "disk-type": lambda disk, _: [disk.type],
        "disk-usage": lambda disk, _: [disk.usage],
        "disk-charge-type": lambda disk, _: [disk.charge_type],
        "portable": lambda _disk, _: ["TRUE"],
        "instance-id": lambda disk, now: [disk.holder(now)],
        # No instance here has an address or a name, and nothing is dedicated.
        "instance-ip-address": lambda _disk, _: [],
        "instance-name": lambda _disk, _: [],
        "dedicated-cluster-id": lambda _disk, _: [],
        "cluster-group-id": lambda _disk, _: [],
        "project-id": lambda _disk, _: ["0"],
        "zone": lambda disk, _: [disk.zone],
        "tag-key": lambda disk, _: disk.tags.keys(),
        "tag-value": lambda disk, _: list(disk.tags.values()),
    },
    fuzzy="disk-name",
    by_tag=True,
    most_values={"disk-id": MAX_LIMIT, "instance-id": MAX_LIMIT},
    orders=("CREATE_TIME", "DEADLINE"),
)


def describe(cloud: Cloud, asked: dict[str, Any]) -> dict[str, Any]:
    """List the disks that are visible; an unknown id is no error, only missing."""
    now = cloud.now()
    page, total = _LISTING.choose(asked, cloud.disks(visible_at=now), now, cloud.settings)
    sources = Counter(snapshot.disk_id for snapshot in cloud.snapshots(visible_at=now))
    shown = [disk_document(disk, sources[disk.id], now, cloud.settings) for disk in page]
    return {"TotalCount": total, "DiskSet": shown}


def create(cloud: Cloud, asked: dict[str, Any]) -> dict[str, Any]:
    """Make disks; the same ClientToken again returns the same disks."""
    token = asked.get("ClientToken", "")
    if len(token) > MAX_TOKEN or not token.isascii():
        raise ApiError(
            "InvalidParameter.InvalidClientToken", f"A token is {MAX_TOKEN} ASCII letters at most."
        )
    for name in _NOT_EMULATED.keys() & asked.keys():
        raise ApiError("UnsupportedOperation", f"{name} isn't emulated.")
    wanted = Token(id=token, request=json.dumps(asked, sort_keys=True), disk_ids=[])
    # Before any check of the rest: the snapshot may be gone when a lost reply is asked for again.
    earlier = cloud.made_earlier(wanted)
    if earlier is not None:
        return {"DiskIdSet": earlier}
    admission.check_account(cloud.settings)
    disks = _intended(cloud, asked)
    wanted = replace(wanted, disk_ids=[disk.id for disk in disks])
    delay = cloud.settings.visibility_delay_milliseconds / 1000
    return {"DiskIdSet": cloud.make_disks(disks, wanted, delay)}


def _intended(cloud: Cloud, asked: dict[str, Any]) -> list[Disk]:
    source = _source(cloud, asked["SnapshotId"]) if "SnapshotId" in asked else None
    _check_choice("DiskChargeType", asked["DiskChargeType"], CHARGE_TYPES)
    _check_choice("DiskType", asked["DiskType"], DISK_TYPES)
    count, size = asked.get("DiskCount", 1), _size(asked, source)
    if not 1 <= count <= MAX_COUNT:
        raise ApiError("InvalidParameterValue.LimitExceeded", f"DiskCount is 1 to {MAX_COUNT}.")
    return [
        Disk(
            id=cloud.new_id("disk"),
            name=marks.name(asked.get("DiskName", "Unnamed")),
            size_gib=size,
            zone=asked["Placement"]["Zone"],
            created=cloud.now(),
            type=asked["DiskType"],
            charge_type=asked["DiskChargeType"],
            tags=marks.tags(asked.get("Tags", [])),
            encrypted=source.encrypted if source else False,
            source_snapshot_id=source.id if source else "",
        )
        for _ in range(count)
    ]


def _source(cloud: Cloud, snapshot_id: str) -> Snapshot:
    source = cloud.snapshot(snapshot_id)
    if source.state(cloud.now()) != SnapshotState.NORMAL:
        raise ApiError("InvalidSnapshot.NotSupported", f"`{source.id}` is being created.")
    if source.usage != "DATA_DISK":
        raise ApiError("InvalidSnapshot.NotSupported", f"`{source.id}` isn't of a data disk.")
    return source


def _size(asked: dict[str, Any], source: Snapshot | None) -> int:
    least = source.size_gib if source else 1
    size = asked.get("DiskSize", source.size_gib if source else None)
    if size is None:
        raise ApiError(
            "MissingParameter", "The request is missing a required parameter `DiskSize`."
        )
    if size < least:
        raise ApiError("InvalidParameterValue", f"DiskSize must be {least} GiB at least.")
    return int(size)


def _check_choice(name: str, value: str, choices: set[str]) -> None:
    if value not in choices:
        raise ApiError("InvalidParameterValue", f"{name} must be one of {sorted(choices)}.")
