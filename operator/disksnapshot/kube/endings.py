"""Tell from a pod's last status whether everything that used its claims ended by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from disksnapshot.kube.pods import claim_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping


def why_unclean(pods: Iterable[Mapping[str, Any]] | None, claims: Collection[str]) -> str:
    """Return why it isn't proven; nothing when each container that used a claim ended with 0.

    Status 0 is the program's own word that it was told to go, and went. It is the only one that
    counts: 137 is a kill, and what 143 means differs between programs.
    """
    if pods is None:
        return "the API server no longer tells how the pods ended"
    using = [pod for pod in pods if uses(pod, claims)]
    if not using:
        return "no pod that used the claims was seen to end"
    return next((why for pod in using for why in _whys(pod, claims)), "")


def uses(pod: Mapping[str, Any], claims: Collection[str]) -> bool:
    """Tell whether a pod on a node names one of the claims: it may have mounted it."""
    return bool(pod["spec"].get("nodeName")) and bool(_volumes(pod, claims))


def _whys(pod: Mapping[str, Any], claims: Collection[str]) -> Iterator[str]:
    name, states = pod["metadata"]["name"], _states(pod)
    for container in _containers_with(pod, _volumes(pod, claims)):
        ended = states.get(container, {}).get("terminated")
        if ended is None:
            yield f"container {container} of pod {name} was not seen to end"
        elif ended["exitCode"] != 0:
            code = ended["exitCode"]
            yield f"container {container} of pod {name} ended with status {code}, not 0"


def _volumes(pod: Mapping[str, Any], claims: Collection[str]) -> set[str]:
    volumes = pod["spec"].get("volumes", [])
    return {volume["name"] for volume in volumes if claim_of(pod, volume) in claims}


def _containers_with(pod: Mapping[str, Any], volumes: Collection[str]) -> Iterator[str]:
    """Return the containers that mount a volume, also the first ones: a sidecar is one of them."""
    spec = pod["spec"]
    for container in (*spec.get("initContainers", []), *spec.get("containers", [])):
        if any(mount["name"] in volumes for mount in container.get("volumeMounts", [])):
            yield container["name"]


def _states(pod: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    status = pod.get("status", {})
    kinds = ("initContainerStatuses", "containerStatuses")
    return {
        state["name"]: state.get("state", {}) for kind in kinds for state in status.get(kind, [])
    }
