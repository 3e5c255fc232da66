"""What an attempt reserves of the cloud's rate is free again where it was not used."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from disksnapshot.errors import Problem
from disksnapshot.kube.objects import Objects
from disksnapshot.snapshot.capture import Captures
from disksnapshot.snapshot.prepare import Prepared
from disksnapshot.window.hold import MysqlOrder
from lab.local import Local
from rules.situations import body
from rules.test_capture_run import ORDER


class Reserved:
    """A cloud that keeps count of the calls that somebody has reserved."""

    def __init__(self) -> None:
        self.limits = self
        self.clock = SimpleNamespace(now=lambda: datetime.now(UTC))
        self.reserved: Counter[str] = Counter()
        self.most: Counter[str] = Counter()

    def require_room(self) -> None:
        pass

    def snapshots_of(self, *_: str) -> list[Any]:
        return []

    def wait(self, action: str, count: int) -> None:
        self.reserved[action] += count
        self.most |= self.reserved

    def give_back(self, action: str, count: int) -> None:
        self.reserved[action] -= count


@pytest.mark.usefixtures("window_server")
def test_a_refusal_before_the_cut_gives_all_reserved_calls_back(running: Local) -> None:
    nobody = MysqlOrder(name="0-mysql", host="127.0.0.1", port=1, username="u", password="")
    order = replace(
        ORDER,
        steps=(nobody,),
        cloud=running.address,
        release_when="Visible",
        cut_without_hold=False,
    )
    # Each stands in by the part of it that is used: none of the API server, with its finalizer on.
    server: Any = SimpleNamespace()
    cloud: Any = Reserved()
    target: Any = SimpleNamespace()
    prepared: Any = SimpleNamespace(prepare=lambda *_: Prepared(targets=(target,), order=order))
    captures = Captures(Objects(server), cloud, prepared, "cluster-1", lambda: True)
    with pytest.raises(Problem) as refused:
        captures.run(body(), 1)
    assert refused.value.reason == "MySQLUnreachable"
    assert cloud.most == {"DescribeSnapshots": 9, "CreateSnapshot": 1}
    assert +cloud.reserved == Counter()
