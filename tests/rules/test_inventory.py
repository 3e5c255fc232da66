"""What the cloud lists against what the objects say."""

import pytest

from disksnapshot.snapshot import inventory
from rules.situations import DISKS, UID, body, draft, intent, snapshot_of, volumes

CLUSTER = "cluster-1"
OTHER = "ffffffff-4e5f-6789-abcd-ef0123456789"
MINE = snapshot_of(DISKS[0])


def marks(uid: str = UID, cluster: str = CLUSTER, policy: str = "Delete") -> dict[str, str]:
    words = {"cluster": cluster, "uid": uid, "namespace": "shop", "name": "orders"}
    return {f"disksnapshot.io/{key}": word for key, word in (words | {"policy": policy}).items()}


def listed(snapshot_id: str = MINE, uid: str = UID, policy: str = "Delete") -> inventory.Marked:
    found = inventory.marked(snapshot_id, marks(uid, policy=policy), CLUSTER, complete=True)
    assert found
    return found


def an_object(state: str = "ready") -> inventory.Kept:
    made = draft().intend(intent(), volumes())
    if state == "ready":
        made.record({DISKS[0]: MINE}).ready("complete")
    return inventory.kept(body(status_so_far=made.body))


@pytest.mark.parametrize(
    "tags",
    [{}, {"team": "shop"}, marks(cluster="cluster-2"), marks(uid="")],
    ids=["no tags", "foreign tags", "another cluster's", "a cluster's without an object"],
)
def test_what_has_not_all_our_marks_is_nobody_s_business(tags: dict[str, str]) -> None:
    assert inventory.marked(MINE, tags, CLUSTER, complete=True) is None


def test_a_snapshot_of_an_object_that_names_it_is_in_order() -> None:
    found = inventory.compare([listed()], [an_object()])
    assert found == inventory.Findings(missing={}, orphans=(), retained=(), previous={})


def test_a_ready_object_whose_snapshot_is_not_listed_misses_it() -> None:
    assert inventory.compare([], [an_object()]).missing == {UID: frozenset({MINE})}
    assert inventory.compare([], [an_object("holding")]).missing == {}


def test_what_was_made_to_be_deleted_and_has_no_object_is_an_orphan() -> None:
    found = inventory.compare([listed()], [])
    assert (found.orphans, found.retained) == ((listed(),), ())


@pytest.mark.parametrize(
    "policy", ["Retain", ""], ids=["to be kept", "of a version that told not"]
)
def test_what_was_made_to_be_kept_outlives_its_object(policy: str) -> None:
    kept = listed(policy=policy)
    found = inventory.compare([kept], [])
    assert (found.orphans, found.retained) == ((), (kept,))


def test_what_comes_after_its_object_was_done_is_an_orphan_and_before_that_it_is_not() -> None:
    late = listed(snapshot_of(DISKS[0], 2), policy="Retain")
    assert inventory.compare([listed(), late], [an_object()]).orphans == (late,)
    assert inventory.compare([listed(), late], [an_object("holding")]).orphans == ()


def test_an_object_is_told_of_what_an_earlier_one_of_its_name_left() -> None:
    earlier = listed("snap-earlier1", uid=OTHER, policy="Retain")
    found = inventory.compare([listed(), earlier], [an_object()])
    assert found.previous == {UID: (earlier,)}
    assert found.orphans == ()
