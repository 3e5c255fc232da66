"""The campaign's cloud in memory answers the operator as the emulator does, call by call."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tencentcloud.common.credential import Credential

from campaign import wire
from campaign.clock import Clock, Unhurried
from campaign.cloud import Cloud as InMemory
from campaign.cloud import disk
from campaign.points import Points, Tap
from disksnapshot.cbs.calls import CloudProblem
from disksnapshot.cbs.client import Cloud
from disksnapshot.cbs.clock import CloudClock
from disksnapshot.cbs.limits import Limits
from lab.cbs.control import Control
from lab.cbs.server import Emulator

REGION = "ap-guangzhou"
CREATION_SECONDS = 40
TAGS = [{"Key": "disksnapshot.io/uid", "Value": "u-1"}]


@dataclass(frozen=True, kw_only=True)
class Account:
    """One of the two clouds behind the operator's client."""

    cloud: Cloud
    disk_id: str
    other_disk_id: str
    pass_time: Callable[[float], None]
    list_late: Callable[[float], None]

    def create(self, disk_id: str = "", **asked: Any) -> str:
        asked = {"DiskId": disk_id or self.disk_id, "SnapshotName": "one", **asked}
        return str(self.cloud.ask("CreateSnapshot", asked)["SnapshotId"])


def in_memory() -> Account:
    clock = Clock()
    made = InMemory(clock, creation_seconds=CREATION_SECONDS)
    clock.passing.append(made.pass_time)
    made.disks = {name: disk(name) for name in ("disk-aaaaaaaa", "disk-bbbbbbbb")}
    own = CloudClock(clock.now)
    cloud = Cloud(Credential("id", "key"), REGION, "cloud", None, Unhurried(clock), own)
    session = cloud._client.request.conn._session  # noqa: SLF001 - the SDK has no other place
    session.mount("https://", wire.CloudWire(made, Tap(Points())))

    def list_late(seconds: float) -> None:
        made.listed_after = seconds

    return Account(
        cloud=cloud, disk_id="disk-aaaaaaaa", other_disk_id="disk-bbbbbbbb",
        pass_time=clock.advance, list_late=list_late,
    )  # fmt: skip


def emulated(emulator: Emulator, files: Any, control: Control, sdk: Any) -> Account:
    control.settings(creationMilliseconds=CREATION_SECONDS * 1000, visibilityDelayMilliseconds=0)
    passed = [0]
    own = CloudClock(lambda: datetime.now(UTC) + timedelta(seconds=passed[0]))
    keys = Credential(sdk.credential.secret_id, sdk.credential.secret_key)
    cloud = Cloud(keys, REGION, emulator.endpoint, str(files.ca), Limits(), own)

    def pass_time(seconds: float) -> None:
        passed[0] += math.ceil(seconds)
        control.skew(passed[0])

    def list_late(seconds: float) -> None:
        control.settings(visibilityDelayMilliseconds=round(seconds * 1000))

    first, second = (str(control.create_disk()["DiskId"]) for _ in range(2))
    for disk_id in (first, second):
        control.attach(disk_id, "ins-lab00001")
    return Account(
        cloud=cloud, disk_id=first, other_disk_id=second, pass_time=pass_time, list_late=list_late
    )


@pytest.fixture(params=["in memory", "emulated"])
def account(request: pytest.FixtureRequest) -> Iterator[Account]:
    if request.param == "in memory":
        yield in_memory()
        return
    names = ("emulator", "files", "control", "sdk")
    emulator, files, control, sdk = map(request.getfixturevalue, names)
    yield emulated(emulator, files, control, sdk)
    control.skew(0)


def refused(code: str) -> Any:
    return pytest.raises(CloudProblem, check=lambda error: error.code == code)


def test_a_snapshot_is_listed_in_creation_with_what_was_asked(account: Account) -> None:
    made = account.create(Tags=TAGS)
    [listed] = account.cloud.snapshots_of(account.disk_id)
    assert (listed.id, listed.name, listed.disk_id) == (made, "one", account.disk_id)
    assert (listed.state, listed.complete) == ("CREATING", False)
    assert listed.percent < 100
    assert dict(listed.tags) == {"disksnapshot.io/uid": "u-1"}


def test_it_is_complete_after_a_while(account: Account) -> None:
    made = account.create()
    account.pass_time(CREATION_SECONDS + 1)
    assert account.cloud.snapshots([made])[made].complete


def test_a_disk_has_one_creation_at_a_time_and_others_go_on(account: Account) -> None:
    made = account.create()
    with refused("InvalidDisk.SnapshotCreating"):
        account.create()
    account.create(account.other_disk_id)
    busy = account.cloud.in_creation([account.disk_id])
    assert [one.id for one in busy.values()] == [made]


def test_only_what_is_complete_can_be_deleted(account: Account) -> None:
    made = account.create()
    with refused("ResourceUnavailable.SnapshotCreating"):
        account.cloud.delete(made)
    account.pass_time(CREATION_SECONDS + 1)
    account.cloud.delete(made)
    account.cloud.delete(made)
    assert account.cloud.snapshots([made])[made].complete  # it stays listed for a while
    account.pass_time(5)
    assert account.cloud.snapshots_of(account.disk_id) == []


def test_what_is_gone_is_said_to_be_unknown(account: Account) -> None:
    asked = {"SnapshotIds": ["snap-zzzzzzzz"]}
    with refused("InvalidSnapshotId.NotFound"):
        account.cloud.ask("DeleteSnapshots", asked)
    assert account.cloud.snapshots(["snap-zzzzzzzz"]) == {}


def test_a_new_snapshot_is_hidden_for_as_long_as_the_listing_lags(account: Account) -> None:
    account.list_late(30)
    made = account.create()
    assert account.cloud.snapshots_of(account.disk_id) == []
    assert account.cloud.snapshots([made]) == {}
    account.pass_time(31)
    assert [one.id for one in account.cloud.snapshots_of(account.disk_id)] == [made]


def test_a_disk_that_is_unknown_is_left_out_and_cannot_be_cut(account: Account) -> None:
    assert list(account.cloud.disks([account.disk_id, "disk-zzzzzzzz"])) == [account.disk_id]
    with refused("InvalidDiskId.NotFound"):
        account.create("disk-zzzzzzzz")


def test_a_disk_is_shown_attached_and_able(account: Account) -> None:
    shown = account.cloud.disks([account.disk_id])[account.disk_id]
    assert (shown.state, shown.snapshot_ability) == ("ATTACHED", True)
    assert shown.instance_id


def test_pages_are_counted_whole(account: Account) -> None:
    for disk_id in (account.disk_id, account.other_disk_id):
        account.create(disk_id)
    answer = account.cloud.ask("DescribeSnapshots", {"Limit": 1, "Offset": 1})
    assert answer["TotalCount"] == 2
    assert len(answer["SnapshotSet"]) == 1


def test_replies_tell_the_clouds_time(account: Account) -> None:
    account.pass_time(1000)
    account.cloud.snapshots_of(account.disk_id)
    assert account.cloud.clock.known
    assert abs(account.cloud.clock.ahead) < timedelta(seconds=3)
