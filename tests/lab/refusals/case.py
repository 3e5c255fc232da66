"""One bad input: what is asked for, and what has to come of it. No I/O."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from lab.refusals.scene import Scene

NAMESPACE: Final = "refusals"
CLOSED: Final = "refusals-closed"
"""A namespace in which the operator may read no Secret and exec in no pod."""

GONE: Final = "gone"
"""The end of an object that was deleted: there is nothing left that could say anything."""

UNKNOWN: Final = "Unknown"
"""The word for a snapshot that is there though nobody could prove its hold."""

Spec = Mapping[str, Any]
Moment = Callable[["Scene"], AbstractContextManager[None]]


@dataclass(frozen=True)
class Case:
    """A DiskSnapshot that asks for what can't be, and the reason that it must end in.

    `meanwhile` brings about what is wrong, where that is more than an object, and undoes it;
    `alone` keeps other cases away from that. `says` is what the message must name. `cuts` tells
    that a cut is asked for before it goes wrong, and `left` how many snapshots may stay.
    """

    key: str
    what: str
    spec: Spec
    reason: str
    says: str = ""
    _: KW_ONLY
    namespace: str = NAMESPACE
    meanwhile: Moment = lambda _: nullcontext()
    alone: bool = False
    cuts: bool = False
    left: int = 0


@dataclass(frozen=True)
class Denial:
    """What the API server itself refuses to store; `user` stands for the administrator if empty.

    With `change`, an object that is stored is changed by it.
    """

    key: str
    what: str
    spec: Spec
    says: str
    _: KW_ONLY
    user: str = ""
    change: Mapping[str, Any] | None = None
    subresource: str = ""


def claims(*names: str) -> dict[str, Any]:
    return {"source": {"claims": [{"name": name} for name in names]}}


def asking(claim: str, *steps: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Return a spec of one claim; the cloud's sign is its reply, which costs fewest calls."""
    quiesce = {"steps": [dict(step) for step in steps], "releaseWhen": "Accepted", **more}
    return claims(claim) | {"quiesce": quiesce}


def mysql(account: str = "orders-snapshot", **more: Any) -> dict[str, Any]:
    return {"mysql": {"credentialsSecretRef": {"name": account}, **more}}


def at(pod: str, container: str = "") -> dict[str, Any]:
    """Return a target: the pods with this label, and one of their containers."""
    chosen = {"podSelector": {"matchLabels": {"app": pod}}}
    return {"target": chosen | ({"container": container} if container else {})}


def command(*acquire: str, release: tuple[str, ...] = ("true",), **more: Any) -> dict[str, Any]:
    """Return an exec step in the container `app` of the pod `shelf`, unless told otherwise."""
    said = {"acquire": list(acquire), "release": list(release), "timeoutSeconds": 3}
    return {"exec": said | at("shelf", "app") | more}


FREEZE: Final = {"freeze": {"method": "Agent"}}


def freeze_in(container: str, pod: str = "shelf") -> dict[str, Any]:
    return {"freeze": {"method": "Exec"} | at(pod, container)}
