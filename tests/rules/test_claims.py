"""Which disk a claim stands for, in each form in which TKE writes it; read raw."""

from typing import Any

import pytest

from disksnapshot.errors import Problem
from disksnapshot.kube import claims, pods
from disksnapshot.kube.claims import Claim
from rules.apiserver import NAMESPACE, ZONE, bound, csi, serving

IN_TREE = {"qcloudCbs": {"cbsDiskId": "disk-intree01", "fsType": "ext4"}}
MIGRATED = {"pv.kubernetes.io/migrated-to": "com.tencent.cloud.csi.cbs"}


def resolved(source: dict[str, Any], **metadata: Any) -> Claim:
    with serving(bound("data", source, **metadata)) as api:
        return claims.resolve(api, NAMESPACE, "data")


def mount(claim: Claim) -> str:
    pod = pods.Pod(
        name="db",
        uid="pod-uid",
        node="n1",
        address="10.0.0.1",
        ready=True,
        claims=frozenset({"data"}),
        containers_ready=frozenset(),
        on_host_network=False,
    )
    return pods.mount_path(pod, claim).removeprefix("/host/kubelet/pods/pod-uid/volumes/")


def listing(*names: str) -> dict[str, Any]:
    path = f"/api/v1/namespaces/{NAMESPACE}/persistentvolumeclaims"
    return {path: {"items": [{"metadata": {"name": name}} for name in names]}}


def test_claims_that_a_selector_chooses_come_in_the_order_of_their_names() -> None:
    with serving(listing("b", "a")) as api:
        assert claims.chosen(api, NAMESPACE, "app=shop") == ["a", "b"]


@pytest.mark.parametrize(
    ("names", "reason"),
    [([], "ClaimNotFound"), ([str(number) for number in range(17)], "TooManyClaims")],
    ids=["no claim", "seventeen claims"],
)
def test_a_selector_that_chooses_what_can_t_be_cut_is_named(names: list[str], reason: str) -> None:
    with serving(listing(*names)) as api, pytest.raises(Problem) as refused:
        claims.chosen(api, NAMESPACE, "app=shop")
    assert refused.value.reason == reason
    assert "spec.source.claimSelector" in str(refused.value)


def test_a_csi_volume_is_its_handle() -> None:
    claim = resolved(csi("disk-abcdefgh"))
    assert claim.disk_id == "disk-abcdefgh"
    assert mount(claim) == "kubernetes.io~csi/pv-data/mount"


def test_an_in_tree_volume_is_a_disk_like_any_other_with_a_mount_of_its_own() -> None:
    claim = resolved(IN_TREE)
    assert claim.disk_id == "disk-intree01"
    assert mount(claim) == "kubernetes.io~qcloud-cbs/pv-data"


def test_an_in_tree_volume_that_the_csi_driver_took_over_is_mounted_where_that_does_it() -> None:
    claim = resolved(IN_TREE, annotations=MIGRATED)
    assert claim.disk_id == "disk-intree01"
    assert mount(claim) == "kubernetes.io~csi/pv-data/mount"


def test_a_raw_block_volume_is_known_as_one() -> None:
    assert resolved({**csi("disk-abcdefgh"), "volumeMode": "Block"}).is_block


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (csi("disk-aaaaaaaa,disk-bbbbbbbb"), "striped over several disks (disk-aaaaaaaa,disk-b"),
        ({"qcloudCbs": {"cbsDiskId": "disk-a,disk-b"}}, "striped"),
        ({"qcloudCbs": {"fsType": "ext4"}}, "handle none"),
        (csi("vol-1"), "handle vol-1"),
        ({"csi": {"driver": "com.tencent.cloud.csi.cfs", "volumeHandle": "cfs-1"}}, "csi.cfs"),
        ({"hostPath": {"path": "/data"}}, "driver none"),
    ],
    ids=["striped", "striped in-tree", "no disk", "no disk's id", "another driver", "no driver"],
)
def test_what_is_not_one_cbs_disk_is_refused_for_good(source: dict[str, Any], words: str) -> None:
    with pytest.raises(Problem) as refused:
        resolved(source)
    assert (refused.value.reason, refused.value.final) == ("NotACbsVolume", True)
    assert words in str(refused.value)


def test_the_zone_is_taken_from_the_affinity_or_from_an_old_label() -> None:
    terms = [{"matchExpressions": [{"key": ZONE, "operator": "In", "values": ["ap-beijing-2"]}]}]
    affinity = {"nodeAffinity": {"required": {"nodeSelectorTerms": terms}}}
    assert resolved({**csi("disk-a"), **affinity}).zone == "ap-beijing-2"
    labels = {"failure-domain.beta.kubernetes.io/zone": "ap-guangzhou-3"}
    assert resolved(IN_TREE, labels=labels).zone == "ap-guangzhou-3"
    assert resolved(IN_TREE).zone == ""
