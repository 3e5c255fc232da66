"""A look-up counts what is on the disk that it asked for, and nothing else."""

from typing import Any

import pytest

from disksnapshot import naming
from disksnapshot.cbs.listed import Snapshot
from disksnapshot.memory import Memory
from disksnapshot.observation import Observer
from rules.situations import DISKS, NOW, UID, ask, intent

CLUSTER = "cluster-1"
MARKS = naming.Marks(
    cluster=CLUSTER, uid=UID, namespace="shop", name="orders", attempt=1, nonce="n"
)


class Loose:
    """A cloud that overlooks the filter, so that each disk's list holds snapshots of others."""

    keys = "ours"

    def __init__(self, disk_id: str) -> None:
        self.disk_id = disk_id

    def snapshots_of(self, *_disk_ids: str) -> list[Snapshot]:
        name, tags = naming.snapshot_name(MARKS), naming.tags(MARKS, {})
        made = Snapshot(
            id="snap-1", name=name, disk_id=self.disk_id, state="NORMAL", percent=100, tags=tags
        )
        return [made]


@pytest.mark.parametrize(("disk_id", "count"), [(DISKS[0], 1), ("disk-foreign1", 0)])
def test_a_snapshot_of_another_disk_is_not_ours_whatever_it_is_called(
    disk_id: str, count: int
) -> None:
    cloud: Any = Loose(disk_id)
    nobody: Any = None
    observer: Observer[str] = Observer(cloud, nobody, Memory(), CLUSTER, lambda: NOW)
    assert len(observer.look_up(ask(), intent(), lambda: NOW).snapshots) == count
