"""Status, labels, annotations and finalizers that somebody forged: nothing foreign is deleted."""

from typing import Any

import pytest

from disksnapshot import naming
from disksnapshot.cbs.listed import Snapshot
from disksnapshot.snapshot import spec
from rules.loops import CLUSTER, KEY, MemoryCloud, Server, loop
from rules.situations import DISKS, UID, body, draft, intent, volumes

VICTIM = "ffffffff-4e5f-6789-abcd-ef0123456789"
OURS = {"disksnapshot.io/cluster": CLUSTER, "disksnapshot.io/uid": UID}
LOOKS = 8
FOREIGN = {
    "another object's": {**OURS, "disksnapshot.io/uid": VICTIM},
    "another cluster's": {**OURS, "disksnapshot.io/cluster": "cluster-2"},
    "one without tags": {},
    "one with the uid alone": {"disksnapshot.io/uid": UID},
    "one with the cluster alone": {"disksnapshot.io/cluster": CLUSTER},
}


def listed(tags: dict[str, str], *, name: str = "shop-orders-0a1b2c3d4e-1") -> Snapshot:
    """Return a snapshot that bears even the name of one of this object's."""
    return Snapshot(
        id="snap-victim01",
        name=name,
        disk_id=DISKS[0],
        state="NORMAL",
        percent=100,
        tags={"disksnapshot.io/attempt": "1", **tags} if tags else {},
    )


def naming_it(*, consistency: str = "CrashConsistent") -> dict[str, Any]:
    """Return a status that calls the foreign snapshot this object's own."""
    made = draft().intend(intent(), volumes()).record({DISKS[0]: "snap-victim01"})
    return {**made.body, "consistency": consistency} if consistency else made.body


STATUSES = {
    "a snapshot that is done": naming_it(),
    "one whose hold was not proven": naming_it(consistency=""),
    "an attempt whose answer was lost": draft().intend(intent(), volumes()).body,
}


@pytest.mark.parametrize("tags", FOREIGN.values(), ids=FOREIGN)
@pytest.mark.parametrize("forged", STATUSES.values(), ids=STATUSES)
@pytest.mark.parametrize("deleting", [False, True], ids=["left alone", "being deleted"])
def test_a_status_that_names_a_foreign_snapshot_deletes_nothing(
    tags: dict[str, str], forged: dict[str, Any], *, deleting: bool
) -> None:
    cloud = MemoryCloud(listed(tags))
    server = Server(body(deleting=deleting, policy="Delete", status_so_far=forged))
    looking = loop(server, cloud)
    for _ in range(LOOKS):
        looking.look(KEY)
    assert [item.id for item in cloud.listed] == ["snap-victim01"]


@pytest.mark.parametrize("tags", FOREIGN.values(), ids=FOREIGN)
def test_an_expiry_deletes_no_foreign_snapshot(tags: dict[str, str]) -> None:
    """Its time comes from the status too: here one that calls itself a year old."""
    cloud = MemoryCloud(listed(tags))
    stored = body(status_so_far=draft().ready("complete").body | naming_it())
    stored["status"]["intent"]["signedTime"] = "2025-03-01T12:00:00Z"
    stored["spec"]["expireAfterSeconds"] = 86400
    looking = loop(Server(stored), cloud)
    for _ in range(LOOKS):
        looking.look(KEY)
    assert cloud.calls
    assert len(cloud.listed) == 1


def test_a_status_that_names_a_foreign_disk_deletes_nothing_there() -> None:
    cloud = MemoryCloud(listed(FOREIGN["another object's"]))
    forged = naming_it()
    forged["intent"]["diskIDs"] = list(DISKS)
    server = Server(body(deleting=True, policy="Delete", status_so_far=forged))
    loop(server, cloud).look(KEY)
    assert len(cloud.listed) == 1
    assert server.stored is None


@pytest.mark.parametrize("finalizers", [[], ["shop.test/theirs"]], ids=["none left", "theirs"])
def test_without_our_finalizer_a_deletion_deletes_nothing(finalizers: list[str]) -> None:
    cloud = MemoryCloud(listed(OURS))
    stored = body(deleting=True, policy="Delete", status_so_far=naming_it())
    stored["metadata"]["finalizers"] = finalizers
    assert loop(Server(stored), cloud).look(KEY) is None
    assert len(cloud.listed) == 1


def test_labels_and_annotations_say_nothing_to_the_operator() -> None:
    plain, marked = body(), body()
    words = {**FOREIGN["another object's"], "disksnapshot.io/snapshot": "snap-victim01"}
    marked["metadata"] |= {"labels": words, "annotations": words}
    assert spec.parse(marked) == spec.parse(plain)


def test_a_users_tags_never_stand_for_ours() -> None:
    marks = naming.Marks(
        cluster=CLUSTER, uid=UID, namespace="shop", name="orders", attempt=1, nonce="n"
    )
    ours = naming.tags(marks, {})
    forged = naming.tags(marks, dict.fromkeys(ours, "forged"))
    assert forged == ours
    assert naming.tags(marks, {"team": "shop"}) == {**ours, "team": "shop"}


@pytest.mark.parametrize(
    "key", [" disksnapshot.io/uid", "disksnapshot.io/uid ", "DiskSnapshot.io/uid"]
)
def test_a_tag_that_only_looks_like_ours_is_left_out(key: str) -> None:
    """Whether the cloud trims or folds keys is not documented; so none of these is sent."""
    marks = naming.Marks(
        cluster=CLUSTER, uid=UID, namespace="shop", name="orders", attempt=1, nonce="n"
    )
    assert naming.tags(marks, {key: VICTIM}) == naming.tags(marks, {})
