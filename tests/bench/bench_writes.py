"""How often a snapshot makes the operator write to the API server, by that server's audit log."""

import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from lab.bench.builds import Build
from lab.bench.operating import USER, events_on, operating, paused
from lab.cluster import Lab
from lab.cluster.audit import Audit
from lab.cluster.waiting import until
from lab.demo import stage, taken
from lab.demo.stage import Database

NAMESPACE = "bench"
SNAPSHOTS = 4
WRITES, EVENTS = 5, 2  # a snapshot


@dataclass(frozen=True)
class Place:
    """The lab with its operator stopped, and a database to snapshot."""

    lab: Lab
    database: Database


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    lab = Lab.running()
    stage.remove_namespace(lab, NAMESPACE)
    database = stage.start_database(lab, NAMESPACE)
    stage.install_operator(lab, [NAMESPACE])
    lab.cbs.settings(creationMilliseconds=0)
    with paused(lab):
        yield Place(lab, database)
    lab.cbs.settings(creationMilliseconds=3000)
    stage.remove_namespace(lab, NAMESPACE)


def counted(build: Build, place: Place) -> Counter[str]:
    """Take snapshots one after the other, so that what one writes late counts in the next."""
    audit = Audit(place.lab.layout)
    with operating(build, place.lab):
        for _ in range(SNAPSHOTS):
            name = f"s-{secrets.token_hex(3)}"
            taken.take(place.lab, stage.disk_snapshot(place.database, name))
            until(lambda n=name: _told(place.lab, n), "the event on the object", seconds=10)  # type: ignore[misc]  # n is bound here
        claim = place.database.claim
        until(lambda: _claim_told(audit), f"the event on {claim}", seconds=10)
    writes = [write for write in audit.writes(NAMESPACE) if write.user == USER]
    return Counter("events" if write.resource == "events" else "writes" for write in writes)


def _told(lab: Lab, name: str) -> bool:
    return "SnapshotReady" in events_on(lab, NAMESPACE, "DiskSnapshot", name)


def _claim_told(audit: Audit) -> bool:
    made = [write for write in audit.writes(NAMESPACE) if write.user == USER]
    return sum(write.resource == "events" for write in made) >= SNAPSHOTS * EVENTS


def test_a_snapshot_takes_five_writes_and_two_events(
    this: Build, place: Place, tell: Callable[[str], None]
) -> None:
    made = counted(this, place)
    tell(f"{SNAPSHOTS} snapshots: {dict(made)} (budget {WRITES} writes and {EVENTS} events each)")
    assert 0 < made["writes"] <= SNAPSHOTS * WRITES
    assert made["events"] == SNAPSHOTS * EVENTS


@pytest.mark.parametrize(
    ("name", "what", "budget"),
    [("status-written-twice", "writes", WRITES), ("event-told-twice", "events", EVENTS)],
)
def test_a_build_that_writes_or_tells_once_more_is_caught(
    broken: Callable[[str], Build],
    place: Place,
    tell: Callable[[str], None],
    name: str,
    what: str,
    budget: int,
) -> None:
    build = broken(name)
    made = counted(build, place)
    tell(f"{SNAPSHOTS} snapshots by {build.name}: {dict(made)}")
    assert made[what] > SNAPSHOTS * budget
