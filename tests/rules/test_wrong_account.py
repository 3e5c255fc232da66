"""Keys of another account, or a wrong region: an empty list is no proof that anything is gone."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from disksnapshot.snapshot import status
from disksnapshot.snapshot.proof import verdict
from rules.loops import KEY, MemoryCloud, Server, listed, loop
from rules.situations import DISKS, body, draft, intent, snapshot_of, volumes

LONG_AGO = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)


def taken(*, ready: bool = True) -> dict[str, Any]:
    """Return what the status says two hours after a cut."""
    made = draft().intend(intent(signed=LONG_AGO), volumes())
    made.record({DISKS[0]: snapshot_of(DISKS[0])}).call_it(verdict(("mysql", "freeze")))
    return (made.ready("complete") if ready else made).body


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
        def delete(self, snapshot_id: str) -> bool:
            self.elsewhere = True
            return super().delete(snapshot_id)

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
