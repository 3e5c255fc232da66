"""Find the pods that mount claims, the freezers on their nodes, and the Secrets of accounts."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from disksnapshot.errors import Forbidden, Gone, Problem
from disksnapshot.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from disksnapshot.kube.api import Api
    from disksnapshot.kube.claims import Claim

HOST_KUBELET = "/host/kubelet"  # where the freezer's pod sees the node's kubelet folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """A running pod, as far as a hold needs it."""

    name: str
    uid: str
    node: str
    address: str
    on_host_network: bool
    ready: bool
    claims: frozenset[str]
    containers_ready: frozenset[str]
    containers_running: frozenset[str] = frozenset()
    containers: tuple[str, ...] = ()
    sidecars: tuple[str, ...] = ()  # as Kubernetes has them: started first, running to the end
    # (container, claim) -> where the container has it mounted.
    mounts: Mapping[tuple[str, str], str] = field(default_factory=dict)


def mounting(api: Api, namespace: str, claims: Collection[str], selector: str = "") -> list[Pod]:
    """Return the running pods of a namespace that mount any of the claims."""
    query = {"labelSelector": selector} if selector else {}
    listed = api.get(f"/api/v1/namespaces/{namespace}/pods", **query)
    pods = [_pod(item) for item in listed["items"] if _runs(item)]
    return [pod for pod in pods if pod.claims & set(claims)]


def in_use(api: Api, namespace: str) -> frozenset[str]:
    """Return the claims that some pod on a node names, running or not: it may mount them."""
    listed = api.get(f"/api/v1/namespaces/{namespace}/pods")
    pods = [_pod(item) for item in listed["items"] if not _has_ended(item)]
    return frozenset(name for pod in pods if pod.node for name in pod.claims)


def target(
    pods: Sequence[Pod], claims: Collection[str], container: str | None, *, selected: bool = False
) -> Pod:
    """Return the one Ready pod that mounts the claims; raise Problem for none or several.

    All of them, unless it was `selected` by its labels: then others may mount the rest.
    """
    mounting = [pod for pod in pods if selected or pod.claims >= set(claims)]
    if not mounting:
        raise Problem(Reason.POD_NOT_FOUND, _nowhere(claims))
    fitting = [pod for pod in mounting if container is None or _has(pod, container)]
    if not fitting:
        raise _without(mounting[0], container)
    ready = [pod for pod in fitting if _is_ready(pod, container)]
    if not ready:
        raise Problem(Reason.POD_NOT_READY, _not_ready(fitting[0], claims, container))
    if len(ready) > 1:
        names = ", ".join(sorted(pod.name for pod in ready))
        message = f"{len(ready)} Ready pods mount {', '.join(sorted(claims))}: {names}"
        raise Problem(Reason.AMBIGUOUS_POD, message)
    return ready[0]


def container(pod: Pod, wanted: str | None) -> str:
    """Return the container in which to run something; raise Problem where none fits and runs."""
    chosen = pod.containers[0] if wanted is None and len(pod.containers) == 1 else wanted
    if chosen is None or not _has(pod, chosen):
        raise _without(pod, wanted)
    if chosen not in pod.containers_running:
        message = f"container {chosen} of pod {pod.name} isn't running"
        raise Problem(Reason.POD_NOT_READY, message)
    return chosen


def freezer(api: Api, namespace: str, selector: str, node: str) -> str:
    """Return the name of the freezer's pod on a node; raise Problem when there is none."""
    listed = api.get(
        f"/api/v1/namespaces/{namespace}/pods",
        labelSelector=selector,
        fieldSelector=f"spec.nodeName={node}",
    )
    pods = [_pod(item) for item in listed["items"] if _runs(item)]
    for pod in pods:
        if pod.ready:
            return pod.name
    message = f"no freezer pod is Ready on node {node} (namespace {namespace})"
    raise Problem(Reason.NO_FREEZER_ON_NODE, message)


def mount_path(pod: Pod, claim: Claim) -> str:
    """Return where a freezer sees the mount of a claim's volume in a pod of its node."""
    volumes = f"{HOST_KUBELET}/pods/{pod.uid}/volumes"
    if claim.in_tree:
        # TKE's own CSI driver turns the one path into the other in the same way
        # (kubernetes-csi-tencentcloud, convertToIntreeTargetPath).
        return f"{volumes}/kubernetes.io~qcloud-cbs/{claim.volume_name}"
    return f"{volumes}/kubernetes.io~csi/{claim.volume_name}/mount"


def account(api: Api, namespace: str, name: str) -> tuple[str, str]:
    """Return username and password of a Secret; raise Problem without saying what it holds."""
    secret = _secret(api, namespace, name)
    # Without a name PyMySQL would take that of the operator's own user.
    return _key(secret, "username"), _key(secret, "password", may_be_empty=True)


