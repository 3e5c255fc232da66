"""A StatefulSet in memory with one pod, its scale, and the disk that goes with the pod."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

from campaign.cloud import disk
from campaign.situation import DISKS, NAMESPACE, RIGHT_POD, SUBJECT

if TYPE_CHECKING:
    from campaign.world import World

SET = f"/apis/apps/v1/namespaces/{NAMESPACE}/statefulsets/mysql"
SCALE = f"{SET}/scale"
OFFLINE = {"scaleTargetRef": {"kind": "StatefulSet", "name": "mysql"}, "timeoutSeconds": 300}
UID = "uid-of-the-workload"
ATTACHMENT = "/apis/storage.k8s.io/v1/volumeattachments/csi-orders"
REPLICAS = 3


class Workload:
    """Follows its scale as controllers do: the pod goes and ends, then the disk is detached."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._zero_since: float | None = None
        # Seconds at zero until its pod has ended, its disk is detached, and no driver knows of it.
        self.ends, self.detaches, self.released = 3.0, 5.0, 5.0
        self.exit_code = 0
        self.longest_outage = 0.0
        self._pod = self._with_owner(world.server.objects[RIGHT_POD])
        world.server.put(RIGHT_POD, self._pod)
        named = {"metadata": {"name": "mysql", "uid": UID}, "status": {}}
        world.server.put(SET, named | {"spec": {}})
        world.server.put(SCALE, named | {"spec": {"replicas": REPLICAS}})
        self._attach()
        world.clock.passing.append(self.follow)
        world.server.written.append(self.follow)

    @property
    def replicas(self) -> int:
        return int(self._world.server.objects[SCALE]["spec"]["replicas"])

    @property
    def is_down(self) -> bool:
        """Tell whether its pod has ended, and its disk is attached to nothing."""
        detached = self._world.cloud.disks[DISKS[SUBJECT]]["DiskState"] == "UNATTACHED"
        return detached and ATTACHMENT not in self._world.server.objects

    def follow(self) -> None:
        """Let happen what is due."""
        now, server = self._world.clock.seconds, self._world.server
        if self.replicas:
            self._return(now)
            return
        if self._zero_since is None:
            self._zero_since = now
            for seconds in (self.ends, self.detaches, self.released):
                self._world.clock.alarm(seconds)
        if now >= self._zero_since + self.ends and RIGHT_POD in server.objects:
            server.end_pod(RIGHT_POD, _ended(self._pod, self.exit_code))
        if now >= self._zero_since + self.detaches:
            self._detach()
        if now >= self._zero_since + self.released:
            server.remove(ATTACHMENT)

    def _return(self, now: float) -> None:
        if self._zero_since is None:
            return
        self.longest_outage = max(self.longest_outage, now - self._zero_since)
        self._zero_since = None
        self._world.server.put(RIGHT_POD, self._pod)
        self._attach()

    def _attach(self) -> None:
        subject, source = DISKS[SUBJECT], {"persistentVolumeName": "pv-orders"}
        self._world.cloud.disks[subject] = disk(subject)
        attached = {"metadata": {"name": "csi-orders"}, "spec": {"source": source}}
        self._world.server.put(ATTACHMENT, attached)

    def _detach(self) -> None:
        subject = DISKS[SUBJECT]
        self._world.cloud.disks[subject] = disk(subject, DiskState="UNATTACHED")

    def _with_owner(self, pod: dict[str, Any]) -> dict[str, Any]:
        owned = copy.deepcopy(pod)
        owned["metadata"]["ownerReferences"] = [
            {"kind": "StatefulSet", "name": "mysql", "uid": UID, "controller": True}
        ]
        mount = {"name": "data-orders", "mountPath": "/var/lib/mysql"}
        owned["spec"]["containers"] = [{"name": "main", "volumeMounts": [mount]}]
        return owned


def _ended(pod: dict[str, Any], code: int) -> dict[str, Any]:
    ended: dict[str, Any] = json.loads(json.dumps(pod))
    state = {"terminated": {"exitCode": code}}
    ended["status"]["containerStatuses"] = [{"name": "main", "ready": False, "state": state}]
    return ended
