"""Turn the steps that are done inside the user's own pods into orders for the window."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from disksnapshot.errors import Problem
from disksnapshot.kube import pods
from disksnapshot.kube.exec import PodProgram
from disksnapshot.reasons import Reason
from disksnapshot.snapshot.spec import ExecStep, FreezeStep, SyncStep
from disksnapshot.window.hold import CommandOrder, CommandTarget

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from disksnapshot.kube.exec import ApiAccess
    from disksnapshot.kube.pods import Pod

# A sync under the lock is bounded by the rest of the hold; a thaw takes milliseconds.
SYNC_SECONDS = 2
FREEZE_SECONDS = 1


def order(
    step: ExecStep | SyncStep | FreezeStep,
    access: ApiAccess,
    namespace: str,
    claims: Sequence[str],
    chosen: Sequence[Pod],
) -> CommandOrder:
    """Return the order for one step; `chosen` are the running pods that mount the claims."""
    if not chosen:
        message = f"no running pod that mounts {', '.join(claims)} fits step {step.name}"
        raise Problem(Reason.POD_NOT_FOUND, message)
    place = _Place(access, namespace, step.target.container)
    match step:
        case ExecStep():
            targets = place.in_each(chosen, step.acquire, step.release)
            return _order(step.name, "exec", targets, step.seconds)
        case SyncStep():
            # What is written out needs no undoing.
            targets = place.in_each(chosen, ("sync",), ())
            return _order(step.name, "sync", targets, SYNC_SECONDS)
        case FreezeStep():
            return _order(
                step.name, "freeze", place.for_each_claim(claims, chosen), FREEZE_SECONDS
            )
        case _:
            assert_never(step)


def _order(name: str, kind: str, targets: Iterator[CommandTarget], seconds: int) -> CommandOrder:
    return CommandOrder(name=name, kind=kind, targets=tuple(targets), seconds=seconds)


class _Place:
    """Where commands of one step run: in pods of its namespace that mount its claims."""

    def __init__(self, access: ApiAccess, namespace: str, container: str | None) -> None:
        self._access = access
        self._namespace = namespace
        self._container = container

    def in_each(
        self, chosen: Sequence[Pod], acquire: tuple[str, ...], release: tuple[str, ...]
    ) -> Iterator[CommandTarget]:
        for pod in chosen:
            yield self._target(pod, pods.container(pod, self._container), acquire, release)

    def for_each_claim(
        self, claims: Sequence[str], chosen: Sequence[Pod]
    ) -> Iterator[CommandTarget]:
        """Freeze each claim once, where the first of its pods has it mounted."""
        for claim in claims:
            pod = next((pod for pod in chosen if claim in pod.claims), None)
            if pod is None:
                raise Problem(Reason.POD_NOT_FOUND, f"no chosen pod mounts claim {claim}")
            container = pods.container(pod, self._container)
            path = pod.mounts.get((container, claim))
            if path is None:
                message = f"container {container} of pod {pod.name} doesn't mount claim {claim}"
                raise Problem(Reason.CONTAINER_NOT_FOUND, message)
            # Long options: busybox knows no others.
            freeze, thaw = ("fsfreeze", "--freeze", path), ("fsfreeze", "--unfreeze", path)
            yield self._target(pod, container, freeze, thaw)

    def _target(
        self, pod: Pod, container: str, acquire: tuple[str, ...], release: tuple[str, ...]
    ) -> CommandTarget:
        return CommandTarget(
            program=PodProgram(self._access, self._namespace, pod.name, container, uid=pod.uid),
            where=f"container {container} of pod {pod.name}",
            acquire=acquire,
            release=release,
        )
