"""Bring the disks to a running cluster: store, emulated cloud, CSI plugin; and take them away."""

import hashlib
import json
import os
import secrets
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lab.cbs.control import Control
from lab.cluster import pki
from lab.cluster.commands import run
from lab.cluster.components import Component
from lab.cluster.waiting import until
from lab.disks import filesystem, loop
from lab.disks.csi import messages
from lab.disks.csi.sockets import Sockets
from lab.disks.store import Store
from lab.layout import (
    CBS_CONTROL,
    CBS_ENDPOINT,
    CSI_DRIVER,
    METADATA_ADDRESS,
    NODE_ADDRESS,
    NODE_NAME,
    REGION,
    SECRET_ID,
    STS_ENDPOINT,
    TESTS,
    Layout,
)

if TYPE_CHECKING:
    from lab.cluster import Lab

_KEY_BYTES: Final = 24
_PRIVATE: Final = 0o600
_DRIVER: Final = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "CSIDriver",
    "metadata": {"name": CSI_DRIVER},
    "spec": {
        "attachRequired": True,
        "podInfoOnMount": False,
        "volumeLifecycleModes": ["Persistent"],
    },
}


def components(lab: "Lab") -> tuple[Component, ...]:
    """Return the emulated cloud and the CSI plugin, in the order in which they start."""
    return (_cloud(lab.layout), _plugin(lab.layout))


def install(lab: "Lab") -> None:
    """Return when the kubelet knows the plugin; looks first, so it also repairs."""
    layout = lab.layout
    Store.at(layout.store)
    _mount_records(layout.freezer)
    _make_secrets(layout.cbs_secrets)
    messages.ensure(layout)
    lab.kubectl("apply", "-f", "-", stdin=json.dumps(_DRIVER))
    for component in components(lab):
        component.start()
    until(lambda: _is_registered(lab), f"The kubelet knows {CSI_DRIVER}", seconds=60)


def remove(layout: Layout) -> None:
    """Unmount the store and the freezer's records, and free the loop devices of the lab."""
    _detach_all(layout.store)
    filesystem.unmount(layout.freezer)
    Store(layout.store).unmount()
    # The store's own device frees itself with its mount; this is for what a crash left.
    _detach_all(layout.state)


def _detach_all(folder: Path) -> None:
    for device in loop.devices_below(folder):
        loop.detach(device)


def _cloud(layout: Layout) -> Component:
    server = pki.issue(layout, "cbs", hosts=(NODE_ADDRESS, "127.0.0.1", "localhost"))
    options = {
        "store": layout.store,
        "listen": CBS_ENDPOINT,
        "cert": server.certificate,
        "key": server.key,
        "control": CBS_CONTROL.removeprefix("http://"),
        "sts": STS_ENDPOINT,
        "metadata": METADATA_ADDRESS,
        "secrets": layout.cbs_secrets,
        "region": REGION,
        "log": layout.logs / "cbs-calls.jsonl",
    }
    return _program(layout, "cbs", "lab.cbs", options, _cloud_answers)


def _plugin(layout: Layout) -> Component:
    options = {
        "kubelet": layout.kubelet,
        "kubeconfig": layout.kubeconfig,
        "disks": layout.store / "disks",
        "control": CBS_CONTROL,
        "messages": messages.folder(layout),
    }
    registration = Sockets(layout.kubelet).registration
    return _program(layout, "csi", "lab.disks.csi", options, lambda: _accepts(registration))


def _program(
    layout: Layout,
    name: str,
    module: str,
    options: Mapping[str, object],
    ready: Callable[[], bool],
) -> Component:
    # Python ignores an -X that it doesn't know: changed code makes another command line, and so
    # `up` starts the program anew.
    argv = [sys.executable, "-X", f"lab={_revision(module)}", "-m", module]
    for option, value in options.items():
        argv += [f"--{option}", str(value)]
    return Component(
        name=name,
        argv=tuple(argv),
        run=layout.run,
        logs=layout.logs,
        # Programs of the system are found whatever the PATH of the caller is.
        environment={"PYTHONPATH": str(TESTS), "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"},
        ready=ready,
    )


def _revision(module: str) -> str:
    digest = hashlib.sha256()
    for file in sorted((TESTS / Path(*module.split("."))).rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def _cloud_answers() -> bool:
    try:
        Control(CBS_CONTROL).health()
    except OSError:
        return False
    return True


def _accepts(address: Path) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(str(address))
    except OSError:
        return False
    return True


def _is_registered(lab: "Lab") -> bool:
    known = "jsonpath={.spec.drivers[*].name}"
    return CSI_DRIVER in lab.kubectl("get", "csinode", NODE_NAME, "-o", known, check=False)


def _mount_records(folder: Path) -> None:
    """Mount the folder of the freezer's records: in memory, so a reboot forgets them."""
    folder.mkdir(parents=True, exist_ok=True)
    if not filesystem.is_mounted(folder):
        options = "size=4m,mode=0700"
        run("mount", "-t", "tmpfs", "-o", options, "disksnapshot-freezer", str(folder))


def _make_secrets(file: Path) -> None:
    """Give the lab's own account of the cloud a random key, once in the life of a lab."""
    if file.exists():
        return
    partial = file.with_suffix(".partial")
    partial.touch(mode=_PRIVATE)
    partial.write_text(json.dumps({SECRET_ID: secrets.token_urlsafe(_KEY_BYTES)}))
    partial.rename(file)
