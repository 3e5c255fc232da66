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
_TOPS: Final = ("fs", "kernel", "net", "user", "vm")
_MOVES_BY_ITSELF: Final = frozenset({"kernel/ns_last_pid"})
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


def note_first(layout: Layout) -> None:
    """Keep what the machine was like before the first `up` since its boot changed anything.

    `down` restores what `prepare` noted; only this tells whether that was enough, also where each
    `up` finds what the last `down` has forgotten.
    """
    file = layout.first_picture
    if file.exists() or layout.machine.exists():
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    for old in file.parent.glob("machine-*.json"):  # of earlier boots
        old.unlink()
    partial = file.with_suffix(".partial")
    partial.write_text(json.dumps(settings(), indent=2))
    partial.replace(file)


def changed(layout: Layout) -> dict[str, tuple[str, str]]:
    """Return each setting that differs from the first picture: as it was, and as it is."""
    before, now = json.loads(layout.first_picture.read_text()), settings()
    both = before.keys() & now.keys()  # a kernel module that was loaded brings its own, and stays
    return {name: (before[name], now[name]) for name in sorted(both) if before[name] != now[name]}


def settings() -> dict[str, str]:
    """Return every setting of the kernel that somebody could have made."""
    files = [file for top in _TOPS for file in (_SYSCTL / top).rglob("*") if _is_setting(file)]
    return {str(file.relative_to(_SYSCTL)): _text(file) for file in files}


def _is_setting(file: Path) -> bool:
    name = str(file.relative_to(_SYSCTL))
    of_a_link = bool({"conf", "neigh"} & set(file.parts)) and "all" not in file.parts
    writable = file.is_file() and file.stat().st_mode & 0o200
    return bool(writable) and not of_a_link and name not in _MOVES_BY_ITSELF


def _text(file: Path) -> str:
    try:
        return file.read_text(errors="replace").strip()
    except OSError:
        return ""  # Only to be written, such as net/ipv4/route/flush.


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
