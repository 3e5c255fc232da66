"""Who the plugin is: to the kubelet's registration, and to whoever asks by CSI."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from lab.layout import CSI_DRIVER

_VERSION: Final = "1.0.0"  # of the plugin registration's protocol, and of this plugin

Methods = Mapping[str, Callable[[Any], Any]]


def identity(csi: ModuleType) -> Methods:
    """The methods of CSI's Identity service."""
    return {
        "GetPluginInfo": lambda _: csi.GetPluginInfoResponse(
            name=CSI_DRIVER, vendor_version=_VERSION
        ),
        "GetPluginCapabilities": lambda _: csi.GetPluginCapabilitiesResponse(),
        "Probe": lambda _: csi.ProbeResponse(),
    }


def registration(api: ModuleType, socket: Path) -> Methods:
    """The methods by which the kubelet learns of the plugin and says whether it took it."""

    def told(status: Any) -> Any:
        print(f"Registered: {status.plugin_registered} {status.error}".rstrip(), flush=True)
        return api.RegistrationStatusResponse()

    def shown(_: Any) -> Any:
        return api.PluginInfo(
            type="CSIPlugin", name=CSI_DRIVER, endpoint=str(socket), supported_versions=[_VERSION]
        )

    return {"GetInfo": shown, "NotifyRegistrationStatus": told}
