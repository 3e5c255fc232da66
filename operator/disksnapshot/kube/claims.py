"""Follow a claim to its volume and to the CBS disk behind it, in whatever form TKE wrote it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from disksnapshot.errors import Gone, Problem
from disksnapshot.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from disksnapshot.kube.api import Api

DRIVER = "com.tencent.cloud.csi.cbs"
MOST_CLAIMS = 16  # as in spec.source.claims
DISK_ID = re.compile(r"disk-[a-z0-9]+")
# Set by Kubernetes on a volume of an in-tree plug-in that a CSI driver has taken over.
MIGRATED = "pv.kubernetes.io/migrated-to"
ZONE_LABELS = (
    "topology.com.tencent.cloud.csi.cbs/zone",
    "topology.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/zone",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A bound claim, and the one CBS disk that it stands for.

    `in_tree`: mounted by old TKE's own plug-in in the kubelet, at a path of its own. `pod`: the
    pod that it was made with, and is deleted with.
    """

    name: str
    uid: str
    volume_name: str
    disk_id: str
    is_block: bool
    in_tree: bool = False
    zone: str = ""
    pod: str = ""


def chosen(api: Api, namespace: str, selector: str) -> list[str]:
    """Return the claims that fit a label selector; raise Problem for none, or too many."""
    path = f"/api/v1/namespaces/{namespace}/persistentvolumeclaims"
    listed = api.get(path, labelSelector=selector)
    names = sorted(item["metadata"]["name"] for item in listed["items"])
    if not names:
        message = f"no claim in namespace {namespace} fits spec.source.claimSelector"
        raise Problem(Reason.CLAIM_NOT_FOUND, message)
    if len(names) > MOST_CLAIMS:
        message = (
            f"{len(names)} claims fit spec.source.claimSelector, and {MOST_CLAIMS} at most are cut"
        )
        raise Problem(Reason.TOO_MANY_CLAIMS, message)
    return names


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
    return Claim(
        name=name,
        uid=uid,
        volume_name=volume["metadata"]["name"],
        disk_id=_disk_id(name, volume["spec"]),
        is_block=volume["spec"].get("volumeMode") == "Block",
        in_tree=_is_in_tree(volume),
        zone=next(_zones(volume), ""),
        pod=next(_pods(claim), ""),
    )


def _disk_id(name: str, spec: dict[str, Any]) -> str:
    driver, handle = _handle(spec)
    if "," in handle and driver == DRIVER:
        # One cut a disk can't be one moment of the volume: each write is spread over the disks.
        message = (
            f"the volume of claim {name} is striped over several disks ({handle[:200]}); "
            "snapshots of such a volume are not taken"
        )
        raise Problem(Reason.NOT_A_CBS_VOLUME, message, final=True)
    if driver != DRIVER or not DISK_ID.fullmatch(handle):
        message = (
            f"the volume of claim {name} is not one CBS disk of driver {DRIVER} "
            f"(driver {driver or 'none'}, handle {handle[:80] or 'none'})"
        )
        raise Problem(Reason.NOT_A_CBS_VOLUME, message, final=True)
    return handle


def _handle(spec: dict[str, Any]) -> tuple[str, str]:
    """Return driver and handle; an in-tree volume is written as one of the driver."""
    in_tree = spec.get("qcloudCbs")
    if in_tree:
        return DRIVER, str(in_tree.get("cbsDiskId", ""))
    source = spec.get("csi") or {}
    return str(source.get("driver", "")), str(source.get("volumeHandle", ""))


def _is_in_tree(volume: dict[str, Any]) -> bool:
    annotations = volume["metadata"].get("annotations") or {}
    return bool(volume["spec"].get("qcloudCbs")) and annotations.get(MIGRATED) != DRIVER


def _pods(claim: dict[str, Any]) -> Iterator[str]:
    for owner in claim["metadata"].get("ownerReferences", []):
        if owner["kind"] == "Pod":
            yield owner["name"]


def _zones(volume: dict[str, Any]) -> Iterator[str]:
    """Return the zones that the volume names: only a hint, the cloud knows better."""
    required = (volume["spec"].get("nodeAffinity") or {}).get("required") or {}
    for term in required.get("nodeSelectorTerms", []):
        for wanted in term.get("matchExpressions", []):
            if wanted.get("key") in ZONE_LABELS:
                yield from wanted.get("values", [])
    labels = volume["metadata"].get("labels") or {}
    yield from (labels[key] for key in ZONE_LABELS if key in labels)
