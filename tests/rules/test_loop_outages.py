"""The loop while the API server is away: nothing is lost, or done twice, and nobody pressed."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from disksnapshot.announcements import Announcements
from disksnapshot.errors import Unavailable
from disksnapshot.kube.events import Events
from disksnapshot.kube.objects import Objects
from disksnapshot.loop import Loop
from disksnapshot.metrics import Metrics
from disksnapshot.sight import Key
from disksnapshot.snapshot import status
from disksnapshot.snapshot.outcome import Result
from lab.lives.apiserver import NAME, NAMESPACE, ApiServer
from rules.outcomes import cut, facts
from rules.situations import DISKS, draft, intent, volumes

KEY = Key(NAMESPACE, NAME)
TEN_MINUTES = timedelta(minutes=10)


class Outage(ApiServer):
    """An API server that is away while `why` says so."""

    why: Unavailable | None = None

    def get(self, path: str, **query: str) -> dict[str, Any]:
        self._answer()
        return super().get(path, **query)

    def patch(self, path: str, change: Any, content_type: str) -> dict[str, Any]:
        self._answer()
        return super().patch(path, change, content_type)

    def _answer(self) -> None:
        if self.why:
            raise self.why


class Sweeps:
    """A poller that has seen nothing."""

    def follow(self, *_: Any) -> dict[str, Any]:
        return {}


class Captures:
    """Runs what a test says an attempt comes to."""

    def __init__(self, run: Callable[[Mapping[str, Any], int], Result]) -> None:
        self.run = run


@pytest.fixture
def server() -> Outage:
    return Outage(DISKS[:1], {"quiesce": {"steps": []}}, NAME)


def loop(server: Outage, run: Callable[..., Result], clock: Callable[[], datetime]) -> Loop:
    api: Any = server
    parts: tuple[Any, Any, Any] = (None, Sweeps(), Captures(run))
    telling = Announcements(api, Events(api), Metrics())
    return Loop(Objects(api), telling, *parts, "cluster-1", clock)


def test_ten_minutes_without_the_api_server_after_the_cut_cost_no_proof(server: Outage) -> None:
    now, attempts = datetime(2026, 3, 1, 12, 0, tzinfo=UTC), []

    def run(read: Mapping[str, Any], attempt: int) -> Result:
        attempts.append(attempt)
        written = draft(quiesce={}).intend(intent(), volumes()).body
        Objects(server).write_status(read, written)  # type: ignore[arg-type]  # the part of it that is used
        server.why = Unavailable("no route")
        return Result(nonce="nonce-1", facts=facts(cut()))

    looking = loop(server, run, lambda: now)
    back = now + TEN_MINUTES
    while now < back:
        pause = looking.look(KEY)
        assert pause is not None
        assert timedelta(seconds=5) <= pause <= timedelta(seconds=60)
        now += pause
    server.why = None
    looking.look(KEY)
    assert server.stored is not None
    assert status.parse(server.stored["status"]).consistency == "ApplicationConsistent"
    assert attempts == [1]


@pytest.mark.parametrize(
    ("asked", "left"), [(0, 5), (1, 5), (30, 30), (86400, 60), (float("inf"), 60)]
)
def test_an_api_server_is_left_alone_for_as_long_as_it_asks_within_bounds(
    server: Outage, asked: float, left: float
) -> None:
    server.why = Unavailable("too many requests", after=asked)
    looking = loop(server, lambda *_: pytest.fail("nothing may be captured"), datetime.now)
    assert looking.look(KEY) == timedelta(seconds=left)
