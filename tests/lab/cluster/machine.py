"""Settings of the machine that a Kubernetes node changes: noted before, restored after."""

import json
from pathlib import Path
from typing import Final

from lab.layout import Layout

_SYSCTL: Final = Path("/proc/sys")
_CHANGED_BY_A_NODE: Final = (
    "kernel/keys/root_maxbytes",
    "kernel/keys/root_maxkeys",
    "kernel/panic",
    "kernel/panic_on_oops",
    "net/bridge/bridge-nf-call-iptables",
    "net/ipv4/conf/all/route_localnet",
    "net/ipv4/ip_forward",
    "vm/overcommit_memory",
    "vm/panic_on_oom",
)
_NEEDED: Final = {"net/bridge/bridge-nf-call-iptables": "1", "net/ipv4/ip_forward": "1"}
# Folders whose place a program fixes, with what the lab's programs leave in them.
_FIXED: Final = ("/var/lib/kubelet/device-plugins/kubelet.sock",)
_FOLDERS: Final = (
    "/var/lib/kubelet/device-plugins",
    "/var/lib/kubelet",
    "/var/lib/cni/results",
    "/var/lib/cni",
    "/run/containerd/s",
    "/run/containerd",
    "/var/log/containers",
)


def prepare(layout: Layout) -> None:
    """Note the settings once, before the first change, then set what a node needs."""
    if not layout.machine.exists():
        noted = {name: value for name in _CHANGED_BY_A_NODE if (value := _read(name))}
        partial = layout.machine.with_suffix(".partial")
        partial.write_text(json.dumps(noted, indent=2))
        partial.replace(layout.machine)
    for name, value in _NEEDED.items():
        _set(name, value)


def restore(layout: Layout) -> None:
    if layout.machine.exists():
        for name, value in json.loads(layout.machine.read_text()).items():
            _set(name, value)


def remove_leftovers(layout: Layout) -> None:
    """Remove what programs of the lab put at fixed places outside its folders."""
    for link in Path("/var/log/containers").glob("*.log"):
        if link.is_symlink() and str(link.readlink()).startswith(str(layout.state)):
            link.unlink()
    for fixed in _FIXED:
        Path(fixed).unlink(missing_ok=True)
    for folder in _FOLDERS:
        _remove_if_empty(Path(folder))


def _read(name: str) -> str:
    file = _SYSCTL / name
    return file.read_text().strip() if file.exists() else ""


def _set(name: str, value: str) -> None:
    if _read(name) not in ("", value):
        (_SYSCTL / name).write_text(value)


def _remove_if_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:
        return  # Not there, or somebody else's things are in it.
