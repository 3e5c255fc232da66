"""Judge whether a pod's address leads to that pod and to nothing else."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from disksnapshot.errors import Problem
from disksnapshot.reasons import Reason

if TYPE_CHECKING:
    from disksnapshot.kube.pods import Pod


def of_database(pod: Pod) -> str:
    """Return the address at which a database in the pod is reached; raise Problem.

    A password is sent there, and what answers is called the pod's database.
    """
    if pod.on_host_network:
        # Its address is the node's: any program of the node may answer there, and which one is
        # running beside the pod's is not the pod's to say.
        message = f"pod {pod.name} is on its node's network, so its address is not its own"
        raise Problem(Reason.POD_ADDRESS_REFUSED, message)
    if not _is_a_pods(pod.address):
        message = f"pod {pod.name} has the address {pod.address or 'none'}, which can't be a pod's"
        raise Problem(Reason.POD_ADDRESS_REFUSED, message)
    return pod.address


def _is_a_pods(text: str) -> bool:
    """Tell apart what only a broken or seized node would report: this host, or its link.

    On the link lives the cloud's metadata service (169.254.0.0/16), which hands out credentials.
    """
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return not (
        address.is_loopback
        or address.is_link_local
        or address.is_unspecified
        or address.is_multicast
    )
