"""The node's address on a bridge of its own, and the pods' network."""

import json
from pathlib import Path
from typing import Final

from lab.cluster.commands import run, succeeds
from lab.layout import BRIDGE, NODE_NETWORK, POD_BRIDGE, POD_NETWORK, Layout

# Also the folder of plugins in Debian's package.
PLUGINS: Final = "/usr/lib/cni"
_NAME: Final = "dslab"


def ensure(layout: Layout) -> None:
    """Give the node an address that no other network device has."""
    if not succeeds("ip", "link", "show", BRIDGE):
        run("ip", "link", "add", BRIDGE, "type", "bridge")
    if NODE_NETWORK not in run("ip", "-4", "addr", "show", "dev", BRIDGE):
        run("ip", "addr", "add", NODE_NETWORK, "dev", BRIDGE)
    run("ip", "link", "set", BRIDGE, "up")
    _write_pod_network(layout)


def plugin_folder(layout: Layout) -> Path:
    return layout.config / "cni"


def remove(layout: Layout) -> None:
    """Delete the lab's bridges, what is plugged into them, and the plugins' notes on it."""
    for bridge in (BRIDGE, POD_BRIDGE):
        for plug in _plugged_into(bridge):
            run("ip", "link", "delete", plug, check=False)
        run("ip", "link", "delete", bridge, check=False)
    # The place of these notes is fixed; each names its pod's network namespace, which was ours.
    for note in Path("/var/lib/cni/results").glob("*"):
        if str(layout.state) in note.read_text(errors="replace"):
            note.unlink()


def _plugged_into(bridge: str) -> list[str]:
    ports = Path("/sys/class/net") / bridge / "brif"
    return [port.name for port in ports.iterdir()] if ports.exists() else []


def _write_pod_network(layout: Layout) -> None:
    plugin = {
        "type": "bridge",
        "bridge": POD_BRIDGE,
        "isGateway": True,
        "hairpinMode": True,
        # No rules of its own: pods talk to the node and to each other, not to the world.
        "ipMasq": False,
        "ipam": {
            "type": "host-local",
            "ranges": [[{"subnet": POD_NETWORK}]],
            "routes": [{"dst": "0.0.0.0/0"}],
            "dataDir": str(layout.state / "cni"),
        },
    }
    content = json.dumps({"cniVersion": "1.0.0", "name": _NAME, "plugins": [plugin]}, indent=2)
    folder = plugin_folder(layout)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "10-dslab.conflist"
    if not file.exists() or file.read_text() != content:
        partial = folder / ".10-dslab.partial"
        partial.write_text(content)
        partial.replace(file)
