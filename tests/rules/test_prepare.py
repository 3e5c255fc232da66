"""What is held and what is cut, from which claims are mounted, by whom, and on which disks."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from disksnapshot import settings
from disksnapshot.cbs.listed import Disk
from disksnapshot.errors import Problem
from disksnapshot.kube.exec import ApiAccess
from disksnapshot.snapshot.prepare import Prepared, Preparer
from disksnapshot.window.hold import FreezeOrder, FreezeTarget, MysqlOrder
from rules.apiserver import bound, csi, pod, pods, serving
from rules.situations import ask, body
from rules.test_disks import disk

if TYPE_CHECKING:
    from disksnapshot.cbs.client import Cloud

MOUNTED, IDLE = "data-0", "data-1"
DISKS = ("disk-aaaaaaaa", "disk-bbbbbbbb")
FREEZER = "disksnapshot-freezer"
ACCOUNT = {
    "metadata": {"name": "mysql-snapshot"},
    "data": {"username": "dQ==", "password": "cA=="},
}
WORLD = {
    **bound(MOUNTED, csi(DISKS[0])),
    **bound(IDLE, csi(DISKS[1])),
    **pods(pod(name="freezer"), namespace=FREEZER),
    "/api/v1/namespaces/shop/secrets/mysql-snapshot": ACCOUNT,
}
SETTINGS = settings.read(
    {"DISKSNAPSHOT_REGION": "ap-guangzhou", "DISKSNAPSHOT_FREEZER_ENABLED": "true"}
)
FREEZE = {"steps": [{"freeze": {"method": "Agent"}}]}
ALLOW = {"failurePolicy": "AllowCrashConsistent"}


class Known(SimpleNamespace):
    """A cloud that knows some disks; the others are attached, or not, as their claims say."""

    def disks(self, disk_ids: Sequence[str]) -> dict[str, Disk]:
        known: dict[str, Disk] = self.known
        return {disk_id: known[disk_id] for disk_id in disk_ids}

    def in_creation(self, _: Sequence[str]) -> dict[str, Disk]:
        return {}


def prepared(
    *running: Any, second: str = "UNATTACHED", world: dict[str, Any] | None = None, **spec: Any
) -> Prepared:
    """Prepare a snapshot of two claims."""
    known = {DISKS[0]: disk(DISKS[0]), DISKS[1]: disk(DISKS[1], state=second)}
    quiesce = spec.pop("quiesce", None)
    asked = body(disks=DISKS, quiesce=quiesce)
    asked["spec"] |= spec
    access = ApiAccess("http://127.0.0.1", None, None, None)
    with serving({**WORLD, **pods(*running), **(world or {})}) as api:
        preparer = Preparer(api, access, cast("Cloud", Known(known=known)), SETTINGS)
        return preparer.prepare(ask_of(asked), "nonce")


def ask_of(asked: dict[str, Any]) -> Any:
    from disksnapshot.snapshot import spec  # noqa: PLC0415 - `spec` names a keyword above

    return spec.parse(asked)


def frozen(done: Prepared) -> list[FreezeTarget]:
    return [t for step in done.order.steps if isinstance(step, FreezeOrder) for t in step.targets]


def unmounted(done: Prepared) -> list[str]:
    return [target.claim.name for target in done.unmounted]


def test_nothing_said_means_fail() -> None:
    assert ask().when_not_mounted == "Fail"


def test_a_claim_that_nobody_mounts_can_t_be_frozen_and_nothing_is_cut() -> None:
    with pytest.raises(Problem, match=f"no running pod mounts claim {IDLE}") as refused:
        prepared(pod(MOUNTED), quiesce=FREEZE)
    assert (refused.value.reason, refused.value.final) == ("PodNotFound", False)


def test_without_a_hold_it_is_cut_as_it_is() -> None:
    done = prepared(pod(MOUNTED))
    assert (done.order.steps, unmounted(done)) == ((), [])
    assert done.order.release_when == "Accepted"


def test_where_it_may_be_cut_unmounted_only_the_mounted_ones_are_frozen() -> None:
    done = prepared(pod(MOUNTED), quiesce=FREEZE, whenNotMounted="Snapshot")
    [target] = frozen(done)
    assert target.argv[-1].endswith(f"/pv-{MOUNTED}/mount")
    assert unmounted(done) == [IDLE]
    assert done.order.disk_ids == DISKS


def test_the_database_is_the_pod_that_mounts_those_that_are_mounted() -> None:
    done = prepared(pod(MOUNTED), quiesce={}, whenNotMounted="Snapshot")
    assert [type(step) for step in done.order.steps] == [MysqlOrder, FreezeOrder]


def test_where_none_is_mounted_there_is_nobody_to_hold() -> None:
    world = bound(MOUNTED, csi("disk-bbbbbbbb")) | bound(IDLE, csi("disk-cccccccc"))
    with serving({**WORLD, **world, **pods()}) as api:
        known = {i: disk(i, state="UNATTACHED") for i in ("disk-bbbbbbbb", "disk-cccccccc")}
        access = ApiAccess("http://127.0.0.1", None, None, None)
        asked = body(disks=DISKS, quiesce={})
        asked["spec"]["whenNotMounted"] = "Snapshot"
        preparer = Preparer(api, access, cast("Cloud", Known(known=known)), SETTINGS)
        done = preparer.prepare(ask_of(asked), "nonce")
    assert done.order.steps == ()
    assert unmounted(done) == [MOUNTED, IDLE]
    assert not done.order.cut_without_hold


def test_without_a_hold_the_snapshot_is_waited_for_until_it_is_listed() -> None:
    done = prepared(pod(MOUNTED), whenNotMounted="Snapshot")
    assert (unmounted(done), done.order.release_when) == ([IDLE], "Visible")


@pytest.mark.parametrize("state", ["ATTACHED", "ATTACHING", "DETACHING"])
def test_an_attached_disk_without_a_pod_is_waited_for_where_a_proof_is_wanted(state: str) -> None:
    with pytest.raises(Problem, match="not proven still") as refused:
        prepared(pod(MOUNTED), second=state, quiesce=FREEZE, whenNotMounted="Snapshot")
    assert (refused.value.reason, refused.value.final) == ("DiskBusy", False)


def test_where_the_policy_allows_it_an_attached_disk_without_a_pod_is_cut_all_the_same() -> None:
    quiesce = FREEZE | ALLOW
    done = prepared(pod(MOUNTED), second="ATTACHED", quiesce=quiesce, whenNotMounted="Snapshot")
    assert (len(frozen(done)), unmounted(done)) == (1, [IDLE])


@pytest.mark.parametrize(
    ("phase", "node", "is_used"),
    [
        ("Pending", "n1", True),
        ("Running", "n1", True),
        ("Pending", "", False),
        ("Succeeded", "n1", False),
    ],
    ids=["starting", "running", "without a node", "over"],
)
def test_a_pod_uses_its_claims_from_when_it_has_a_node_until_it_has_ended(
    phase: str, node: str, *, is_used: bool
) -> None:
    other = pod(IDLE, name="other", phase=phase, node=node)
    done = prepared(pod(MOUNTED), other, whenNotMounted="Snapshot")
    assert unmounted(done) == ([] if is_used else [IDLE])


def test_a_pod_uses_the_claim_that_is_made_with_it() -> None:
    other = pod(name="data")
    other["spec"]["volumes"] = [{"name": "1", "ephemeral": {"volumeClaimTemplate": {}}}]
    assert unmounted(prepared(pod(MOUNTED), other, whenNotMounted="Snapshot")) == []


BLOCK = bound(IDLE, {**csi(DISKS[1]), "volumeMode": "Block"})


def test_a_raw_block_device_may_be_cut_without_a_hold() -> None:
    assert prepared(pod(MOUNTED, IDLE), world=BLOCK).order.disk_ids == DISKS


def test_a_raw_block_device_may_be_cut_under_a_databases_lock() -> None:
    mysql = {"steps": [{"mysql": {"credentialsSecretRef": {"name": "mysql-snapshot"}}}]}
    done = prepared(pod(MOUNTED, IDLE), quiesce=mysql, world=BLOCK)
    assert [type(step) for step in done.order.steps] == [MysqlOrder]


def test_a_raw_block_device_can_t_be_frozen_and_the_step_is_named() -> None:
    with pytest.raises(Problem, match=r"spec\.quiesce\.steps\[1\]\.freeze: claim data-1") as no:
        prepared(pod(MOUNTED, IDLE), quiesce={}, world=BLOCK)
    assert (no.value.reason, no.value.final) == ("FreezeRefused", True)


def test_nothing_proves_what_a_raw_block_device_holds_that_nobody_uses() -> None:
    with pytest.raises(Problem, match="raw block device that no pod uses") as no:
        prepared(pod(MOUNTED), quiesce=FREEZE, whenNotMounted="Snapshot", world=BLOCK)
    assert no.value.final
