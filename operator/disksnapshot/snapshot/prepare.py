"""Look up all that a capture needs, touching nothing: disks, pods, freezers, accounts."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from disksnapshot.errors import Problem
from disksnapshot.kube import addresses, pods
from disksnapshot.kube import claims as claims_of_cluster
from disksnapshot.kube.exec import ApiAccess, PodProgram
from disksnapshot.reasons import Reason
from disksnapshot.snapshot import commands, disks
from disksnapshot.snapshot.spec import ExecStep, FreezeStep, MysqlStep, SyncStep
from disksnapshot.snapshot.workloads import Workloads
from disksnapshot.window.hold import (
    AnyOrder,
    CloudAddress,
    FreezeOrder,
    FreezeTarget,
    LongStatement,
    MysqlOrder,
    MysqlTls,
    Order,
    SyncOrder,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from disksnapshot.cbs.client import Cloud
    from disksnapshot.cbs.listed import Disk
    from disksnapshot.kube.api import Api
    from disksnapshot.kube.claims import Claim
    from disksnapshot.kube.pods import Pod
    from disksnapshot.settings import Settings
    from disksnapshot.snapshot.spec import Ask, Quiesce, Step

READY_SECONDS = 30.0  # for opening sessions, syncing and rehearsing
FREEZER_CONTAINER = "freezer"
FREEZER_PROGRAM = ("python3", "-I", "/app/disksnapshot/inpod/freezer.py")
FREEZER_FOLDERS = ("--records", "/run/disksnapshot", "--kubelet", pods.HOST_KUBELET)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One claim's chain to its disk, as it was looked up."""

    claim: Claim
    disk: Disk


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What one capture needs; `problem` says why nothing can be held where that is allowed.

    `unmounted` are those of the targets that no pod mounts, where that is allowed.
    """

    targets: tuple[Target, ...]
    order: Order
    problem: Problem | None = None
    unmounted: tuple[Target, ...] = ()


class Preparer:
    """Does the look-ups, each limited in time."""

    def __init__(self, api: Api, access: ApiAccess, cloud: Cloud, settings: Settings) -> None:
        self._api = api
        self._access = access
        self._cloud = cloud
        self._settings = settings

    def prepare(self, ask: Ask, nonce: str) -> Prepared:
        """Return what the capture needs; raise Problem when something is missing."""
        targets = self.survey(ask)
        unmounted = self._unmounted(ask, targets)
        try:
            steps = self._steps(ask, [t.claim for t in targets if t not in unmounted], nonce)
        except Problem as problem:
            if not ask.quiesce or not ask.quiesce.allows_crash_consistent:
                raise
            order = self._order(targets, (), ask.quiesce)
            return Prepared(targets=targets, order=order, problem=problem, unmounted=unmounted)
        order = self._order(targets, steps, ask.quiesce, stillness=bool(unmounted))
        return Prepared(targets=targets, order=order, unmounted=unmounted)

    def looked_again(self, ask: Ask, prepared: Prepared) -> Prepared:
        """Return it with the disks that no pod mounts as they are now, just before the cut."""
        if not prepared.unmounted:
            return prepared
        fresh = self._targets([target.claim for target in prepared.unmounted])
        self._require_still(ask, fresh)
        return replace(prepared, unmounted=fresh)

    def survey(self, ask: Ask) -> tuple[Target, ...]:
        """Return the chains from the claims to disks that the cloud would cut; raise Problem."""
        names = ask.claims or claims_of_cluster.chosen(
            self._api, ask.namespace, ask.claim_selector
        )
        claims = [claims_of_cluster.resolve(self._api, ask.namespace, name) for name in names]
        disks.require_distinct(claims)
        targets = self._targets(claims)
        self._require_idle(targets)
        return targets

    @property
    def workloads(self) -> Workloads:
        """The same look-ups for a workload that goes to zero."""
        return Workloads(self._api, self)

    def _targets(self, claims: Sequence[Claim]) -> tuple[Target, ...]:
        known = self._cloud.disks([claim.disk_id for claim in claims])
        region = self._settings.region
        return tuple(Target(claim=c, disk=disks.usable(c, known, region)) for c in claims)

    def _unmounted(self, ask: Ask, targets: Sequence[Target]) -> tuple[Target, ...]:
        """Return the targets that no pod mounts, if they may be cut; refuse what can't be proven.

        Looked at after the disks: a pod that comes in between is seen here, a later one by its
        disk, which is looked at once more after the cut.
        """
        if ask.when_not_mounted != "Snapshot" and not ask.offline:
            return ()
        used = pods.in_use(self._api, ask.namespace)
        unmounted = tuple(target for target in targets if target.claim.name not in used)
        if ask.offline and len(unmounted) < len(targets):
            raise Problem(Reason.DISK_BUSY, "a pod uses the claims again, so nothing is cut")
        self._require_still(ask, unmounted)
        return unmounted

    def _require_still(self, ask: Ask, unmounted: Sequence[Target]) -> None:
        if ask.offline or (ask.quiesce and not ask.quiesce.allows_crash_consistent):
            for target in unmounted:
                disks.require_still(target.claim, target.disk)

    def _require_idle(self, targets: Sequence[Target]) -> None:
        """Find out before anything is held that the cloud would refuse the cut."""
        busy = self._cloud.in_creation([target.disk.id for target in targets])
        for disk_id, other in busy.items():
            message = f"disk {disk_id} has snapshot {other.id} in the state {other.state}"
            raise Problem(Reason.DISK_BUSY, message)

    def _order(
        self,
        targets: Sequence[Target],
        steps: tuple[AnyOrder, ...],
        quiesce: Quiesce | None,
        *,
        stillness: bool = False,
    ) -> Order:
        host, port = self._settings.host_and_port
        # What stands still is looked at again once the cut is seen; where nobody is held, that
        # may wait until the cloud lists the snapshot.
        unheld = "Visible" if stillness else "Accepted"
        return Order(
            disk_ids=tuple(target.disk.id for target in targets),
            steps=steps,
            max_hold_seconds=quiesce.max_hold_seconds if quiesce else 10,
            release_when=quiesce.release_when if quiesce else unheld,
            cut_without_hold=quiesce is None or quiesce.allows_crash_consistent,
            cloud=CloudAddress(host=host, port=port, ca_file=self._settings.ca_bundle),
            ready_seconds=READY_SECONDS + _waits(steps),
        )

    def _steps(self, ask: Ask, claims: Sequence[Claim], nonce: str) -> tuple[AnyOrder, ...]:
        """Return the holds of these claims; where none is mounted there is nobody to hold."""
        if ask.quiesce is None or not claims:
            return ()
        return tuple(self._step(ask, step, claims, nonce) for step in ask.quiesce.steps)

    def _step(self, ask: Ask, step: Step, claims: Sequence[Claim], nonce: str) -> AnyOrder:
        names = [claim.name for claim in claims]
        match step:
            case MysqlStep():
                return self._mysql(ask, step, names)
            case ExecStep() | SyncStep(method="Exec") | FreezeStep(method="Exec"):
                chosen = pods.mounting(self._api, ask.namespace, names, step.target.selector)
                return commands.order(step, self._access, ask.namespace, names, chosen)
            case SyncStep():
                targets = self._freezers(ask, step, claims, "sync")
                return SyncOrder(name=step.name, targets=targets)
            case FreezeStep():
                targets = self._freezers(ask, step, claims, "hold", "--nonce", nonce)
                return FreezeOrder(name=step.name, targets=targets)

    def _mysql(self, ask: Ask, step: MysqlStep, claims: Sequence[str]) -> MysqlOrder:
        candidates = pods.mounting(self._api, ask.namespace, claims, step.selector)
        pod = pods.target(candidates, claims, step.container, selected=bool(step.selector))
        username, password = pods.account(self._api, ask.namespace, step.secret_name)
        return MysqlOrder(
            name=step.name,
            host=addresses.of_database(pod),
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

    def _freezers(
        self, ask: Ask, step: FreezeStep | SyncStep, claims: Sequence[Claim], *words: str
    ) -> tuple[FreezeTarget, ...]:
        running = pods.mounting(self._api, ask.namespace, [claim.name for claim in claims])
        settings = self._settings
        if not settings.freezer_enabled:
            message = "a step of method Agent needs the freezer, which is not installed"
            raise Problem(Reason.FREEZER_NOT_INSTALLED, message)
        command, *options = words
        argv = (*FREEZER_PROGRAM, command, *FREEZER_FOLDERS, *options, "--")
        return tuple(
            FreezeTarget(
                program=PodProgram(
                    self._access,
                    settings.freezer_namespace,
                    pods.freezer(
                        self._api, settings.freezer_namespace, settings.freezer_selector, node
                    ),
                    FREEZER_CONTAINER,
                ),
                argv=(*argv, *paths),
            )
            for node, paths in _paths_by_node(step, claims, running).items()
        )


def _waits(steps: Sequence[AnyOrder]) -> int:
    """Return for how long the steps may wait for others before anything is held."""
    return sum(step.long_statement.wait_seconds for step in steps if isinstance(step, MysqlOrder))


def _paths_by_node(
    step: FreezeStep | SyncStep, claims: Sequence[Claim], running: Sequence[Pod]
) -> Mapping[str, list[str]]:
    """Group the mounts of the claims by node: a freeze is done where the mount is."""
    paths: dict[str, list[str]] = defaultdict(list)
    for claim in claims:
        if claim.is_block:
            index, _, kind = step.name.partition("-")
            message = (
                f"spec.quiesce.steps[{index}].{kind}: claim {claim.name} is "
                f"a raw block device, without a file system to {kind}"
            )
            raise Problem(Reason.FREEZE_REFUSED, message, final=True)
        pod = next((pod for pod in running if claim.name in pod.claims), None)
        if pod is None:
            raise Problem(Reason.POD_NOT_FOUND, f"no running pod mounts claim {claim.name}")
        paths[pod.node].append(pods.mount_path(pod, claim))
    return paths
