"""Where the kubelet looks for the plugin."""

from dataclasses import dataclass
from pathlib import Path

from lab.layout import CSI_DRIVER


@dataclass(frozen=True, slots=True)
class Sockets:
    """The plugin's two sockets below the kubelet's folder."""

    kubelet: Path

    @property
    def plugin(self) -> Path:
        return self.kubelet / "plugins" / CSI_DRIVER / "csi.sock"

    @property
    def registration(self) -> Path:
        return self.kubelet / "plugins_registry" / f"{CSI_DRIVER}-reg.sock"
