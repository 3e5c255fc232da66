"""The cloud's half of CSI: attaches disks to the node and detaches them, as Kubernetes asks."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path
from typing import Any, Final, NoReturn

import urllib3
from kubernetes import client, watch

from lab.cbs.control import Control, ControlError
from lab.cluster.errors import LabError
from lab.disks.loop import LoopDisk
from lab.layout import CSI_DRIVER, INSTANCE_ID

FINALIZER: Final = "external-attacher/com-tencent-cloud-csi-cbs"
_SECONDS_BETWEEN_LISTS: Final = 20
_SECONDS_BEFORE_RETRY: Final = 0.5
_PATIENCE: Final = 5.0
_ERROR_FIELDS: Final = {"attach_error": "attachError", "detach_error": "detachError"}
# ValueError: the line of JSON that a killed API server was in the middle of.
_OUTSIDE: Final = (
    OSError,
    ValueError,
    HTTPException,
    client.ApiException,
    urllib3.exceptions.HTTPError,
)


class Attachments:
    """Makes each VolumeAttachment of the driver true: attached, or detached and gone."""

    def __init__(self, api: Any, control: Control, disks: Path) -> None:
        self._storage = client.StorageV1Api(api)
        self._core = client.CoreV1Api(api)
        self._control = control
        self._disks = disks

    def run(self) -> NoReturn:
        """Follow the attachments for good; API server and emulator may come and go."""
        while True:
            try:
                settled = self._follow()
            except _OUTSIDE as error:
                print(f"{type(error).__name__}: {error}", flush=True)
                settled = False
            if not settled:
                time.sleep(_SECONDS_BEFORE_RETRY)

    def _follow(self) -> bool:
        """List, then watch for a while; say whether all that was seen is settled."""
        listed: Any = self._storage.list_volume_attachment(_request_timeout=_PATIENCE)
        # Each in turn, also behind one that can't be settled yet.
        settled = [self._settle(attachment) for attachment in listed.items]
        if not all(settled):
            return False
        watching: Any = watch.Watch  # The client ships no types for it.
        changes = watching().stream(
            self._storage.list_volume_attachment,
            resource_version=listed.metadata.resource_version,
            timeout_seconds=_SECONDS_BETWEEN_LISTS,
            _request_timeout=(_PATIENCE, _SECONDS_BETWEEN_LISTS + _PATIENCE),
        )
        return all(
            self._settle(change["object"]) for change in changes if change["type"] != "DELETED"
        )

    def _settle(self, attachment: Any) -> bool:
        if attachment.spec.attacher != CSI_DRIVER:
            return True
        if attachment.metadata.deletion_timestamp:
            return self._try("detach_error", self._detach, attachment)
        if attachment.status and attachment.status.attached:
            return True
        return self._try("attach_error", self._attach, attachment)

    def _try(self, field: str, act: Callable[[Any], None], attachment: Any) -> bool:
        try:
            act(attachment)
        except (LabError, ControlError) as error:
            self._report(field, str(error), attachment)
            return False
        return True

    def _report(self, field: str, message: str, attachment: Any) -> None:
        known = attachment.status and getattr(attachment.status, field)
        # Told once: each report is a change, which would wake us again.
        if not known or known.message != message:
            print(f"{attachment.metadata.name}: {message}", flush=True)
            problem = {"message": message, "time": datetime.now(UTC).isoformat()}
            self._patch_status(attachment, {_ERROR_FIELDS[field]: problem})

    def _attach(self, attachment: Any) -> None:
        disk_id = self._disk_id(attachment)
        # The finalizer first: without it a delete would not wait for the detach.
        self._patch_finalizers(attachment, {*(attachment.metadata.finalizers or ()), FINALIZER})
        self._control.attach(disk_id, INSTANCE_ID)
        device = self._disk(disk_id).attach()
        known = {"disk": disk_id, "devicePath": str(device)}
        self._patch_status(
            attachment, {"attached": True, "attachmentMetadata": known, "attachError": None}
        )
        print(f"Attached {disk_id} as {device}", flush=True)

    def _detach(self, attachment: Any) -> None:
        if FINALIZER not in (attachment.metadata.finalizers or ()):
            return
        disk_id = self._disk_id(attachment)
        # The device first: the cloud must not call a disk free that the node still writes to.
        self._disk(disk_id).detach()
        if disk_id in {disk["DiskId"] for disk in self._control.disks()}:
            self._control.detach(disk_id)
        self._patch_finalizers(attachment, {*attachment.metadata.finalizers} - {FINALIZER})
        print(f"Detached {disk_id}", flush=True)

    def _disk_id(self, attachment: Any) -> str:
        # Recorded when attached, as the volume may be gone by the time of the detach.
        known = (attachment.status and attachment.status.attachment_metadata) or {}
        if "disk" in known:
            return str(known["disk"])
        name = attachment.spec.source.persistent_volume_name
        volume: Any = self._core.read_persistent_volume(name, _request_timeout=_PATIENCE)
        return str(volume.spec.csi.volume_handle)

    def _disk(self, disk_id: str) -> LoopDisk:
        return LoopDisk(self._disks / f"{disk_id}.img")

    def _patch_finalizers(self, attachment: Any, finalizers: set[str]) -> None:
        if finalizers == {*(attachment.metadata.finalizers or ())}:
            return
        body = {"metadata": {"finalizers": sorted(finalizers)}}
        self._storage.patch_volume_attachment(
            attachment.metadata.name,
            body,
            # The client's own choice, a strategic merge, can't take a finalizer away.
            _content_type="application/merge-patch+json",
            _request_timeout=_PATIENCE,
        )

    def _patch_status(self, attachment: Any, status: dict[str, Any]) -> None:
        self._storage.patch_volume_attachment_status(
            attachment.metadata.name, {"status": status}, _request_timeout=_PATIENCE
        )
