"""Read and set the scale of a workload, and read of its pods and its volumes' attachments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from disksnapshot.errors import Conflict, Forbidden, Gone, Problem
from disksnapshot.kube.api import MERGE
from disksnapshot.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Collection

    from disksnapshot.kube.api import Api

PLURALS = {"StatefulSet": "statefulsets", "Deployment": "deployments"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """What a workload's scale says: whose it is, and how many replicas are wanted."""

    uid: str
    replicas: int
    version: str


@dataclass(frozen=True, slots=True)
class Place:
    """A workload's address."""

    namespace: str
    kind: str
    name: str

    @property
    def workload(self) -> str:
        """Where the API server serves it."""
        return f"/apis/apps/v1/namespaces/{self.namespace}/{PLURALS[self.kind]}/{self.name}"

    @property
    def path(self) -> str:
        """Where the API server serves its scale."""
        return f"{self.workload}/scale"


def scale(api: Api, place: Place) -> Scale:
    """Return the scale as it is now; raise Gone."""
    try:
        found = api.get(place.path)
    except Forbidden as error:
        raise _forbidden(place, error) from error
    metadata = found["metadata"]
    # A number of zero is left out.
    replicas = int(found["spec"].get("replicas", 0))
    return Scale(uid=metadata["uid"], replicas=replicas, version=metadata["resourceVersion"])


def goes_with_its_namespace(api: Api, namespace: str) -> bool:
    """Tell whether a namespace is being deleted, and with it all workloads and roles in it."""
    try:
        found = api.get(f"/api/v1/namespaces/{namespace}")
    except Gone:
        return True
    except Forbidden:
        return False
    return "deletionTimestamp" in found["metadata"]


def deletes_claims(api: Api, place: Place) -> bool:
    """Tell whether claims, and so their disks, are deleted when it is scaled down.

    The controller marks a claim for that only when its pod is to go, so the set itself must be
    asked (kubernetes.io, StatefulSets, PersistentVolumeClaim retention).
    """
    if place.kind != "StatefulSet":
        return False
    try:
        found = api.get(place.workload)
    except Gone:
        return False
    except Forbidden as error:
        raise _lacks(error) from error
    policy = found["spec"].get("persistentVolumeClaimRetentionPolicy", {})
    return bool(policy.get("whenScaled") == "Delete")


def set_scale(
    api: Api, place: Place, replicas: int, version: str, *, only_try: bool = False
) -> None:
    """Want so many replicas, if nothing of the workload has changed; raise Conflict."""
    change = {"metadata": {"resourceVersion": version}, "spec": {"replicas": replicas}}
    query = "fieldManager=disksnapshot-operator" + ("&dryRun=All" if only_try else "")
    try:
        api.patch(f"{place.path}?{query}", change, MERGE)
    except Forbidden as error:
        raise _forbidden(place, error) from error
    except Gone as error:
        raise Conflict(str(error)) from error


def pods(api: Api, namespace: str) -> tuple[list[dict[str, Any]], str]:
    """Return the pods of a namespace, and from where on their history tells what came later."""
    listed = api.get(f"/api/v1/namespaces/{namespace}/pods")
    return listed["items"], str(listed["metadata"]["resourceVersion"])


def last_seen(api: Api, namespace: str, since: str) -> dict[str, dict[str, Any]] | None:
    """Return by uid each pod that changed, as the API server last had it, the deleted ones too.

    None when it remembers no more, or doesn't tell us: it keeps such a history for a minute at
    least, and for some minutes as a rule.
    """
    try:
        events = api.history(f"/api/v1/namespaces/{namespace}/pods", since)
    except (Gone, Forbidden):
        return None
    if any(event["type"] == "ERROR" for event in events):
        return None
    return {event["object"]["metadata"]["uid"]: event["object"] for event in events}


def owner(api: Api, namespace: str, pod: dict[str, Any]) -> str:
    """Return the uid of a pod's workload, through its ReplicaSet if it has one."""
    controller = _controller(pod)
    if controller.get("kind") != "ReplicaSet":
        return str(controller.get("uid", ""))
    path = f"/apis/apps/v1/namespaces/{namespace}/replicasets/{controller['name']}"
    try:
        replicas = api.get(path)
    except Gone:
        return ""
    except Forbidden as error:
        raise _lacks(error) from error
    return str(_controller(replicas).get("uid", ""))


def attachment(api: Api, volumes: Collection[str]) -> str:
    """Return the name of an attachment of one of the volumes to a node, or nothing."""
    try:
        listed = api.get("/apis/storage.k8s.io/v1/volumeattachments")
    except Forbidden as error:
        raise _lacks(error) from error
    for item in listed["items"]:
        if item["spec"]["source"].get("persistentVolumeName") in volumes:
            return str(item["metadata"]["name"])
    return ""


def _controller(item: dict[str, Any]) -> dict[str, Any]:
    owners = item["metadata"].get("ownerReferences", [])
    return next((owner for owner in owners if owner.get("controller")), {})


def _forbidden(place: Place, error: Forbidden) -> Problem:
    message = f"the operator may not scale {place.kind} {place.name}: {error}"
    return Problem(Reason.SCALE_FORBIDDEN, message)


def _lacks(error: Forbidden) -> Problem:
    return Problem(Reason.SCALE_FORBIDDEN, f"the operator lacks a right: {error}")
