"""Take the lab down; caches stay, everything else of it goes, and nothing else."""

import shutil

from lab.cluster import (
    cgroups,
    containers,
    firewall,
    machine,
    mounts,
    network,
    packages,
    parts,
)
from lab.cluster.components import Component
from lab.cluster.errors import LabError
from lab.cluster.progress import step
from lab.layout import Layout


def down(layout: Layout) -> None:
    """Undo `up`, from whatever point it or a crash left things at."""
    packages.repair_policy()
    if not layout.state.exists():
        return
    with step("Stopping the lab"):
        _end_processes(layout)
        _undo_devices(layout)
        _undo_settings(layout)
        _remove_state(layout)


def _end_processes(layout: Layout) -> None:
    # The API server and etcd go last: the others end faster while these answer.
    for name in ("kubelet", "kube-proxy", "kube-scheduler", "kube-controller-manager", "csi"):
        _recorded(layout, name).stop()
    # A process that waits for a frozen file system can't be killed before the thaw.
    mounts.thaw(layout.state)
    cgroups.empty(meanwhile=lambda: mounts.thaw(layout.state))
    containerd = _recorded(layout, "containerd")
    if containerd.alive:
        containerd.resume()
        containers.forget_containers(layout)
    containerd.stop()
    containers.end_shims(layout)
    for pid_file in sorted(layout.run.glob("*.pid"), reverse=True):
        _recorded(layout, pid_file.stem).stop()


def _recorded(layout: Layout, name: str) -> Component:
    """Return a component known by its pid file alone: enough to stop it."""
    return Component(name=name, argv=(), run=layout.run, logs=layout.logs, ready=lambda: False)


def _undo_devices(layout: Layout) -> None:
    cgroups.remove()
    for folder in (layout.kubelet, layout.run, layout.containerd):
        mounts.undo(folder)
    parts.remove(layout)
    mounts.undo(layout.state)
    network.remove(layout)


def _undo_settings(layout: Layout) -> None:
    if layout.machine.exists():
        firewall.remove_chains()
    machine.restore(layout)
    machine.remove_leftovers(layout)


def _remove_state(layout: Layout) -> None:
    # Deleting through a mount would delete what is mounted there.
    left = mounts.below(layout.state)
    if left:
        raise LabError(f"{layout.state} is still mounted; nothing in it was deleted.")
    shutil.rmtree(layout.state)
