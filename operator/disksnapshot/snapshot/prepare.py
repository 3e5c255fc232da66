"""Look up all that a capture needs, touching nothing: disks, pods, freezers, accounts."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from disksnapshot.errors import Problem
from disksnapshot.kube import claims as claims_of_cluster
from disksnapshot.kube import pods
from disksnapshot.kube.exec import ApiAccess, PodProgram
from disksnapshot.reasons import Reason
from disksnapshot.snapshot.spec import FreezeStep, MysqlStep
from disksnapshot.window.hold import (
    CloudAddress,
    FreezeOrder,
    FreezeTarget,
    LongStatement,
    MysqlOrder,
    MysqlTls,
    Order,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from disksnapshot.cbs.client import Cloud, Disk
    from disksnapshot.kube.api import Api
    from disksnapshot.kube.claims import Claim
    from disksnapshot.kube.pods import Pod
    from disksnapshot.settings import Settings
    from disksnapshot.snapshot.spec import Ask, Quiesce

READY_SECONDS = 30.0  # for opening sessions, syncing and rehearsing
FREEZER_CONTAINER = "freezer"
FREEZER_COMMAND = (
    "python3", "-I", "/app/disksnapshot/inpod/freezer.py", "hold",
    "--records", "/run/disksnapshot", "--kubelet", pods.HOST_KUBELET,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One claim's chain to its disk, as it was looked up."""

    claim: Claim
    disk: Disk


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What one capture needs; `problem` says why nothing can be held where that is allowed."""

    targets: tuple[Target, ...]
    order: Order
    problem: Problem | None = None


class Preparer:
    """Does the look-ups, each limited in time."""

    def __init__(self, api: Api, access: ApiAccess, cloud: Cloud, settings: Settings) -> None:
        self._api = api
        self._access = access
        self._cloud = cloud
        self._settings = settings

    def prepare(self, ask: Ask, nonce: str) -> Prepared:
        """Return what the capture needs; raise Problem when something is missing."""
        claims = [claims_of_cluster.resolve(self._api, ask.namespace, name) for name in ask.claims]
        disks = self._cloud.disks([claim.disk_id for claim in claims])
        targets = tuple(Target(claim=c, disk=_usable(c, disks)) for c in claims)
        _check_distinct(claims)
        self._require_idle(targets)
        if ask.quiesce is None:
            return Prepared(targets=targets, order=self._order(targets, (), ask.quiesce))
        try:
            steps = self._steps(ask, ask.quiesce, claims, nonce)
        except Problem as problem:
            if not ask.quiesce.allows_crash_consistent:
                raise
            order = self._order(targets, (), ask.quiesce)
            return Prepared(targets=targets, order=order, problem=problem)
        return Prepared(targets=targets, order=self._order(targets, steps, ask.quiesce))

    def _require_idle(self, targets: Sequence[Target]) -> None:
        """Find out before anything is held that the cloud would refuse the cut."""
        busy = self._cloud.in_creation([target.disk.id for target in targets])
        for disk_id, other in busy.items():
            message = f"disk {disk_id} has snapshot {other.id} in the state {other.state}"
            raise Problem(Reason.DISK_BUSY, message)

    def _order(
        self,
        targets: Sequence[Target],
        steps: tuple[MysqlOrder | FreezeOrder, ...],
        quiesce: Quiesce | None,
    ) -> Order:
        host, port = self._settings.host_and_port
        return Order(
            disk_ids=tuple(target.disk.id for target in targets),
            steps=steps,
            max_hold_seconds=quiesce.max_hold_seconds if quiesce else 10,
            release_when=quiesce.release_when if quiesce else "Accepted",
            cut_without_hold=quiesce is None or quiesce.allows_crash_consistent,
            cloud=CloudAddress(host=host, port=port, ca_file=self._settings.ca_bundle),
            ready_seconds=READY_SECONDS + _waits(steps),
        )

    def _steps(
        self, ask: Ask, quiesce: Quiesce, claims: Sequence[Claim], nonce: str
    ) -> tuple[MysqlOrder | FreezeOrder, ...]:
        running = pods.mounting(self._api, ask.namespace, ask.claims)
        return tuple(
            self._mysql(ask, step)
            if isinstance(step, MysqlStep)
            else self._freeze(step, claims, running, nonce)
            for step in quiesce.steps
        )

    def _mysql(self, ask: Ask, step: MysqlStep) -> MysqlOrder:
        candidates = pods.mounting(self._api, ask.namespace, ask.claims, step.selector)
        pod = pods.target(candidates, ask.claims, step.container)
        username, password = pods.account(self._api, ask.namespace, step.secret_name)
        return MysqlOrder(
            name=step.name,
            host=pod.address,
            port=step.port,
            username=username,
            password=password,
            lock=step.lock,
            tls=self._tls(ask.namespace, step),
            long_statement=LongStatement(
                threshold_seconds=step.long_statement.threshold_seconds,
                wait_seconds=step.long_statement.wait_seconds,
            ),
        )

    def _tls(self, namespace: str, step: MysqlStep) -> MysqlTls | None:
        if step.tls is None:
            return None
        authority = pods.authority(self._api, namespace, step.tls.ca_secret_name)
        return MysqlTls(authority=authority, server_name=step.tls.server_name)

    def _freeze(
        self, step: FreezeStep, claims: Sequence[Claim], running: Sequence[Pod], nonce: str
    ) -> FreezeOrder:
        settings = self._settings
        if not settings.freezer_enabled:
            message = "the freeze step needs the freezer, which is not installed"
            raise Problem(Reason.FREEZER_NOT_INSTALLED, message)
        targets = [
            FreezeTarget(
                program=PodProgram(
                    self._access,
                    settings.freezer_namespace,
                    pods.freezer(
                        self._api, settings.freezer_namespace, settings.freezer_selector, node
                    ),
                    FREEZER_CONTAINER,
                ),
                argv=(*FREEZER_COMMAND, "--nonce", nonce, "--", *paths),
            )
            for node, paths in _paths_by_node(claims, running).items()
        ]
        return FreezeOrder(name=step.name, targets=tuple(targets))


def _waits(steps: Sequence[MysqlOrder | FreezeOrder]) -> int:
    """Return for how long the steps may wait for others before anything is held."""
    return sum(step.long_statement.wait_seconds for step in steps if isinstance(step, MysqlOrder))


def _paths_by_node(claims: Sequence[Claim], running: Sequence[Pod]) -> Mapping[str, list[str]]:
    """Group the mounts of the claims by node: a freeze is done where the mount is."""
    paths: dict[str, list[str]] = defaultdict(list)
    for claim in claims:
        if claim.is_block:
            message = f"claim {claim.name} is a raw block device, without a file system to freeze"
            raise Problem(Reason.FREEZE_REFUSED, message, final=True)
        pod = next((pod for pod in running if claim.name in pod.claims), None)
        if pod is None:
            raise Problem(Reason.POD_NOT_FOUND, f"no running pod mounts claim {claim.name}")
        paths[pod.node].append(pods.mount_path(pod, claim.volume_name))
    return paths


def _check_distinct(claims: Sequence[Claim]) -> None:
    """One snapshot a disk: two volumes written by hand may stand for the same one."""
    by_disk: dict[str, str] = {}
    for claim in claims:
        other = by_disk.setdefault(claim.disk_id, claim.name)
        if other != claim.name:
            message = f"claims {other} and {claim.name} stand for the same disk {claim.disk_id}"
            raise Problem(Reason.DISK_UNUSABLE, message, final=True)


def _usable(claim: Claim, disks: Mapping[str, Disk]) -> Disk:
    disk = disks.get(claim.disk_id)
    if disk is None:
        message = f"the cloud knows no disk {claim.disk_id}, the volume of claim {claim.name}"
        raise Problem(Reason.DISK_UNUSABLE, message)
    if not disk.snapshot_ability:
        message = f"disk {disk.id} of claim {claim.name} can't have snapshots"
        raise Problem(Reason.DISK_UNUSABLE, message, final=True)
    return disk
