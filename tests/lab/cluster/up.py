"""Bring the lab up; each step looks first, so it also repairs a lab that died halfway."""

import json
from typing import Any

from lab.cluster import (
    builds,
    cgroups,
    check,
    containers,
    machine,
    mounts,
    network,
    packages,
    parts,
    pki,
)
from lab.cluster.components import Component
from lab.cluster.errors import LabError
from lab.cluster.lab import Lab
from lab.cluster.progress import say, step
from lab.cluster.waiting import until
from lab.layout import NODE_ADDRESS, NODE_NAME, Layout


def up(layout: Layout) -> Lab:
    """Return when the node is Ready and every other part of the lab stands."""
    check.machine(layout)
    machine.note_first(layout)
    packages.install()
    builds.ensure(layout)
    with step("Starting Kubernetes"):
        _prepare(layout)
        _start(layout, parts.of_the_cluster(layout))
        lab = Lab(layout)
        until(lambda: _node_is_ready(lab), f"Node {NODE_NAME} is Ready", seconds=120)
        _wait_for_default_account(lab)
    parts.install(lab)
    return lab


def _prepare(layout: Layout) -> None:
    mounts.share(layout.state)
    for folder in (layout.run, layout.logs, layout.kubelet, layout.store, layout.freezer):
        folder.mkdir(parents=True, exist_ok=True)
    machine.prepare(layout)
    cgroups.ensure()
    network.ensure(layout)
    pki.ensure_authority(layout)
    pki.kubeconfig(layout, layout.kubeconfig, user="lab-admin", group="system:masters")
    pki.issue(layout, "cbs", hosts=(NODE_ADDRESS, "127.0.0.1", "localhost"))


def _start(layout: Layout, components: tuple[Component, ...]) -> None:
    """Start all at once but wait in order: each retries until those before it answer."""
    etcd, api_server, *others = components
    etcd.start()
    api_server.launch()
    containerd = next(part for part in others if part.name == "containerd")
    containerd.start()
    containers.end_strangers(layout)
    api_server.wait_ready()
    for component in others:
        component.launch()
    for component in components:
        component.wait_ready()


def _node_is_ready(lab: Lab) -> bool:
    answer = lab.kubectl("get", "node", NODE_NAME, "-o", "json", check=False)
    conditions: list[dict[str, Any]] = (
        json.loads(answer)["status"].get("conditions", []) if answer else []
    )
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _wait_for_default_account(lab: Lab) -> None:
    """Wait for what the first pod needs, so that nobody after `up` has to."""

    def exists() -> bool:
        return bool(lab.kubectl("get", "serviceaccount", "default", "-o", "name", check=False))

    until(exists, "The default service account")


def status(layout: Layout) -> None:
    """Print which parts run; fail when one doesn't."""
    if not layout.kubeconfig.exists():
        raise LabError("The lab is not up: run `make lab-up`.")
    lab = Lab(layout)
    dead: list[str] = []
    for component in parts.of_the_lab(lab):
        say(f"{component.name:24} {component.pid or 'does not run':<14} {component.log}")
        dead += [] if component.alive else [component.name]
    if dead:
        raise LabError(f"Not running: {', '.join(dead)}. `make lab-up` repairs that.")
    say(lab.kubectl("get", "nodes", "-o", "wide").rstrip())
    say(f"KUBECONFIG={layout.kubeconfig}")
