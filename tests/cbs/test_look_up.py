"""What is found of an object among thousands of foreign snapshots, and with tags that got lost."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from disksnapshot import naming
from lab.cbs.control import Control
from lab.cbs.ledger import Ledger
from lab.cbs.records import Snapshot
from lab.cbs.server import Emulator
from lab.lives.apiserver import NAME, NAMESPACE, UID
from lab.lives.life import CLUSTER, NewLife

HOUR = timedelta(hours=1)
ANY_PORT = "127.0.0.1:0"
FOREIGN = 10_001
OTHER_UID = UID.replace("0a1b2c3d-4e", "0a1b2c3d-40")
LOOKALIKES = (
    "{ours}0", "{ours}-copy", "x{ours}", "{short}", "snap_20260301_12", "Unnamed",
    f"{NAMESPACE}-{NAME}-0a1b2c3d4",
)  # fmt: skip


def marks(uid: str = UID, attempt: int = 1) -> naming.Marks:
    return naming.Marks(
        cluster=CLUSTER, uid=uid, namespace=NAMESPACE, name=NAME, attempt=attempt, nonce="n"
    )


def foreign(number: int, disk_id: str) -> Snapshot:
    """Return a snapshot of somebody else, on our disk, with a name as near as can be."""
    ours = naming.snapshot_name(marks())
    pattern = LOOKALIKES[number % len(LOOKALIKES)]
    tags = naming.tags(marks(OTHER_UID), {}) if number % 5 == 0 else {}
    return Snapshot(
        id=f"snap-{number:08}", disk_id=disk_id, name=pattern.format(ours=ours, short=ours[:-2]),
        size_gib=1, zone="ap-guangzhou-3", began=1.0, creation_seconds=0.0,
        visibility_seconds=0.0, tags=tags, accepted=1.0 + number / FOREIGN,
    )  # fmt: skip


@pytest.fixture
def crowded(files: Any) -> str:
    """Fill the account with foreign snapshots of one disk, before the emulator starts."""
    with Emulator(files.store, ANY_PORT, files.cert, files.key, ANY_PORT, {}) as first:
        disk_id = str(Control(first.control_url).create_disk()["DiskId"])
    Ledger(Path(files.store) / "cbs.json").keep(
        *(foreign(number, disk_id) for number in range(FOREIGN))
    )
    return disk_id


def test_ours_and_only_ours_is_found_among_ten_thousand_on_the_same_disk(
    crowded: str, life: NewLife, control: Control
) -> None:
    control.settings(fuzzyNames=True)
    one = life(disk_ids=[crowded], uid=UID)
    control.error("CreateSnapshot", "InternalError", acted=True)
    one.run(timedelta(minutes=3))
    [ours] = [found for found in one.in_the_cloud() if not found["id"].startswith("snap-0000")]
    assert one.status.snapshots == {crowded: ours["id"]}
    assert one.calls()["CreateSnapshot"] == 1
    assert one.calls()["DescribeSnapshots"] > FOREIGN / 100


def test_without_its_tags_a_snapshot_is_adopted_by_its_name_and_disk(
    life: NewLife, control: Control
) -> None:
    control.settings(tagsStick=False, visibilityDelayMilliseconds=20_000)
    one = life()
    control.fault("CreateSnapshot", "ReplyCutAfterAct")
    one.run(HOUR)
    [made] = one.in_the_cloud()
    assert made["tags"] == {}
    assert (one.status.ready, list(one.status.snapshots.values())) == ("True", [made["id"]])
    assert one.calls()["CreateSnapshot"] == 1


def test_without_its_tags_a_snapshot_is_never_deleted_and_that_is_said(
    life: NewLife, control: Control
) -> None:
    control.settings(tagsStick=False)
    one = life(deletionPolicy="Delete")
    one.run(HOUR)
    one.api.delete()
    one.run(HOUR)
    assert one.api.stored is None
    [left] = one.in_the_cloud()
    assert one.calls()["DeleteSnapshots"] == 0
    said = [event["message"] for event in one.api.events if event["reason"] == "GivenUp"]
    assert said
    assert left["id"] in said[0]


def test_a_disk_with_a_snapshot_in_the_making_costs_no_attempt_and_no_hold(
    life: NewLife, control: Control
) -> None:
    control.settings(creationMilliseconds=600_000)
    first = life()
    first.run(timedelta(seconds=1))
    [other] = first.in_the_cloud()
    control.settings(creationMilliseconds=0)
    one = life(beside=first)
    one.run(timedelta(minutes=5))
    assert one.status.reason == "DiskBusy"
    assert other["id"] in one.status.message
    assert one.status.intent is None
    assert one.calls()["CreateSnapshot"] == 0
    one.run(HOUR)
    assert one.status.ready == "True"
    assert one.calls()["CreateSnapshot"] == 1


def test_sixteen_disks_are_cut_at_once_and_looked_up_by_tens(
    life: NewLife, control: Control
) -> None:
    one = life(disk_ids=[str(control.create_disk()["DiskId"]) for _ in range(16)])
    one.run(HOUR)
    assert one.status.ready == "True"
    assert len(set(one.status.snapshots.values())) == 16
    calls = one.calls()
    assert (calls["DescribeDisks"], calls["CreateSnapshot"]) == (1, 16)
    asked = "by tens: is a disk busy, has the status forgotten one; and one sweep"
    assert calls["DescribeSnapshots"] == 2 + 2 + 1, asked


def test_tags_in_any_script_reach_the_cloud_as_they_are(life: NewLife) -> None:
    one = life(tags={"团队": "订单 一", "größe": "½"})
    one.run(HOUR)
    [made] = one.in_the_cloud()
    assert made["tags"]["团队"] == "订单 一"
    assert made["tags"]["größe"] == "½"


def test_a_tag_that_the_cloud_would_refuse_is_refused_with_its_path_before_any_call(
    life: NewLife,
) -> None:
    one = life(tags={"team": "🐢"})
    one.run(HOUR)
    assert (one.status.reason, one.status.stalled) == ("SpecInvalid", True)
    assert "spec.tags['team']" in one.status.message
    assert one.calls().total() == 0
