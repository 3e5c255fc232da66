"""Which workload may go to zero, what of it is left, and what its pods' end proves."""

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from disksnapshot.cbs.listed import Disk
from disksnapshot.errors import Forbidden, Gone, Problem
from disksnapshot.kube import endings
from disksnapshot.kube.exec import ApiAccess
from disksnapshot.reasons import Reason
from disksnapshot.release import scale_back
from disksnapshot.snapshot.down import Down
from disksnapshot.snapshot.prepare import Preparer
from disksnapshot.snapshot.workloads import Workloads
from rules.apiserver import bound, csi
from rules.situations import NOW, after, ask, body, draft
from rules.test_disks import disk
from rules.test_offline import AT_ZERO, TARGET
from rules.test_prepare import SETTINGS

if TYPE_CHECKING:
    from disksnapshot.cbs.client import Cloud
    from disksnapshot.kube.api import Api

DISK = "disk-aaaaaaaa"
PODS = "/api/v1/namespaces/shop/pods"
SET = "/apis/apps/v1/namespaces/shop/statefulsets/mysql"
SCALE = f"{SET}/scale"
ATTACHMENTS = "/apis/storage.k8s.io/v1/volumeattachments"
BY_SET = {"kind": "StatefulSet", "uid": "uid-1", "name": "mysql", "controller": True}
BY_REPLICAS = {"kind": "ReplicaSet", "uid": "uid-rs", "name": "mysql-1", "controller": True}


class Server:
    """Some objects by path, and what happened to pods; `refuses` is the path that is forbidden."""

    def __init__(self, objects: dict[str, Any]) -> None:
        self.objects = objects
        self.past: list[dict[str, Any]] | Exception = []
        self.refuses = ""
        self.patched: list[str] = []

    def get(self, path: str) -> dict[str, Any]:
        if path == self.refuses:
            raise Forbidden(path)
        if path not in self.objects:
            raise Gone(path)
        return dict(self.objects[path])

    def patch(self, path: str, _change: Any, _kind: str) -> dict[str, Any]:
        if self.refuses and path.startswith(self.refuses):
            raise Forbidden(path)
        self.patched.append(path)
        return {}

    def history(self, _path: str, _since: str) -> list[dict[str, Any]]:
        if isinstance(self.past, Exception):
            raise self.past
        return self.past


class Known(SimpleNamespace):
    """A cloud that knows one disk."""

    def disks(self, _: Sequence[str]) -> dict[str, Disk]:
        return {DISK: disk(DISK, state=self.state)}

    def in_creation(self, _: Sequence[str]) -> dict[str, Disk]:
        return {}


def scale(replicas: int = 2) -> dict[str, Any]:
    spec = {"replicas": replicas} if replicas else {}  # as the API server writes it
    return {SCALE: {"metadata": {"uid": "uid-1", "resourceVersion": "9"}, "spec": spec}}


def pod(
    owner: dict[str, Any] = BY_SET, *, claim: str = "data-0", name: str = "mysql-0",
    **states: dict[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """Return a pod with a container `db` that mounts a claim, and one beside it that doesn't."""
    return {
        "metadata": {"name": name, "uid": f"uid-{name}", "ownerReferences": [owner]},
        "spec": {
            "nodeName": "n1",
            "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": claim}}],
            "containers": [{"name": "db", "volumeMounts": [{"name": "v"}]}, {"name": "log"}],
        },
        "status": {
            "phase": "Running",
            "containerStatuses": [{"name": key, "state": state} for key, state in states.items()],
        },
    }


def world(*pods: dict[str, Any], replicas: int = 2, when_scaled: str = "Retain") -> Server:
    items = {PODS: {"items": list(pods), "metadata": {"resourceVersion": "7"}}}
    policy = {"whenDeleted": "Delete", "whenScaled": when_scaled}
    workload = {SET: {"spec": {"persistentVolumeClaimRetentionPolicy": policy}}}
    return Server({**bound("data-0", csi(DISK)), **items, **workload, **scale(replicas)})


def workloads(server: Server, state: str = "ATTACHED") -> Workloads:
    api = cast("Api", server)
    access = ApiAccess("http://127.0.0.1", None, None, None)
    cloud = cast("Cloud", Known(state=state))
    return Workloads(api, Preparer(api, access, cloud, SETTINGS))


def judged(server: Server, **target: str) -> Down:
    chosen = {"scaleTargetRef": {**TARGET["scaleTargetRef"], **target}}  # type: ignore[dict-item]  # a dict it is
    asked = ask(offline=chosen)
    assert asked.offline
    return workloads(server).judge(asked, asked.offline, NOW)


def test_its_replicas_are_taken_down_with_its_uid_and_where_its_pods_history_begins() -> None:
    server = world(pod())
    down = judged(server)
    assert (down.uid, down.replicas, down.history) == ("uid-1", 2, "7")
    assert down.until == after(300)
    assert server.patched == [f"{SCALE}?fieldManager=disksnapshot-operator&dryRun=All"]


