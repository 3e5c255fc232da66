"""Before anything is held, an attempt makes sure that it is still wanted."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from disksnapshot.cbs.clock import CloudClock
from disksnapshot.cbs.listed import Disk, Snapshot
from disksnapshot.errors import Conflict
from disksnapshot.kube.claims import Claim
from disksnapshot.kube.objects import Objects
from disksnapshot.snapshot import status
from disksnapshot.snapshot.capture import Captures
from disksnapshot.snapshot.prepare import Prepared, Target
from disksnapshot.window.hold import CloudAddress, Order
from rules.loops import KEY, MemoryCloud, Server, Sweeps, listed, loop
from rules.situations import DISKS, NOW, body, draft

ORDER = Order(
    disk_ids=DISKS[:1],
    steps=(),
    max_hold_seconds=10,
    release_when="Accepted",
    cut_without_hold=True,
    cloud=CloudAddress(host="127.0.0.1", port=1, ca_file=None),
)


class Moved:
    """An API server whose object was changed by somebody since it was read."""

    def __init__(self, now: Mapping[str, Any]) -> None:
        self.now = now
        self.tries = 0

    def get(self, _path: str, **_: str) -> Mapping[str, Any]:
        return self.now

    def patch(self, _path: str, _change: Any, _content_type: str) -> Mapping[str, Any]:
        self.tries += 1
        raise Conflict("the object has been modified")


class Roomy:
    """A cloud that has a place and a token for everybody, and lists what it is told to."""

    def __init__(self, *listed: Snapshot) -> None:
        self.listed = listed
        self.clock = CloudClock(own=lambda: NOW)

    def snapshots_of(self, *disk_ids: str) -> list[Snapshot]:
        return [item for item in self.listed if item.disk_id in disk_ids]

    def not_after(self, signed: datetime) -> datetime:
        return signed + timedelta(minutes=1)

    @property
    def limits(self) -> "Roomy":
        return self

    def require_room(self) -> None:
        pass

    def wait(self, _action: str, _count: int) -> None:
        pass

    def give_back(self, _action: str, _count: int) -> None:
        pass


class Ready:
    """A look-up that finds everything."""

    def prepare(self, *_: Any) -> Prepared:
        claim = Claim(name="d", uid="u", volume_name="pv-0", disk_id=DISKS[0], is_block=False)
        disk = Disk(
            id=DISKS[0], state="ATTACHED", snapshot_ability=True, size_gib=10, encrypted=False
        )
        return Prepared(targets=(Target(claim=claim, disk=disk),), order=ORDER)


def captures(
    server: Any,
    cloud: Any,
    prepare: Ready | None = None,
    admits: Callable[[], bool] = lambda: True,
) -> Captures:
    """Return captures between others that stand in by the part of each that is used."""
    preparer: Any = prepare or Ready()
    return Captures(Objects(server), cloud, preparer, "cluster-1", admits)


class Overtaken(Ready):
    """Look-ups that take so long that the Lease is lost meanwhile."""

    at_work = True

    def prepare(self, *_: Any) -> Prepared:
        self.at_work = False
        return super().prepare()


@pytest.mark.parametrize("cloud", [Roomy(), Roomy(listed())], ids=["none", "one is forgotten"])
def test_who_loses_the_lease_while_it_looks_things_up_puts_no_finalizer_on(cloud: Roomy) -> None:
    server, slow = Server(body(finalizer=False)), Overtaken()
    with pytest.raises(Conflict, match="stopping"):
        captures(server, cloud, slow, lambda: slow.at_work).run(body(finalizer=False), 1)
    assert server.writes == 0


def test_an_object_that_another_operator_has_called_failed_is_not_begun() -> None:
    failed = draft().failed("DiskUnusable", "disk disk-aaaaaaaa can't have snapshots").body
    server = Moved(body(finalizer=False, status_so_far=failed))
    with pytest.raises(Conflict, match="modified"):
        captures(server, Roomy()).run(body(finalizer=False), 1)
    assert server.tries == 1


@pytest.mark.parametrize("number", [1, 2])
def test_a_snapshot_that_the_status_forgot_is_written_down_again_and_no_other_is_made(
    number: int,
) -> None:
    server = Server(body(finalizer=False))
    with pytest.raises(Conflict, match=f"attempt {number}, which the status forgot"):
        captures(server, Roomy(listed(number=number))).run(body(finalizer=False), 1)
    assert server.now.intent is not None
    assert (server.now.intent.attempt, server.now.intent.state) == (number, status.OPEN)
    assert server.now.intent.disk_ids == DISKS[:1]


def test_what_the_status_forgot_is_adopted_though_nobody_knows_what_it_holds() -> None:
    server, cloud = Server(body(quiesce={})), MemoryCloud(listed())
    looking = loop(server, cloud, run=captures(server, Roomy(listed())).run)
    for _ in range(3):
        looking.look(KEY)
    assert server.now.snapshots == {DISKS[0]: listed().id}
    assert server.now.consistency == "Unknown"


def test_the_cloud_is_told_the_end_of_what_the_status_forgot_for_it_has_an_earlier_one() -> None:
    expiring = body()
    expiring["spec"]["expireAfterSeconds"] = 100 * 365 * 86400
    server, cloud = Server(expiring), MemoryCloud(listed())
    run = captures(server, Roomy(listed())).run
    looking = loop(server, cloud, run=run, poller=Sweeps(cloud))
    for _ in range(5):
        looking.look(KEY)
    assert server.now.ready == "True"
    assert cloud.deadlines == {listed().id: server.now.deadline}


def test_a_snapshot_of_an_earlier_object_of_this_name_is_not_taken_for_its_own() -> None:
    server = Moved(body(finalizer=False, deleting=True))
    others = listed(uid="ffffffff-4e5f-6789-abcd-ef0123456789")
    with pytest.raises(Conflict, match="modified"):
        captures(server, Roomy(others)).run(body(finalizer=False), 1)
