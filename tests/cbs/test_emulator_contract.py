"""The emulated cloud takes and gives what the vendor's own SDK knows: no more, no less."""

import re
from pathlib import Path
from typing import Any

import pytest
from tencentcloud.cbs.v20170312 import errorcodes, models

import lab.cbs
from lab.cbs.actions import CBS
from lab.cbs.caller import Caller
from lab.cbs.control import Control
from lab.cbs.settings import Settings

# What the service was seen to send, and no document names: clients must live with such keys.
UNDOCUMENTED = {"LatestOperation", "LatestOperationState"}
# Sent only for what isn't emulated: encryption by a key of one's own.
NOT_SENT = {"EncryptType", "KmsKeyId"}


# Codes that the platform answers for every service; the SDK of one service doesn't list them.
COMMON_CODES = {
    "AuthFailure.InvalidAuthorization", "AuthFailure.SecretIdNotFound",
    "AuthFailure.SignatureExpire", "AuthFailure.SignatureFailure", "AuthFailure.TokenFailure",
    "InvalidAction", "InvalidRequest", "NoSuchVersion", "RequestLimitExceeded",
    "RequestSizeLimitExceeded", "UnknownParameter", "UnsupportedRegion",
}  # fmt: skip
CODES_OF_STS = {"InvalidParameter.WebIdentityTokenError"}
CODE = re.compile(r'ApiError\(\s*"([\w.]+)"')


def fields(model: Any) -> set[str]:
    return {name.removeprefix("_") for name in vars(model())}


@pytest.mark.parametrize("action", CBS.actions)
def test_an_action_takes_what_the_sdk_can_send(action: str) -> None:
    known = fields(getattr(models, f"{action}Request"))
    assert CBS.actions[action].takes.names == known


def test_every_error_has_a_code_that_is_documented() -> None:
    source = Path(lab.cbs.__path__[0])
    answered = {
        code for module in source.glob("*.py") for code in CODE.findall(module.read_text())
    }
    answered |= {Settings().quota_code, Settings().busy_code}
    documented = {value for name, value in vars(errorcodes).items() if name.isupper()}
    assert len(answered) > 30
    assert answered <= documented | COMMON_CODES | CODES_OF_STS


def test_a_snapshot_has_the_fields_of_the_sdk(
    cloud: Caller, control: Control, disk_id: str
) -> None:
    control.settings(visibilityDelayMilliseconds=0, newerKeys=True)
    cloud.call("CreateSnapshot", DiskId=disk_id)
    [snapshot] = cloud.snapshots()
    assert snapshot.keys() - UNDOCUMENTED == fields(models.Snapshot)


def test_a_disk_has_the_fields_of_the_sdk(cloud: Caller, disk_id: str) -> None:
    [disk] = cloud.disks(DiskIds=[disk_id])
    assert disk.keys() - UNDOCUMENTED == fields(models.Disk) - NOT_SENT


@pytest.mark.parametrize("action", CBS.actions)
def test_an_answer_has_the_fields_of_the_sdk(
    cloud: Caller, control: Control, disk_id: str, action: str
) -> None:
    control.settings(creationMilliseconds=0, visibilityDelayMilliseconds=0)
    free = control.create_disk()["DiskId"]
    made = cloud.call("CreateSnapshot", DiskId=disk_id)["SnapshotId"]
    asked: dict[str, dict[str, Any]] = {
        "AttachDisks": {"InstanceId": "ins-lab00001", "DiskIds": [free]},
        "CreateDisks": {
            "Placement": {"Zone": "ap-guangzhou-3"},
            "DiskChargeType": "POSTPAID_BY_HOUR",
            "DiskType": "CLOUD_SSD",
            "DiskSize": 1,
        },
        "CreateSnapshot": {"DiskId": disk_id},
        "DeleteSnapshots": {"SnapshotIds": [made]},
        "DetachDisks": {"DiskIds": [disk_id]},
        "ModifySnapshotAttribute": {"SnapshotId": made, "SnapshotName": "another"},
        "TerminateDisks": {"DiskIds": [free]},
    }
    answer = cloud.call(action, **asked.get(action, {}))
    assert answer.keys() == fields(getattr(models, f"{action}Response"))
