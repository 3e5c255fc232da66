"""The node's half of CSI: mounts a disk for the node, and binds that mount into pods."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from lab.cluster.commands import run
from lab.disks import filesystem
from lab.disks.loop import LoopDisk
from lab.layout import INSTANCE_ID, ZONE


class Node:
    """Answers the kubelet; every answer may be asked for again and is then the same."""

    def __init__(self, messages: ModuleType, disks: Path) -> None:
        self._csi = messages
        self._disks = disks

    def methods(self) -> Mapping[str, Callable[[Any], Any]]:
        """Name each method as CSI does."""
        return {
            "NodeGetInfo": self._info,
            "NodeGetCapabilities": self._capabilities,
            "NodeStageVolume": self._stage,
            "NodeUnstageVolume": self._unstage,
            "NodePublishVolume": self._publish,
            "NodeUnpublishVolume": self._unpublish,
        }

    def _info(self, _: Any) -> Any:
        zone = {"topology.com.tencent.cloud.csi.cbs/zone": ZONE}
        return self._csi.NodeGetInfoResponse(
            node_id=INSTANCE_ID, accessible_topology=self._csi.Topology(segments=zone)
        )

    def _capabilities(self, _: Any) -> Any:
        kind = self._csi.NodeServiceCapability
        staging = kind.RPC(type=kind.RPC.STAGE_UNSTAGE_VOLUME)
        return self._csi.NodeGetCapabilitiesResponse(capabilities=[kind(rpc=staging)])

    def _stage(self, request: Any) -> Any:
        device = LoopDisk(self._disks / f"{request.volume_id}.img").attach()
        kind = request.volume_capability.mount.fs_type or filesystem.EXT4
        filesystem.mount(device, Path(request.staging_target_path), kind=kind)
        return self._csi.NodeStageVolumeResponse()

    def _unstage(self, request: Any) -> Any:
        filesystem.unmount(Path(request.staging_target_path))
        return self._csi.NodeUnstageVolumeResponse()

    def _publish(self, request: Any) -> Any:
        target = Path(request.target_path)
        target.mkdir(parents=True, exist_ok=True)
        if not filesystem.is_mounted(target):
            run("mount", "--bind", request.staging_target_path, str(target))
            if request.readonly:
                run("mount", "-o", "remount,bind,ro", str(target))
        return self._csi.NodePublishVolumeResponse()

    def _unpublish(self, request: Any) -> Any:
        target = Path(request.target_path)
        filesystem.unmount(target)
        if target.exists():
            target.rmdir()
        return self._csi.NodeUnpublishVolumeResponse()
