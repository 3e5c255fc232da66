"""Another server, or another session, answers in the place of the one that was locked."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pymysql
import pytest

from disksnapshot.window.hold import Facts
from lab.holding import assert_not_held, opened, with_mysql
from lab.local import Local
from lab.proxy import Link, Proxy
from lab.writing import Writer

SHORT_HOLD = 5
LOCK = b"FLUSH TABLES WITH READ LOCK"
# The first word that is said under the lock, once the file system goes on.
PROOF = b"SET SESSION wait_timeout = 1"

Others = Callable[[], pymysql.Connection]


@pytest.fixture(params=["another server", "another session"])
def another(request: pytest.FixtureRequest, here: Local) -> Others:
    """Give the way to who takes over: the other product's server, or a new session here."""
    if request.param == "another session":
        return here.database.connect
    other: Local = request.getfixturevalue("mysql")
    return other.database.connect


@contextmanager
def taken_over(here: Local, another: Others) -> Iterator[tuple[Proxy, list[Link]]]:
    """From the proof on, what the lock's session says reaches whoever has taken over.

    So does a proxy that knows the protocol, and keeps its client while a server fails.
    """
    links: list[Link] = []
    with another() as successor, Proxy(here.database.port) as between:

        def hand_over(link: Link) -> None:
            links.append(Link(link.client, link.server))
            link.server = successor._sock  # type: ignore[attr-defined]  # noqa: SLF001 - its own way

        between.after(LOCK, lambda _: between.before(PROOF, hand_over))
        yield between, links
        for link in links:
            link.server.close()


def test_who_takes_over_under_the_lock_proves_nothing_and_writers_are_free_by_the_bound(
    here: Local, writer: Writer, another: Others
) -> None:
    with taken_over(here, another) as (between, links):
        order = with_mysql(
            here.order(lock="Tables", max_hold_seconds=SHORT_HOLD), port=between.port
        )
        with opened(order) as window:
            sent = time.time_ns()
            facts = window.go(here.go(), 20)
        assert links, "nobody has taken over"
        waited = writer.seconds_until_acknowledged(after=sent)
    assert isinstance(facts, Facts)
    assert facts.disks[0].snapshot_id
    assert not facts.steps[0].proven
    assert not facts.proven
    assert facts.steps[0].reason == "the session is not the one that took the lock"
    assert waited < SHORT_HOLD
    assert_not_held(here)
