"""Claims on disks of the emulated cloud, as a cluster's administrator would make them by hand."""

import json
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Final

from lab.cluster.waiting import until
from lab.layout import CSI_DRIVER

if TYPE_CHECKING:
    from lab.cluster import Lab

_SECONDS_TO_BIND: Final = 60
_SECONDS_TO_LET_GO: Final = 90


def make_claim(
    lab: "Lab",
    namespace: str,
    name: str,
    *,
    size_gib: int = 1,
    disk_id: str | None = None,
    kind: str = "ext4",
) -> str:
    """Make a claim bound to a disk, a new one unless its id is given; return the disk's id.

    `kind` is that of the file system on it.
    """
    disk = disk_id or str(lab.cbs.create_disk(size_gib, name=f"{namespace}-{name}")["DiskId"])
    lab.kubectl(
        "apply", "-f", "-", stdin=json.dumps(_volume(namespace, name, disk, size_gib, kind))
    )
    # A claim that the controller sees before its volume is looked at again only 15 s later.
    _wait_for_phase(lab, {"Available", "Bound"}, "pv", _volume_name(disk))
    lab.kubectl("apply", "-f", "-", stdin=json.dumps(_claim(namespace, name, disk, size_gib)))
    _wait_for_phase(lab, {"Bound"}, "pvc", name, "-n", namespace)
    return disk


def remove_claim(lab: "Lab", namespace: str, name: str, *, keep_disk: bool = False) -> None:
    """Remove claim, volume and disk; whatever pod used them must be gone or going."""
    found = lab.kubectl("get", "pvc", name, "-n", namespace, "-o", "json", check=False)
    if not found:
        return
    volume = str(json.loads(found)["spec"]["volumeName"])
    timeout = f"--timeout={_SECONDS_TO_LET_GO}s"
    lab.kubectl("delete", "pvc", name, "-n", namespace, timeout, "--ignore-not-found")
    disk = volume_handle(lab, volume)
    until(lambda: not _attachments(lab, volume), f"Detach {disk}", seconds=_SECONDS_TO_LET_GO)
    lab.kubectl("delete", "pv", volume, timeout, "--ignore-not-found")
    if not keep_disk:
        lab.cbs.delete_disk(disk)


def volume_handle(lab: "Lab", volume: str) -> str:
    """Return the id of the disk behind a volume."""
    return lab.kubectl("get", "pv", volume, "-o", "jsonpath={.spec.csi.volumeHandle}")


def _wait_for_phase(lab: "Lab", phases: Collection[str], *target: str) -> None:
    def reached() -> bool:
        return lab.kubectl("get", *target, "-o", "jsonpath={.status.phase}") in phases

    until(reached, f"{target[0]} {target[1]} is {' or '.join(phases)}", seconds=_SECONDS_TO_BIND)


def _attachments(lab: "Lab", volume: str) -> list[str]:
    listed = json.loads(lab.kubectl("get", "volumeattachments", "-o", "json"))["items"]
    return [
        attachment["metadata"]["name"]
        for attachment in listed
        if attachment["spec"]["source"].get("persistentVolumeName") == volume
    ]


def _volume(namespace: str, claim: str, disk: str, size_gib: int, kind: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": _volume_name(disk)},
        "spec": {
            "capacity": {"storage": f"{size_gib}Gi"},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": "",
            "claimRef": {"namespace": namespace, "name": claim},
            "csi": {"driver": CSI_DRIVER, "volumeHandle": disk, "fsType": kind},
        },
    }


def _claim(namespace: str, name: str, disk: str, size_gib: int) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "",
            "volumeName": _volume_name(disk),
            "resources": {"requests": {"storage": f"{size_gib}Gi"}},
        },
    }


def _volume_name(disk: str) -> str:
    return f"pv-{disk}"
