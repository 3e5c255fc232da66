"""Disks that the cloud would not cut: each told before anything is held, and nothing asked for.

The volumes are written as TKE writes them; a small API server serves them raw.
"""

from dataclasses import dataclass
from typing import Any

import pytest
from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

from disksnapshot import settings
from disksnapshot.cbs.client import Cloud
from disksnapshot.cbs.limits import Limits
from disksnapshot.errors import Problem
from disksnapshot.kube.exec import ApiAccess
from disksnapshot.snapshot.prepare import Prepared, Preparer
from lab.cbs.caller import Caller
from lab.cbs.control import Control
from lab.cbs.server import Emulator
from rules.apiserver import ZONE, bound, csi, pod, pods, serving
from rules.situations import ask

from .conftest import SECRET_ID, SECRET_KEY

pytestmark = pytest.mark.filterwarnings("ignore:.* fileds are useless:UserWarning")
REGION = "ap-guangzhou"


@dataclass
class Place:
    """The operator's preparation of a snapshot of one claim, against an emulated cloud."""

    cloud: Cloud
    control: Control

    def prepare(self, *sources: dict[str, Any]) -> Prepared:
        names = [f"data-{number}" for number, _ in enumerate(sources)]
        objects = pods(pod(*names))
        for name, source in zip(names, sources, strict=True):
            objects |= bound(name, source)
        known = settings.read({"DISKSNAPSHOT_REGION": REGION})
        with serving(objects) as api:
            access = ApiAccess("http://127.0.0.1", None, None, None)
            asked = ask(disks=tuple(names))
            return Preparer(api, access, self.cloud, known).prepare(asked, "nonce")

    def refused(self, *sources: dict[str, Any]) -> Problem:
        _, since = self.control.calls()
        with pytest.raises(Problem) as refused:
            self.prepare(*sources)
        calls, _ = self.control.calls(since)
        assert {call["action"] for call in calls} <= {"DescribeDisks", "DescribeSnapshots"}
        return refused.value


@pytest.fixture
def place(emulator: Emulator, files: Any, control: Control) -> Place:
    credential = Credential(SECRET_ID, SECRET_KEY)
    cloud = Cloud(credential, REGION, emulator.endpoint, str(files.ca), Limits())
    return Place(cloud, control)


BAD = [
    ({"DiskState": "EXPANDING"}, "DiskBusy", "is being expanded"),
    ({"DiskState": "ROLLBACKING"}, "DiskBusy", "rolled back"),
    ({"DiskState": "DUMPING"}, "DiskBusy", "is being copied"),
    ({"Migrating": True}, "DiskBusy", "migrated"),
    ({"DiskState": "TORECYCLE"}, "DiskUnusable", "overdue"),
    ({"Shareable": True}, "DiskUnusable", "is shared"),
    ({"SnapshotAbility": False}, "DiskUnusable", "SnapshotAbility"),
]


@pytest.mark.parametrize(("changes", "reason", "words"), BAD, ids=str)
def test_a_disk_that_the_cloud_refuses_to_cut_is_told_before_it_is_asked(
    place: Place, cloud: Caller, disk_id: str, changes: dict[str, Any], reason: str, words: str
) -> None:
    place.control.change_disk(disk_id, **changes)
    problem = place.refused(csi(disk_id))
    assert (problem.reason, words in str(problem)) == (reason, True), str(problem)
    # And this is what the cloud would have said, with writers held.
    with pytest.raises(TencentCloudSDKException):
        cloud.call("CreateSnapshot", DiskId=disk_id)


@pytest.mark.parametrize("state", ["ATTACHING", "DETACHING"])
def test_a_disk_on_its_way_can_be_cut(place: Place, disk_id: str, state: str) -> None:
    place.control.change_disk(disk_id, DiskState=state)
    assert place.prepare(csi(disk_id)).targets[0].disk.state == state


def test_an_in_tree_volume_is_found_in_the_cloud(place: Place, disk_id: str) -> None:
    prepared = place.prepare({"qcloudCbs": {"cbsDiskId": disk_id, "fsType": "ext4"}})
    assert prepared.order.disk_ids == (disk_id,)


def test_a_striped_volume_is_refused_without_a_question_to_the_cloud(
    place: Place, disk_id: str
) -> None:
    other = str(place.control.create_disk()["DiskId"])
    _, since = place.control.calls()
    problem = place.refused(csi(f"{disk_id},{other}"))
    assert (problem.reason, problem.final) == ("NotACbsVolume", True)
    assert place.control.calls(since)[0] == []


def test_a_disk_of_another_region_is_told_with_the_zone_that_its_volume_names(
    place: Place,
) -> None:
    terms = [{"matchExpressions": [{"key": ZONE, "operator": "In", "values": ["ap-beijing-2"]}]}]
    affinity = {"nodeAffinity": {"required": {"nodeSelectorTerms": terms}}}
    problem = place.refused({**csi("disk-beijing1"), **affinity})
    assert (problem.reason, problem.final, problem.slow) == ("DiskUnusable", False, True)
    assert "zone ap-beijing-2" in str(problem)


def test_one_disk_behind_two_claims_is_refused(place: Place, disk_id: str) -> None:
    problem = place.refused(csi(disk_id), csi(disk_id))
    assert (problem.reason, problem.final) == ("DiskUnusable", True)
    assert "stand for the same disk" in str(problem)
