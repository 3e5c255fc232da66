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
    containers: tuple[str, ...] = ()
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


def target(pods: Sequence[Pod], claims: Collection[str], container: str | None) -> Pod:
    """Return the one Ready pod that mounts all the claims; raise Problem for none or several."""
    fitting = [pod for pod in pods if pod.claims >= set(claims) and _is_ready(pod, container)]
    if not fitting:
        message = f"no Ready pod mounts {', '.join(sorted(claims))}"
        raise Problem(Reason.POD_NOT_FOUND, message)
    if len(fitting) > 1:
        names = ", ".join(sorted(pod.name for pod in fitting))
        message = f"{len(fitting)} Ready pods mount {', '.join(sorted(claims))}: {names}"
        raise Problem(Reason.AMBIGUOUS_POD, message)
    return fitting[0]


def container(pod: Pod, wanted: str | None) -> str:
    """Return the container in which to run something; raise Problem where it isn't clear."""
    if wanted is None and len(pod.containers) == 1:
        return pod.containers[0]
    has = f"pod {pod.name} has {', '.join(pod.containers)}"
    if wanted is None:
        message = f"{has}: name one in target.container"
        raise Problem(Reason.CONTAINER_NOT_FOUND, message)
    if wanted not in pod.containers:
        raise Problem(Reason.CONTAINER_NOT_FOUND, f"no container {wanted}: {has}")
    return wanted


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
    return _key(secret, "username"), _key(secret, "password")


def authority(api: Api, namespace: str, name: str) -> str:
    """Return the certificates of a Secret by which a server is verified; raise Problem."""
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


def _key(secret: dict[str, Any], key: str) -> str:
    try:
        return base64.b64decode(secret.get("data", {})[key], validate=True).decode()
    except (KeyError, ValueError) as error:
        name = secret["metadata"]["name"]
        message = f"Secret {name} has no text under the key {key}"
        raise Problem(Reason.SECRET_NOT_FOUND, message) from error


def _runs(item: dict[str, Any]) -> bool:
    return (
        item.get("status", {}).get("phase") == "Running"
        and "deletionTimestamp" not in item["metadata"]
    )


def _has_ended(item: dict[str, Any]) -> bool:
    return item.get("status", {}).get("phase") in {"Succeeded", "Failed"}


def _is_ready(pod: Pod, container: str | None) -> bool:
    return container in pod.containers_ready if container else pod.ready


def _claim(item: dict[str, Any], volume: dict[str, Any]) -> str:
    """Return the claim behind a pod's volume; an ephemeral one is made with the pod, by name."""
    if "ephemeral" in volume:
        return f"{item['metadata']['name']}-{volume['name']}"
    return str(volume.get("persistentVolumeClaim", {}).get("claimName", ""))


def _pod(item: dict[str, Any]) -> Pod:
    status = item.get("status", {})
    claims = (_claim(item, volume) for volume in item["spec"].get("volumes", []))
    return Pod(
        name=item["metadata"]["name"],
        uid=item["metadata"]["uid"],
        node=item["spec"].get("nodeName", ""),
        address=status.get("podIP", ""),
        on_host_network=bool(item["spec"].get("hostNetwork")),
        ready=any(
            condition["type"] == "Ready" and condition["status"] == "True"
            for condition in status.get("conditions", [])
        ),
        claims=frozenset(name for name in claims if name),
        containers_ready=frozenset(
            container["name"]
            for container in status.get("containerStatuses", [])
            if container.get("ready")
        ),
        containers=tuple(container["name"] for container in item["spec"].get("containers", [])),
        mounts=_mounts(item["spec"]),
    )


def _mounts(spec: dict[str, Any]) -> dict[tuple[str, str], str]:
    claims = {
        volume.get("name", ""): volume["persistentVolumeClaim"]["claimName"]
        for volume in spec.get("volumes", [])
        if "persistentVolumeClaim" in volume
    }
    return {
        (container["name"], claims[mount["name"]]): mount["mountPath"].rstrip("/")
        for container in spec.get("containers", [])
        for mount in container.get("volumeMounts", [])
        if mount["name"] in claims
    }
