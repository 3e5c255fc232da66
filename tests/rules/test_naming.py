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
    assert naming.attempt_of({}, named, marks(namespace, name)) == 3


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
        ({}, "xshop-orders-0a1b2c3d4e-1", None),
        ({}, "shop-other-0a1b2c3d4e-1", None),
        ({}, "shop-orders-0a1b2c3d4e-01", None),
        ({}, "shop-orders-0a1b2c3d4e-²", None),
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
        "a name that only contains it",
        "another object with such digits",
        "another spelling of the attempt",
        "an attempt that is no number",
    ],
)
def test_the_attempt_of_a_found_snapshot(
    tags: dict[str, str], name: str, attempt: int | None
) -> None:
    found = naming.attempt_of(tags, name, marks())
    assert found == attempt


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


@pytest.mark.parametrize(
    ("namespace", "name", "expected"),
    [
        ("shop", "a" * 253, "shop-" + "a" * 42 + "-0a1b2c3d4e-1"),
        ("n" * 63, "b", "n" * 47 + "-0a1b2c3d4e-1"),
        ("shop", "orders-" + "." * 50, "shop-orders-0a1b2c3d4e-1"),
        ("商店", "订单", "-----0a1b2c3d4e-1"),
    ],
    ids=["253 characters", "a namespace that fills it", "cut where signs end", "multi-byte"],
)
def test_a_name_is_cut_to_sixty_bytes_and_keeps_what_makes_it_unique(
    namespace: str, name: str, expected: str
) -> None:
    named = naming.snapshot_name(marks(namespace, name))
    assert named.strip("-") == expected.strip("-")
    assert len(named.encode()) <= 60


def test_an_attempt_of_many_digits_still_fits() -> None:
    assert len(naming.snapshot_name(marks(name="a" * 253, attempt=10**9))) == 60


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"team": "shop"},
        {"团队": "订单 一"},
        {"größe": "²½Ⅷ"},
        {"k" * 127: "v" * 255},
        {"a+b-c=d._:/@()[]": ""},
        {f"key{number}": "v" for number in range(20)},
    ],
)
def test_tags_that_the_cloud_takes_are_taken(tags: dict[str, str]) -> None:
    assert naming.tag_fault(tags) is None


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ({"": "x"}, r"\[''\]: a key has 1 to 127"),
        ({"k" * 128: "x"}, "a key has 1 to 127"),
        ({"a": "v" * 256}, r"\['a'\]: a value has 255"),
        ({"qcs:a": "x"}, "must not start with qcs:, project:, disksnapshot.io/"),
        ({"project:a": "x"}, "must not start with"),
        ({"disksnapshot.io/uid": "x"}, "must not start with"),
        ({"a,b": "x"}, "only letters, digits, spaces and"),
        ({"a": "b\nc"}, "only letters"),
        ({"a": "🐢"}, "only letters"),
        ({"a": "e\u0301"}, "only letters"),
        ({f"key{number}": "v" for number in range(21)}, ": there are 21 tags"),
    ],
)
def test_tags_that_the_cloud_refuses_are_refused_with_their_path(
    tags: dict[str, str], said: str
) -> None:
    assert re.search(said, naming.tag_fault(tags) or "")
