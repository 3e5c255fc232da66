"""Names and tags: whose a cloud snapshot is, and what that allows."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disksnapshot import naming

UID, OTHER = "0a1b2c3d-4e5f-6789-abcd-ef0123456789", "ffffffff-4e5f-6789-abcd-ef0123456789"
CLUSTER = "b0000000-0000-0000-0000-000000000001"


def marks(
    namespace: str = "shop", name: str = "orders", uid: str = UID, attempt: int = 1
) -> naming.Marks:
    return naming.Marks(
        cluster=CLUSTER, uid=uid, namespace=namespace, name=name, attempt=attempt, nonce="n"
    )


def test_a_name_is_readable_and_carries_object_and_attempt() -> None:
    assert naming.snapshot_name(marks(attempt=2)) == "shop-orders-0a1b2c3d4e-2"


@given(namespace=st.text(min_size=1, max_size=63), name=st.text(min_size=1, max_size=253))
def test_any_name_fits_the_cloud_and_is_known_again(namespace: str, name: str) -> None:
    named = naming.snapshot_name(marks(namespace, name, attempt=3))
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,60}", named)
    assert naming.attempt_of({}, named, UID) == 3


def test_long_names_with_equal_beginnings_stay_different() -> None:
    first, second = (naming.snapshot_name(marks(name="a" * 253, uid=uid)) for uid in (UID, OTHER))
    assert len(first) == len(second) == 60
    assert first != second


@pytest.mark.parametrize(
    ("tags", "name", "attempt"),
    [
        ({"disksnapshot.io/uid": UID, "disksnapshot.io/attempt": "2"}, "anything", 2),
        ({"disksnapshot.io/uid": UID}, "shop-orders-0a1b2c3d4e-1", None),
        ({"disksnapshot.io/uid": UID, "disksnapshot.io/attempt": "²"}, "x", None),
        ({"disksnapshot.io/uid": OTHER}, "shop-orders-0a1b2c3d4e-1", None),
        ({}, "shop-orders-0a1b2c3d4e-1", 1),
        ({"team": "x"}, "shop-orders-0a1b2c3d4e-12", 12),
        ({}, "shop-orders-0a1b2c3d4e-", None),
        ({}, "shop-orders-0a1b2c3d4e-1-copy", None),
        ({}, "shop-orders-ffffffff4e-1", None),
    ],
    ids=[
        "the tag tells the attempt",
        "a name does not stand in for a lost attempt tag",
        "an odd digit is no number",
        "another object's tag wins over a fitting name",
        "without tags the name tells",
        "foreign tags don't matter",
        "a name without attempt",
        "a copy's name",
        "another object's name",
    ],
)
def test_the_attempt_of_a_found_snapshot(
    tags: dict[str, str], name: str, attempt: int | None
) -> None:
    assert naming.attempt_of(tags, name, UID) == attempt


@pytest.mark.parametrize(
    ("tags", "ours"),
    [
        (naming.tags(marks(), {}), True),
        ({}, False),
        ({"disksnapshot.io/uid": UID}, False),
        ({"disksnapshot.io/uid": UID, "disksnapshot.io/cluster": "another"}, False),
        ({"disksnapshot.io/uid": OTHER, "disksnapshot.io/cluster": CLUSTER}, False),
    ],
    ids=["ours", "by its name alone", "no cluster", "another cluster", "another object"],
)
def test_a_snapshot_is_ours_by_its_tags_alone(tags: dict[str, str], *, ours: bool) -> None:
    assert naming.has_tags_of(tags, CLUSTER, UID) is ours


def test_nobody_s_tags_can_take_the_place_of_ours() -> None:
    tags = naming.tags(marks(), {"disksnapshot.io/uid": OTHER, "team": "x"})
    assert (tags["disksnapshot.io/uid"], tags["team"]) == (UID, "x")
