"""Situations of one DiskSnapshot: what is asked, what is done, what the cloud lists."""

from datetime import UTC, datetime, timedelta
from typing import Any

from disksnapshot.snapshot import spec, status, steps
from disksnapshot.snapshot.draft import Draft

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
UID = "0a1b2c3d-4e5f-6789-abcd-ef0123456789"
DISKS = ("disk-aaaaaaaa", "disk-bbbbbbbb")
STEPS: list[dict[str, Any]] = [
    {"mysql": {"credentialsSecretRef": {"name": "mysql-snapshot"}}},
    {"freeze": {"method": "Agent"}},
]


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def body(  # noqa: PLR0913 - each is named where it is given
    *,
    disks: tuple[str, ...] = DISKS[:1],
    deleting: bool = False,
    finalizer: bool = True,
    policy: str = "Retain",
    quiesce: dict[str, Any] | None = None,
    generation: int = 1,
    gives_up: str = "",
    offline: dict[str, Any] | None = None,
    status_so_far: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return an object as the API server has it."""
    metadata: dict[str, Any] = {
        "namespace": "shop",
        "name": "orders",
        "uid": UID,
        "generation": generation,
        "resourceVersion": "1",
    }
    if gives_up:
        metadata["annotations"] = {"disksnapshot.io/give-up": gives_up}
    if finalizer:
        metadata["finalizers"] = ["disksnapshot.io/settle"]
    if deleting:
        metadata["deletionTimestamp"] = "2026-03-01T12:00:00Z"
    claims = [{"name": f"data-{index}"} for index, _ in enumerate(disks)]
    asked: dict[str, Any] = {"source": {"claims": claims}, "deletionPolicy": policy}
    if quiesce is not None:
        asked["quiesce"] = {"steps": STEPS, **quiesce}
    if offline is not None:
        asked["offline"] = offline
    return {
        "apiVersion": "disksnapshot.io/v1alpha1",
        "kind": "DiskSnapshot",
        "metadata": metadata,
        "spec": asked,
        "status": status_so_far or {"observedGeneration": -1},
    }


def ask(**differing: Any) -> spec.Ask:
    return spec.parse(body(**differing))


def intent(
    state: str = status.OPEN,
    *,
    attempt: int = 1,
    disks: tuple[str, ...] = DISKS[:1],
    signed: datetime = NOW,
) -> status.Intent:
    return status.Intent(
        attempt=attempt,
        state=state,
        nonce=f"nonce-{attempt}",
        disk_ids=disks,
        signed=signed,
        not_after=signed + timedelta(seconds=300),
    )


def done(**known: Any) -> status.Done:
    """Return what the status says, by default that nobody has looked yet."""
    facts: dict[str, Any] = {
        "seen": bool(known),
        "generation": 1,
        "ready": "False" if known else "Unknown",
        "reason": "Preparing",
        "message": "looking",
        "since": NOW,
        "stalled": False,
        "intent": None,
        "snapshots": {},
        "consistency": "",
        "retry": None,
        "percent": 0,
        **known,
    }
    return status.Done(**facts)


def recorded(disks: tuple[str, ...] = DISKS[:1], **known: Any) -> status.Done:
    """Return that each disk's snapshot is written down, and what it holds."""
    facts: dict[str, Any] = {
        "intent": intent(status.RECORDED, disks=disks),
        "snapshots": {disk: snapshot_of(disk) for disk in disks},
        "consistency": "ApplicationConsistent",
        **known,
    }
    return done(**facts)


def snapshot_of(disk: str, attempt: int = 1) -> str:
    return f"snap-{disk[5:11]}{attempt:02}"


def found(
    disk: str = DISKS[0],
    *,
    attempt: int = 1,
    state: str = "NORMAL",
    percent: int = 100,
    ours: bool = True,
) -> steps.Found:
    return steps.Found(
        id=snapshot_of(disk, attempt),
        disk_id=disk,
        attempt=attempt,
        state=state,
        percent=percent,
        ours=ours,
    )


def draft(**differing: Any) -> Draft:
    return Draft({}, ask(**differing), NOW)


def volumes(disks: tuple[str, ...] = DISKS[:1]) -> list[dict[str, Any]]:
    return [
        {
            "claimName": f"data-{index}",
            "volumeName": f"pv-{index}",
            "diskID": disk,
            "snapshotName": "shop-orders-0a1b2c3d4e-1",
            "sizeGiB": 10,
            "encrypted": False,
        }
        for index, disk in enumerate(disks)
    ]