def test_a_deployment_owns_its_pods_through_their_replica_set() -> None:
    server = world(pod(BY_REPLICAS))
    server.objects[SCALE.replace("statefulsets", "deployments")] = scale()[SCALE]
    replicas = {"metadata": {"ownerReferences": [{**BY_SET, "kind": "Deployment"}]}}
    server.objects["/apis/apps/v1/namespaces/shop/replicasets/mysql-1"] = replicas
    assert judged(server, kind="Deployment").label == "Deployment mysql"


@pytest.mark.parametrize(
    ("pods", "said"),
    [
        ([pod(), pod({**BY_SET, "uid": "uid-2"}, name="other-0")], "pod other-0 uses the claims"),
        ([pod(), pod({}, name="bare")], "pod bare uses the claims"),
        ([pod(BY_REPLICAS)], "pod mysql-0 uses the claims"),
        ([pod(claim="data-9")], "no pod of StatefulSet mysql uses claim data-0"),
        ([], "no pod of StatefulSet mysql uses claim data-0"),
    ],
    ids=["of another", "of nobody", "of a set that is gone", "of other claims", "none"],
)
def test_who_doesn_t_own_the_pods_of_the_claims_is_refused(
    pods: list[dict[str, Any]], said: str
) -> None:
    with pytest.raises(Problem, match=said) as refused:
        judged(world(*pods))
    assert refused.value.reason == Reason.WORKLOAD_UNSUITABLE


def test_a_raw_block_device_is_refused() -> None:
    server = world(pod())
    server.objects["/api/v1/persistentvolumes/pv-data-0"]["spec"]["volumeMode"] = "Block"
    with pytest.raises(Problem, match="raw block") as refused:
        judged(server)
    assert refused.value.final


def test_a_set_whose_claims_are_deleted_when_it_is_scaled_down_is_left_alone() -> None:
    server = world(pod(), when_scaled="Delete")
    with pytest.raises(Problem, match="whenScaled: Delete: its claims") as refused:
        judged(server)
    assert refused.value.reason == Reason.WORKLOAD_UNSUITABLE
    assert server.patched == []


def test_a_set_that_has_begun_to_delete_its_claims_meanwhile_is_not_scaled_down_but_up() -> None:
    server = world(pod(), when_scaled="Delete")
    going = replace(AT_ZERO, scaled=None)
    with pytest.raises(Problem, match="would be deleted at zero"):
        workloads(server).set(ask(offline=TARGET), going, 0, "9")
    assert server.patched == []
    workloads(server).set(ask(offline=TARGET), AT_ZERO, 2, "9")
    assert server.patched == [f"{SCALE}?fieldManager=disksnapshot-operator"]


def test_a_claim_that_is_deleted_with_its_pod_is_left_alone() -> None:
    server = world(pod())
    claim = server.objects["/api/v1/namespaces/shop/persistentvolumeclaims/data-0"]
    claim["metadata"]["ownerReferences"] = [{"kind": "Pod", "name": "mysql-0", "uid": "uid-0"}]
    with pytest.raises(Problem, match="claim data-0 belongs to pod mysql-0") as refused:
        judged(server)
    assert refused.value.reason == Reason.WORKLOAD_UNSUITABLE
    assert server.patched == []


def test_a_set_that_can_t_be_read_is_not_scaled() -> None:
    server = world(pod())
    server.refuses = SET
    with pytest.raises(Problem, match=f"lacks a right: {SET}") as refused:
        judged(server)
    assert refused.value.reason == Reason.SCALE_FORBIDDEN
    assert server.patched == []


def test_a_workload_that_isn_t_there_is_named() -> None:
    with pytest.raises(Problem, match="no StatefulSet pgsql in namespace shop") as refused:
        judged(world(pod()), name="pgsql")
    assert refused.value.reason == Reason.WORKLOAD_NOT_FOUND


def test_a_right_that_is_missing_is_found_out_before_anything_is_written() -> None:
    server = world(pod())
    server.refuses = SCALE
    with pytest.raises(Problem, match="may not scale StatefulSet mysql") as refused:
        judged(server)
    assert refused.value.reason == Reason.SCALE_FORBIDDEN
    assert server.patched == []


def look(server: Server, state: str = "UNATTACHED", down: Down = AT_ZERO) -> tuple[str, str]:
    found = workloads(server, state).look(ask(offline=TARGET), down, after(10))
    assert found.replicas == 0
    return found.waits_for, found.unclean


