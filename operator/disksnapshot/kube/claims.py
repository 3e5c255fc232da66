"""Follow a claim to its volume and to the CBS disk behind it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from disksnapshot.errors import Gone, Problem
from disksnapshot.reasons import Reason

if TYPE_CHECKING:
    from disksnapshot.kube.api import Api

DRIVER = "com.tencent.cloud.csi.cbs"
DISK_ID = re.compile(r"disk-[a-z0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A bound claim, and the one CBS disk that it stands for."""

    name: str
    uid: str
    volume_name: str
    disk_id: str
    is_block: bool


def resolve(api: Api, namespace: str, name: str) -> Claim:
    """Return the claim with its disk; raise Problem when the chain is broken."""
    try:
        claim = api.get(f"/api/v1/namespaces/{namespace}/persistentvolumeclaims/{name}")
    except Gone as error:
        message = f"there is no claim {name} in namespace {namespace}"
        raise Problem(Reason.CLAIM_NOT_FOUND, message) from error
    volume_name = claim["spec"].get("volumeName")
    if claim.get("status", {}).get("phase") != "Bound" or not volume_name:
        raise Problem(Reason.CLAIM_NOT_BOUND, f"claim {name} is not bound to a volume")
    try:
        volume = api.get(f"/api/v1/persistentvolumes/{volume_name}")
    except Gone as error:
        message = f"claim {name} names volume {volume_name}, which doesn't exist"
        raise Problem(Reason.CLAIM_NOT_BOUND, message) from error
    return _checked(claim, volume)


def _checked(claim: dict[str, Any], volume: dict[str, Any]) -> Claim:
    name, uid = claim["metadata"]["name"], claim["metadata"]["uid"]
    # Anybody may write volumeName; only the volume's claimRef says whose disk it is.
    if volume["spec"].get("claimRef", {}).get("uid") != uid:
        message = f"volume {volume['metadata']['name']} is not bound to claim {name}"
        raise Problem(Reason.CLAIM_NOT_BOUND, message)
    source = volume["spec"].get("csi") or {}
    handle = str(source.get("volumeHandle", ""))
    if source.get("driver") != DRIVER or not DISK_ID.fullmatch(handle):
        message = (
            f"the volume of claim {name} is not one CBS disk of driver {DRIVER} "
            f"(driver {source.get('driver') or 'none'}, handle {handle[:80] or 'none'})"
        )
        raise Problem(Reason.NOT_A_CBS_VOLUME, message, final=True)
    return Claim(
        name=name,
        uid=uid,
        volume_name=volume["metadata"]["name"],
        disk_id=handle,
        is_block=volume["spec"].get("volumeMode") == "Block",
    )
