"""Keys of another account, or a wrong region: an empty list is no proof that anything is gone."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from disksnapshot.account import EMPTY, Account
from disksnapshot.cbs.calls import CloudProblem
from disksnapshot.cbs.listed import Snapshot
from disksnapshot.cbs.poller import View
from disksnapshot.errors import CloudUnavailable
from disksnapshot.snapshot import status
from disksnapshot.snapshot.draft import Draft
from disksnapshot.snapshot.proof import verdict
from rules.loops import CLUSTER, KEY, MemoryCloud, Nobody, Server, Sweeps, listed, loop
from rules.situations import DISKS, UID, body, draft, intent, snapshot_of, volumes

LONG_AGO = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)


def made(disks: tuple[str, ...] = DISKS[:1]) -> Draft:
    """Return what the status says of a cut two hours ago."""
    cut = draft(disks=disks).intend(intent(signed=LONG_AGO, disks=disks), volumes(disks))
    cut.record({disk: snapshot_of(disk) for disk in disks})
    return cut.call_it(verdict(("mysql", "freeze"))).waiting("Creating", "copying")


def taken() -> dict[str, Any]:
    return made().ready("complete").body


def deleted(**differing: Any) -> dict[str, Any]:
    return body(deleting=True, policy="Delete", status_so_far=taken(), **differing)


def test_a_deleted_object_waits_for_the_right_keys_and_takes_its_snapshot_along_then() -> None:
    server, cloud = Server(deleted()), MemoryCloud(listed())
    cloud.elsewhere = True
    looking = loop(server, cloud)
    pause = looking.look(KEY)
    assert server.stored is not None, "it let go of a snapshot that is there"
    assert server.now.reason == "DeletionBlocked"
    assert "right account" in server.now.message
    assert snapshot_of(DISKS[0]) in server.now.message
    assert pause is not None
    assert pause >= timedelta(seconds=15), "only a person can help"
    cloud.elsewhere = False
    for _ in range(2):
        looking.look(KEY)
    assert cloud.listed == []
    assert server.stored is None


def test_keys_that_change_between_look_and_deletion_delete_nothing_and_let_nothing_go() -> None:
    class Changing(MemoryCloud):
        def delete(self, snapshot_id: str) -> None:
            self.elsewhere = True
            super().delete(snapshot_id)

    server, cloud = Server(deleted()), Changing(listed())
    looking = loop(server, cloud)
    for _ in range(3):
        looking.look(KEY)
    assert len(cloud.listed) == 1
    assert server.now.reason == "DeletionBlocked"


def test_who_has_given_up_needs_no_keys() -> None:
    server, cloud = Server(deleted(gives_up=body()["metadata"]["uid"])), MemoryCloud(listed())
    cloud.elsewhere = True
    loop(server, cloud).look(KEY)
    assert server.stored is None


@pytest.mark.parametrize("left", [True, False], ids=["others left", "nothing left"])
def test_a_snapshot_that_went_with_its_disk_holds_nobody_up_where_it_was_deleted_by_us(
    left: bool,
) -> None:
    server, cloud = Server(deleted()), MemoryCloud(listed())
    if left:
        cloud.listed.append(listed(uid="another", number=2))
    looking = loop(server, cloud)
    looking.look(KEY)
    cloud.lost_disks = True
    looking.look(KEY)
    assert server.stored is None


def test_a_deletion_whose_answer_was_lost_keeps_no_namespace_when_its_disk_goes_as_well() -> None:
    class Unheard(MemoryCloud):
        def delete(self, snapshot_id: str) -> None:
            super().delete(snapshot_id)
            self.lost_disks = True
            raise CloudUnavailable("the answer was lost")

    server = Server(deleted())
    looking = loop(server, Unheard(listed()))
    for _ in range(2):
        looking.look(KEY)
    assert server.stored is None


def test_where_others_deleted_snapshot_and_disk_one_more_of_the_cluster_shows_the_account() -> (
    None
):
    server, cloud = Server(deleted()), MemoryCloud(listed(uid="another", number=2))
    cloud.lost_disks = True
    loop(server, cloud).look(KEY)
    assert server.stored is None


def test_an_expired_snapshot_is_not_called_deleted_by_who_can_t_see_it() -> None:
    expired = body(status_so_far=taken())
    expired["spec"]["expireAfterSeconds"] = 3600
    server, cloud = Server(expired), MemoryCloud(listed())
    cloud.elsewhere = True
    looking = loop(server, cloud)
    for _ in range(4):
        looking.look(KEY)
    assert (server.now.reason, server.now.stalled) == ("DiskUnusable", False)
    cloud.elsewhere = False
    for _ in range(3):
        looking.look(KEY)
    assert (server.now.reason, server.now.stalled) == ("Expired", True)
    assert cloud.listed == []


def test_a_request_without_an_answer_is_not_settled_by_who_can_t_see_what_it_made() -> None:
    """Its next attempt would hold the writers again, and make a second snapshot."""
    so_far = draft().intend(intent(status.OPEN, signed=LONG_AGO), volumes()).body
    server, cloud = Server(body(status_so_far=so_far)), MemoryCloud(listed())
    cloud.elsewhere = True
    ago = [LONG_AGO + timedelta(hours=1)]
    looking = loop(server, cloud, clock=lambda: ago[0])
    for _ in range(3):
        ago[0] += timedelta(minutes=1)
        looking.look(KEY)
    assert server.now.reason == "DiskUnusable"
    assert server.now.intent is not None
    assert server.now.intent.state == status.OPEN
    cloud.elsewhere = False
    ago[0] += timedelta(minutes=1)
    looking.look(KEY)
    assert server.now.snapshots == {DISKS[0]: snapshot_of(DISKS[0])}


def test_nobody_s_namespace_waits_for_what_an_unanswered_request_may_have_made_elsewhere() -> None:
    so_far = draft().intend(intent(status.OPEN, signed=LONG_AGO), volumes()).body
    server = Server(body(deleting=True, policy="Delete", status_so_far=so_far))
    cloud = MemoryCloud()
    cloud.elsewhere = True
    ago = [LONG_AGO + timedelta(hours=1)]
    looking = loop(server, cloud, clock=lambda: ago[0])
    for _ in range(2):
        ago[0] += timedelta(minutes=1)
        looking.look(KEY)
    assert server.stored is None


class Stale(Nobody):
    """A poller that has seen one snapshot by the right keys, and then misses the other."""

    def follow(self, *_: Any) -> dict[str, Any]:
        missed = View(None, LONG_AGO + timedelta(minutes=10))
        return {snapshot_of(DISKS[0]): View(listed()), snapshot_of(DISKS[1]): missed}


def test_a_set_isn_t_called_lost_since_the_sweeps_saw_one_of_it_by_other_keys() -> None:
    server, cloud = Server(body(disks=DISKS, status_so_far=made(DISKS).body)), MemoryCloud()
    cloud.elsewhere = True
    loop(server, cloud, poller=Stale()).look(KEY)
    assert server.now.reason == "DiskUnusable"


@pytest.mark.parametrize(
    "so_far",
    [
        made(DISKS).failed("SnapshotLost", "one of them is gone"),
        made(DISKS).reopen(intent(signed=LONG_AGO, disks=DISKS)),
    ],
    ids=["one of them was lost", "a part of the status was lost"],
)
def test_nothing_that_was_ever_named_is_let_go_by_keys_that_don_t_show_it(so_far: Draft) -> None:
    server = Server(body(disks=DISKS, deleting=True, policy="Delete", status_so_far=so_far.body))
    cloud, ago = MemoryCloud(listed()), [LONG_AGO + timedelta(hours=1)]
    cloud.elsewhere = True
    looking = loop(server, cloud, clock=lambda: ago[0])
    for _ in range(3):
        ago[0] += timedelta(minutes=1)
        looking.look(KEY)
    assert server.stored is not None, "it let go of a snapshot that is there"
    assert server.now.reason == "DeletionBlocked"


def unanswered() -> dict[str, Any]:
    so_far = draft().intend(intent(status.OPEN, signed=LONG_AGO), volumes()).body
    return body(deleting=True, policy="Delete", status_so_far=so_far)


def test_what_a_look_up_has_shown_in_the_making_is_not_let_go_when_the_keys_change() -> None:
    server, cloud, ago = Server(unanswered()), MemoryCloud(listed("CREATING")), [LONG_AGO]
    looking = loop(server, cloud, clock=lambda: ago[0])
    looking.look(KEY)
    cloud.elsewhere = True
    for _ in range(12):
        ago[0] += timedelta(minutes=1)
        looking.look(KEY)
    assert server.stored is not None, "it let go of a snapshot that it has named itself"
    assert server.now.reason == "DeletionBlocked"
    assert snapshot_of(DISKS[0]) in server.now.message


def test_what_a_look_up_has_shown_and_we_have_deleted_may_take_its_disk_along() -> None:
    server, cloud, ago = Server(unanswered()), MemoryCloud(listed()), [LONG_AGO]
    looking = loop(server, cloud, clock=lambda: ago[0])
    looking.look(KEY)
    cloud.lost_disks = True
    while server.stored and ago[0] < LONG_AGO + timedelta(minutes=10):
        ago[0] += timedelta(minutes=1)
        looking.look(KEY)
    assert server.stored is None


@pytest.mark.parametrize("hindered", ["keys", "call"])
@pytest.mark.parametrize("there", [True, False])
def test_a_ready_object_stays_ready_until_it_is_sure_that_its_snapshot_is_lost(
    hindered: str, there: bool
) -> None:
    """Else it would be called Creating for ever: nobody would look by itself any more."""
    server, cloud = Server(body(status_so_far=taken())), MemoryCloud(*[listed()] * there)
    looking = loop(server, cloud, poller=Sweeps(cloud))
    looking.lose(UID, [snapshot_of(DISKS[0])])
    if hindered == "keys":
        cloud.elsewhere = True
    else:
        cloud.fail = CloudUnavailable("no route")
    pause = looking.look(KEY)
    assert server.now.ready == "True"
    assert pause is not None, "nobody else says when to look again"
    cloud.elsewhere, cloud.fail = False, None
    for _ in range(3):
        looking.look(KEY)
    assert server.now.reason == ("Ready" if there else "SnapshotLost")


def test_an_account_with_nothing_of_ours_is_listed_once_for_all_who_ask_within_a_while() -> None:
    class Counting(MemoryCloud):
        lists = 0

        def every_snapshot(self) -> list[Snapshot]:
            self.lists += 1
            return super().every_snapshot()

    cloud, now = Counting(), [LONG_AGO]
    cloud.lost_disks = True
    ours = Account(cloud, CLUSTER, lambda: now[0])  # type: ignore[arg-type]  # a part of it
    assert [ours.has_something_of([disk]) for disk in DISKS * 20] == [False] * 40
    assert cloud.lists == 1
    cloud.lost_disks = False
    assert ours.has_something_of(DISKS), "a disk shows it at once"
    cloud.lost_disks, cloud.listed = True, [listed(uid="another")]
    now[0] += EMPTY
    assert ours.has_something_of(DISKS)
    cloud.listed, now[0] = [], LONG_AGO - timedelta(hours=8)
    assert not ours.has_something_of(DISKS)
    assert cloud.lists == 3


@pytest.mark.parametrize("known", [DISKS[:1], ()], ids=["one is there", "none is there"])
def test_a_disk_that_is_gone_may_be_answered_with_an_error(known: tuple[str, ...]) -> None:
    """Else who deletes an object after its disk would wait for ever."""

    class Strict(MemoryCloud):
        def disks(self, disk_ids: Sequence[str]) -> dict[str, object]:
            if missing := set(disk_ids) - set(known):
                raise CloudProblem("InvalidDiskId.NotFound", str(missing))
            return super().disks(disk_ids)

    so_far = made(DISKS).ready("complete").body
    server = Server(body(disks=DISKS, deleting=True, policy="Delete", status_so_far=so_far))
    cloud = Strict(*[listed(uid="another", number=2)] * (not known))
    loop(server, cloud).look(KEY)
    assert server.stored is None
