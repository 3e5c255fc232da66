"""Every component of the lab, and the parts of it that other packages bring."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from lab.cluster import control_plane, node
from lab.cluster.progress import say

if TYPE_CHECKING:
    from lab.cluster.components import Component
    from lab.cluster.lab import Lab
    from lab.layout import Layout


def of_the_cluster(layout: Layout) -> tuple[Component, ...]:
    """Return the components of Kubernetes in the order in which they start."""
    return (*control_plane.components(layout), *node.components(layout))


def of_the_lab(lab: Lab) -> tuple[Component, ...]:
    """Return all components: Kubernetes, the emulated cloud and the disks' plugin."""
    disks = _load("lab.disks", "components")
    others: tuple[Component, ...] = disks.components(lab) if disks else ()
    return (*of_the_cluster(lab.layout), *others)


def install(lab: Lab) -> None:
    """Bring disks, cloud and images to a cluster whose node is Ready."""
    if disks := _load("lab.disks", "install"):
        disks.install(lab)
    if images := _load("lab.disks.images", "ensure"):
        images.ensure(lab)


def remove(layout: Layout) -> None:
    """Detach the lab's loop devices after everything on them has ended."""
    if disks := _load("lab.disks", "remove"):
        disks.remove(layout)


def _load(name: str, attribute: str) -> Any:
    # These parts import us for their types, so they are loaded late.
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        module = None
    if hasattr(module, attribute):
        return module
    say(f"{name}.{attribute} is absent: the lab does without it.")
    return None