def test_pods_disks_and_attachments_are_waited_for_in_this_order() -> None:
    server = world(pod(), replicas=0)
    attachment = {
        "metadata": {"name": "csi-1"},
        "spec": {"source": {"persistentVolumeName": "pv-data-0"}},
    }
    server.objects[ATTACHMENTS] = {"items": [attachment]}
    assert look(server, "ATTACHED")[0] == "pod mysql-0"
    server.objects[PODS]["items"] = [job := pod(name="backup")]
    job["status"]["phase"] = "Succeeded"  # and stays, for as long as its Job does
    assert look(server, "DETACHING")[0] == f"disk {DISK} of claim data-0, which is DETACHING"
    assert look(server)[0] == "VolumeAttachment csi-1"
    server.objects[ATTACHMENTS] = {"items": []}
    assert look(server)[0] == ""


def test_how_the_pods_ended_is_asked_once_all_is_detached() -> None:
    server = world(replicas=0)
    server.objects[ATTACHMENTS] = {"items": []}
    ended = pod(db=CLEANLY, log=KILLED)
    server.past = [{"type": "MODIFIED", "object": pod(db={}, log={})}]
    server.past += [{"type": "DELETED", "object": ended}]
    assert look(server) == ("", "")
    assert look(server, down=replace(AT_ZERO, replicas=0)) == ("", "it was at zero before")


def test_what_the_api_server_has_forgotten_proves_nothing() -> None:
    server = world(replicas=0)
    server.objects[ATTACHMENTS] = {"items": []}
    for past in (Gone("too old"), Forbidden("watch"), [{"type": "ERROR", "object": {}}]):
        server.past = past
        assert look(server) == ("", "the API server no longer tells how the pods ended")


def test_a_workload_that_is_gone_has_no_uid() -> None:
    found = workloads(Server({})).look(ask(offline=TARGET), AT_ZERO, after(10))
    assert found.uid == ""


CLEANLY, KILLED = {"terminated": {"exitCode": 0}}, {"terminated": {"exitCode": 137}}


@pytest.mark.parametrize(
    ("pods", "why"),
    [
        ([pod(db=CLEANLY, log=KILLED)], ""),
        (
            [pod(db=KILLED, log=CLEANLY)],
            "container db of pod mysql-0 ended with status 137, not 0",
        ),
        ([pod(db={"running": {}})], "container db of pod mysql-0 was not seen to end"),
        ([pod()], "container db of pod mysql-0 was not seen to end"),
        ([pod(db=CLEANLY), pod(name="mysql-1", db=KILLED)], "container db of pod mysql-1"),
        ([pod(claim="data-9", db=CLEANLY)], "no pod that used the claims was seen to end"),
        (None, "the API server no longer tells"),
    ],
    ids=["clean", "killed", "running", "unknown", "one of two", "other claims", "forgotten"],
)
def test_only_status_0_of_each_container_that_mounts_a_claim_proves_a_clean_end(
    pods: list[dict[str, Any]] | None, why: str
) -> None:
    found = endings.why_unclean(pods, ["data-0"])
    assert found.startswith(why)
    assert bool(found) == bool(why)


def at_zero_in(server: Server) -> str:
    written = draft(offline=TARGET).offline(AT_ZERO).body
    return scale_back(cast("Api", server), body(status_so_far=written))


def test_an_uninstall_scales_back_what_is_at_zero_for_a_snapshot() -> None:
    server = world(replicas=0)
    assert at_zero_in(server) == ""
    assert server.patched == [f"{SCALE}?fieldManager=disksnapshot-operator"]


def test_an_uninstall_leaves_what_is_up_or_is_gone_and_says_what_it_may_not_scale() -> None:
    gone, up, refused = Server({}), world(), world(replicas=0)
    refused.refuses = SCALE
    assert (at_zero_in(gone), at_zero_in(up)) == ("", "")
    assert "kubectl scale statefulset/mysql --namespace shop --replicas=2" in at_zero_in(refused)
    assert gone.patched + up.patched + refused.patched == []


NAMESPACE = "/api/v1/namespaces/shop"


@pytest.mark.parametrize("ends", [True, False])
def test_a_workload_that_can_t_be_seen_is_gone_if_its_namespace_goes_with_its_roles(
    ends: bool,
) -> None:
    server = world(replicas=0)
    server.refuses = SCALE
    metadata = {"deletionTimestamp": "2026-03-01T12:00:00Z"} if ends else {}
    server.objects[NAMESPACE] = {"metadata": metadata}
    asked = ask(offline=TARGET, deleting=True)
    if ends:
        assert workloads(server).look(asked, AT_ZERO, after(10)).uid == ""
        return
    with pytest.raises(Problem) as refused:
        workloads(server).look(asked, AT_ZERO, after(10))
    assert refused.value.reason == Reason.SCALE_FORBIDDEN


def test_the_way_back_of_an_object_that_is_deleted_waits_for_no_claim() -> None:
    server = world(replicas=0)
    del server.objects["/api/v1/namespaces/shop/persistentvolumeclaims/data-0"]
    found = workloads(server).look(ask(offline=TARGET, deleting=True), AT_ZERO, after(10))
    assert (found.uid, found.waits_for, found.unclean) == ("uid-1", "", "")
