"""An error is an error whatever its content type: the SDK looks in two exact types only."""

from datetime import timedelta
from typing import Any

import pytest

from disksnapshot.cbs.calls import CloudProblem
from disksnapshot.cbs.client import Cloud
from disksnapshot.cbs.limits import Limits
from lab.cbs.control import Control
from lab.cbs.server import Emulator
from lab.lives.life import KEY, NewLife

HOUR = timedelta(hours=1)
KIND, DENIED = "ErrorWithCharset", "UnauthorizedOperation"

pytestmark = pytest.mark.filterwarnings("ignore:.* fileds are useless:UserWarning")


@pytest.mark.parametrize(
    "action", ["DescribeDisks", "DescribeSnapshots", "DeleteSnapshots", "ModifySnapshotAttribute"]
)
def test_an_error_with_a_charset_is_told_by_its_code(
    emulator: Emulator, files: Any, sdk: Any, control: Control, action: str
) -> None:
    ours = Cloud(sdk.credential, "ap-guangzhou", emulator.endpoint, str(files.ca), Limits())
    calls: dict[str, Any] = {
        "DescribeDisks": lambda: ours.disks(["disk-00000000"]),
        "DescribeSnapshots": lambda: ours.snapshots(["snap-00000000"]),
        "DeleteSnapshots": lambda: ours.delete("snap-00000000"),
        "ModifySnapshotAttribute": lambda: ours.set_deadline("snap-00000000", None),
    }
    control.fault(action, KIND, code=DENIED)
    with pytest.raises(CloudProblem) as problem:
        calls[action]()
    assert problem.value.code == DENIED


def test_a_deadline_that_was_refused_so_is_told_again_until_the_cloud_has_taken_it(
    life: NewLife, control: Control
) -> None:
    one = life(expireAfterSeconds=7 * 86400)
    one.run(timedelta(minutes=1))
    assert one.api.stored
    del one.api.stored["spec"]["expireAfterSeconds"]
    one.api.stored["metadata"]["generation"] = 2
    control.fault("ModifySnapshotAttribute", KIND, code=DENIED)
    for _ in range(4):
        one.loop.look(KEY)
    one.pass_time(timedelta(days=10))
    assert one.status.ready == "True"
    assert len(one.in_the_cloud()) == 1, "the cloud deleted it at a deadline that was taken away"


def test_a_deletion_that_was_refused_so_is_said(life: NewLife, control: Control) -> None:
    one = life(deletionPolicy="Delete")
    one.run(HOUR)
    code = "UnsupportedOperation.SnapHasShared"
    control.fault("DeleteSnapshots", KIND, code=code, seconds=300)
    one.api.delete()
    one.run(HOUR)
    assert one.status.reason == "DeletionBlocked"
    assert code in one.status.message


def test_a_right_that_is_missing_and_said_so_costs_few_calls(
    life: NewLife, control: Control
) -> None:
    one = life()
    control.fault("DescribeDisks", KIND, code=DENIED, seconds=300)
    one.run(HOUR)
    assert 1 <= one.calls()["DescribeDisks"] <= 12
    assert one.status.reason == "CloudForbidden"