def authority(api: Api, namespace: str, name: str) -> str:
    """Return the certificates of a Secret by which a server is verified; raise Problem."""
    # For none at all Python would trust every public authority.
    return _key(_secret(api, namespace, name), "ca.crt")


def _secret(api: Api, namespace: str, name: str) -> dict[str, Any]:
    try:
        return api.get(f"/api/v1/namespaces/{namespace}/secrets/{name}")
    except Forbidden as error:
        message = f"the operator may not read Secret {name} in namespace {namespace}"
        raise Problem(Reason.SECRET_FORBIDDEN, message) from error
    except Gone as error:
        message = f"there is no Secret {name} in namespace {namespace}"
        raise Problem(Reason.SECRET_NOT_FOUND, message) from error


def _key(secret: dict[str, Any], key: str, *, may_be_empty: bool = False) -> str:
    try:
        text = base64.b64decode(secret.get("data", {})[key], validate=True).decode()
    except (KeyError, ValueError):
        text = None
    if text is None or not (text.strip() or may_be_empty):
        name = secret["metadata"]["name"]
        message = f"Secret {name} has no text under the key {key}"
        raise Problem(Reason.SECRET_INCOMPLETE, message)
    return text


def _runs(item: dict[str, Any]) -> bool:
    return (
        item.get("status", {}).get("phase") == "Running"
        and "deletionTimestamp" not in item["metadata"]
    )


def _has_ended(item: dict[str, Any]) -> bool:
    return item.get("status", {}).get("phase") in {"Succeeded", "Failed"}


def _has(pod: Pod, container: str) -> bool:
    return container in (*pod.containers, *pod.sidecars)


def _without(pod: Pod, wanted: str | None) -> Problem:
    has = f"pod {pod.name} has {', '.join((*pod.containers, *pod.sidecars))}"
    clear = f"no container {wanted}: {has}" if wanted else f"{has}: name one in target.container"
    return Problem(Reason.CONTAINER_NOT_FOUND, clear)


def _nowhere(claims: Collection[str]) -> str:
    names = ", ".join(sorted(claims))
    if len(claims) == 1:
        return f"no running pod mounts {names}"
    return (
        f"no running pod mounts all of {names}; where the database's pod mounts only some of "
        "them, choose it by mysql.target.podSelector"
    )


def _not_ready(pod: Pod, claims: Collection[str], container: str | None) -> str:
    if container:
        return f"container {container} of pod {pod.name} isn't ready"
    return f"pod {pod.name} mounts {', '.join(sorted(pod.claims & set(claims)))} but isn't Ready"


def _is_ready(pod: Pod, container: str | None) -> bool:
    return container in pod.containers_ready if container else pod.ready


def claim_of(item: Mapping[str, Any], volume: Mapping[str, Any]) -> str:
    """Return the claim behind a pod's volume; an ephemeral one is made with the pod, by name."""
    if "ephemeral" in volume:
        return f"{item['metadata']['name']}-{volume['name']}"
    return str(volume.get("persistentVolumeClaim", {}).get("claimName", ""))


def _pod(item: dict[str, Any]) -> Pod:
    status = item.get("status", {})
    spec = item["spec"]
    claims = (claim_of(item, volume) for volume in spec.get("volumes", []))
    states = (*status.get("containerStatuses", []), *status.get("initContainerStatuses", []))
    return Pod(
        name=item["metadata"]["name"],
        uid=item["metadata"]["uid"],
        node=spec.get("nodeName", ""),
        address=status.get("podIP", ""),
        on_host_network=bool(spec.get("hostNetwork")),
        ready=any(
            condition["type"] == "Ready" and condition["status"] == "True"
            for condition in status.get("conditions", [])
        ),
        claims=frozenset(name for name in claims if name),
        containers_ready=frozenset(state["name"] for state in states if state.get("ready")),
        containers_running=frozenset(
            state["name"] for state in states if "running" in state.get("state", {})
        ),
        containers=tuple(container["name"] for container in spec.get("containers", [])),
        sidecars=tuple(container["name"] for container in _sidecars(spec)),
        mounts=_mounts(item),
    )


def _sidecars(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the init containers that go on running; the others have ended."""
    started = spec.get("initContainers", [])
    return [container for container in started if container.get("restartPolicy") == "Always"]


def _mounts(item: dict[str, Any]) -> dict[tuple[str, str], str]:
    spec = item["spec"]
    claims = {v.get("name", ""): claim_of(item, v) for v in spec.get("volumes", [])}
    return {
        (container["name"], claims[mount["name"]]): mount["mountPath"].rstrip("/")
        for container in (*spec.get("containers", []), *_sidecars(spec))
        for mount in container.get("volumeMounts", [])
        if claims.get(mount["name"])
    }
