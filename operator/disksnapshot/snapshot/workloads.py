"""Look at a workload that goes to zero: whether it may, how far it is, and how its pods ended."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from disksnapshot.errors import Gone, Problem
from disksnapshot.kube import endings, workloads
from disksnapshot.reasons import Reason
from disksnapshot.snapshot.disks import DETACHED
from disksnapshot.snapshot.down import Down, Workload

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from disksnapshot.kube.api import Api
    from disksnapshot.kube.claims import Claim
    from disksnapshot.kube.workloads import Scale
    from disksnapshot.snapshot.prepare import Preparer, Target
    from disksnapshot.snapshot.spec import Ask, Offline

NONE = Workload(uid="", replicas=0, version="")


class Workloads:
    """Looks, and scales; what is to be done is decided elsewhere."""

    def __init__(self, api: Api, preparer: Preparer) -> None:
        self._api = api
        self._preparer = preparer

    def judge(self, ask: Ask, asked: Offline, now: datetime) -> Down:
        """Return what is to be written down before it goes to zero; raise Problem if it may not.

        All that could stand in the way of a cut is found out first: an outage for nothing is the
        worst that this can do.
        """
        for target in self._preparer.survey(ask):
            _require_kept_files(target.claim)
        place = workloads.Place(ask.namespace, asked.kind, asked.name)
        scale = self._found(place)
        self._require_keeps_claims(place)
        workloads.set_scale(self._api, place, 0, scale.version, only_try=True)
        pods, history = workloads.pods(self._api, ask.namespace)
        self._require_owned(ask, asked, scale, pods)
        return Down(
            kind=asked.kind,
            name=asked.name,
            uid=scale.uid,
            replicas=scale.replicas,
            history=history,
            began=now,
            until=now + timedelta(seconds=asked.seconds),
        )

    def look(self, ask: Ask, down: Down, now: datetime) -> Workload:
        """Return how it is; what takes longer to find out only while that is waited for."""
        try:
            scale = workloads.scale(self._api, _place(ask, down))
        except Gone:
            return NONE
        except Problem:
            if ask.deleting and workloads.goes_with_its_namespace(self._api, ask.namespace):
                return NONE  # and so has our right to see it
            raise
        # Of an object that is deleted nothing is cut any more, so that nothing is waited for.
        awaited = down.scaled and not down.detached and now < down.until and not ask.deleting
        left = ""
        if awaited and scale.uid == down.uid and scale.replicas == 0:
            left = self._left(ask)
        return Workload(
            uid=scale.uid,
            replicas=scale.replicas,
            version=scale.version,
            waits_for=left,
            unclean="" if left or not awaited else self._unclean(ask, down),
        )

    def set(self, ask: Ask, down: Down, replicas: int, version: str) -> None:
        """Want so many replicas, if the workload is still as it was seen."""
        place = _place(ask, down)
        if replicas == 0:
            # Once more: the version lets nobody change it between this look and the scaling.
            self._require_keeps_claims(place)
        workloads.set_scale(self._api, place, replicas, version)

    def _found(self, place: workloads.Place) -> Scale:
        try:
            return workloads.scale(self._api, place)
        except Gone as error:
            message = f"there is no {place.kind} {place.name} in namespace {place.namespace}"
            raise Problem(Reason.WORKLOAD_NOT_FOUND, message) from error

    def _require_keeps_claims(self, place: workloads.Place) -> None:
        if workloads.deletes_claims(self._api, place):
            message = (
                f"{place.kind} {place.name} has persistentVolumeClaimRetentionPolicy.whenScaled: "
                "Delete: its claims, and their disks, would be deleted at zero"
            )
            raise Problem(Reason.WORKLOAD_UNSUITABLE, message)

    def _require_owned(
        self, ask: Ask, asked: Offline, scale: Scale, pods: Sequence[dict[str, Any]]
    ) -> None:
        """Its pods, and nobody else's, must use the claims: else it is not they who must go."""
        using = _using(pods, ask)
        for pod in using:
            if workloads.owner(self._api, ask.namespace, pod) != scale.uid:
                message = (
                    f"pod {pod['metadata']['name']} uses the claims and doesn't belong to "
                    f"{asked.kind} {asked.name}"
                )
                raise Problem(Reason.WORKLOAD_UNSUITABLE, message)
        for claim in ask.claims:
            if scale.replicas and not any(endings.uses(pod, [claim]) for pod in using):
                message = f"no pod of {asked.kind} {asked.name} uses claim {claim}"
                raise Problem(Reason.WORKLOAD_UNSUITABLE, message)

    def _left(self, ask: Ask) -> str:
        """Return what is still there; each is asked for only when what goes before it is gone."""
        pods, _ = workloads.pods(self._api, ask.namespace)
        using = _using(pods, ask)
        if using:
            return f"pod {', '.join(sorted(pod['metadata']['name'] for pod in using))}"
        targets = self._preparer.survey(ask)
        for target in targets:
            if target.disk.state != DETACHED:
                state = target.disk.state
                return f"disk {target.disk.id} of claim {target.claim.name}, which is {state}"
        attachment = workloads.attachment(self._api, _volumes(targets))
        return f"VolumeAttachment {attachment}" if attachment else ""

    def _unclean(self, ask: Ask, down: Down) -> str:
        if not down.replicas:
            return "it was at zero before"
        seen = workloads.last_seen(self._api, ask.namespace, down.history)
        return endings.why_unclean(None if seen is None else seen.values(), ask.claims)


def _require_kept_files(claim: Claim) -> None:
    if claim.is_block:
        message = f"claim {claim.name} is a raw block device; offline takes files"
        raise Problem(Reason.WORKLOAD_UNSUITABLE, message, final=True)
    if claim.pod:
        message = f"claim {claim.name} belongs to pod {claim.pod}, and is deleted with it"
        raise Problem(Reason.WORKLOAD_UNSUITABLE, message)


def _place(ask: Ask, down: Down) -> workloads.Place:
    return workloads.Place(ask.namespace, down.kind, down.name)


def _volumes(targets: Sequence[Target]) -> set[str]:
    return {target.claim.volume_name for target in targets}


def _using(pods: Sequence[dict[str, Any]], ask: Ask) -> list[dict[str, Any]]:
    """Return the pods that may use the claims; one that has ended, as of a Job, may stay for ever.

    What it has mounted still shows in the disk, which is looked at next.
    """
    ended = ("Succeeded", "Failed")
    return [
        pod
        for pod in pods
        if endings.uses(pod, ask.claims) and pod.get("status", {}).get("phase") not in ended
    ]
