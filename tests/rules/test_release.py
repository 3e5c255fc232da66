"""What an uninstall does to the objects: finalizers off, snapshots kept, all of it listed."""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from disksnapshot.errors import Conflict, Gone, Unavailable
from disksnapshot.release import SEIZED_SECONDS, TRIES, Release, what_stays
from rules.situations import DISKS, body, draft, intent, snapshot_of, volumes


class Objects:
    """The objects of a cluster, and in which order they and the Lease were touched."""

    def __init__(self, *bodies: dict[str, Any]) -> None:
        self.bodies = {item["metadata"]["name"]: item for item in bodies}
        self.touched: list[str] = []
        self.fail: list[Exception] = []
        self.going: set[str] = set()
        self.then: dict[str, dict[str, Any]] = {}  # what another has become when this is touched
        self.has_kind = True
        self.forgets = False  # the rest of a list that takes long

    def every(self) -> Iterator[Mapping[str, Any]]:
        if not self.has_kind:
            raise Gone("the server could not find the requested resource")
        yield from copy.deepcopy(list(self.bodies.values()))
        if self.forgets:
            raise Gone("the provided continue parameter is too old")

    def require_reachable(self) -> None:
        if not self.has_kind:
            raise Gone("the server could not find the requested resource")

    def read(self, _namespace: str, name: str) -> Mapping[str, Any]:
        if name not in self.bodies:
            raise Gone(name)
        return copy.deepcopy(self.bodies[name])

    def drop_finalizer(self, found: Mapping[str, Any]) -> None:
        name = found["metadata"]["name"]
        if self.fail:
            failure = self.fail.pop()
            if isinstance(failure, Gone):
                del self.bodies[name]
            raise failure
        if name in self.going:
            del self.bodies[name]
            raise Conflict("deleted meanwhile")
        self.touched.append(name)
        if later := self.then.pop(name, None):
            self.bodies[later["metadata"]["name"]] = later
        self.bodies[name]["metadata"]["finalizers"] = ["another.io/one"]
        if "deletionTimestamp" in self.bodies[name]["metadata"]:
            del self.bodies[name]  # it waited for nothing but the finalizer

    def seize(self, seconds: int) -> None:
        assert seconds == SEIZED_SECONDS
        self.touched.append("lease")

    def sleep(self, _seconds: float) -> None:
        self.touched.append("sleep")


def released(objects: Objects) -> list[str]:
    part: Any = objects  # the part of each that is used
    return Release(part, part, lambda _: "", objects.sleep).run()


def named(name: str, **more: Any) -> dict[str, Any]:
    made = body(**more)
    made["metadata"]["name"] = name
    return made


def recorded() -> dict[str, Any]:
    made = draft().intend(intent(), volumes()).record({DISKS[0]: snapshot_of(DISKS[0])})
    return made.ready("complete").body


def test_the_operator_has_stepped_down_before_anything_is_let_go() -> None:
    objects = Objects(named("a"), named("b", finalizer=False), named("c"))
    released(objects)
    assert objects.touched == ["lease", "sleep", "a", "c", "lease"]
    assert objects.bodies["a"]["metadata"]["finalizers"] == ["another.io/one"]


def test_what_stays_in_the_cloud_is_listed_and_what_may_still_come() -> None:
    objects = Objects(
        named("kept", finalizer=False, status_so_far=recorded()),
        named("open", status_so_far=draft().intend(intent(), volumes()).body),
        named("new"),
    )
    kept, still_open = released(objects)
    assert kept == f"shop/kept: {snapshot_of(DISKS[0])}"
    assert "may still appear" in still_open
    assert what_stays(named("new")) == ""


def test_an_object_that_goes_with_its_finalizer_is_listed_with_what_it_leaves() -> None:
    going = named("going", deleting=True, policy="Delete", status_so_far=recorded())
    objects = Objects(going, named("b"))
    assert released(objects) == [f"shop/going: {snapshot_of(DISKS[0])}"]
    assert list(objects.bodies) == ["b"]


def test_an_object_that_changes_or_goes_meanwhile_holds_nothing_up() -> None:
    objects = Objects(named("a"), named("b"))
    objects.fail = [Gone("b"), Conflict("changed"), Conflict("changed")]
    released(objects)
    assert objects.touched == ["lease", "sleep", "b", "lease"]


def test_an_object_that_changes_and_then_goes_holds_nothing_up() -> None:
    objects = Objects(named("a"), named("b"))
    objects.going = {"a"}
    released(objects)
    assert objects.touched == ["lease", "sleep", "b", "lease"]


def test_where_the_definition_is_gone_nothing_is_left_to_let_go() -> None:
    objects = Objects()
    objects.has_kind = False
    assert released(objects) == []


def test_an_object_whose_finalizer_can_t_be_taken_off_keeps_no_other_from_losing_its_own() -> None:
    objects = Objects(named("a"), named("b"))
    objects.fail = [Conflict("status is invalid")] * TRIES
    with pytest.raises(Conflict, match="shop/a"):
        released(objects)
    assert objects.touched == ["lease", "sleep", "b"]


def test_a_finalizer_that_the_operator_puts_on_late_is_taken_off_as_well() -> None:
    objects = Objects(named("a", finalizer=False), named("b"))
    late = named("a", status_so_far=draft().intend(intent(), volumes()).body)
    objects.then = {"b": late}
    (line,) = released(objects)
    assert objects.touched == ["lease", "sleep", "b", "a", "lease"]
    assert "may still appear" in line


def test_a_list_that_breaks_off_is_not_taken_for_all_objects() -> None:
    objects = Objects(named("a"))
    objects.forgets = True
    with pytest.raises(Unavailable, match="continue"):
        released(objects)


def test_an_object_that_never_stops_changing_is_named() -> None:
    objects = Objects(named("a"))
    objects.fail = [Conflict("changed")] * 100
    with pytest.raises(Conflict, match="shop/a"):
        released(objects)
