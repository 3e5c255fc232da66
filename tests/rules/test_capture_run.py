"""Before anything is held, an attempt makes sure that it is still wanted."""

from collections.abc import Mapping
from typing import Any

import pytest

from disksnapshot.errors import Conflict
from disksnapshot.kube.objects import Objects
from disksnapshot.snapshot.capture import Captures
from disksnapshot.snapshot.prepare import Prepared
from disksnapshot.window.hold import CloudAddress, Order
from rules.situations import DISKS, body, draft

ORDER = Order(
    disk_ids=DISKS[:1],
    steps=(),
    max_hold_seconds=10,
    release_when="Accepted",
    cut_without_hold=True,
    cloud=CloudAddress(host="127.0.0.1", port=1, ca_file=None),
)


class Moved:
    """An API server whose object was changed by somebody since it was read."""

    def __init__(self, now: Mapping[str, Any]) -> None:
        self.now = now
        self.tries = 0

    def get(self, _path: str, **_: str) -> Mapping[str, Any]:
        return self.now

    def patch(self, _path: str, _change: Any, _content_type: str) -> Mapping[str, Any]:
        self.tries += 1
        raise Conflict("the object has been modified")


class Roomy:
    """A cloud that has a place and a token for everybody."""

    @property
    def limits(self) -> "Roomy":
        return self

    def require_room(self) -> None:
        pass

    def wait(self, _action: str, _count: int) -> None:
        pass

    def give_back(self, _action: str, _count: int) -> None:
        pass


class Ready:
    """A look-up that finds everything."""

    def prepare(self, *_: Any) -> Prepared:
        return Prepared(targets=(), order=ORDER)


def test_an_object_that_another_operator_has_called_failed_is_not_begun() -> None:
    failed = draft().failed("DiskUnusable", "disk disk-aaaaaaaa can't have snapshots").body
    server = Moved(body(finalizer=False, status_so_far=failed))
    captures = Captures(
        Objects(server),  # type: ignore[arg-type]  # the part of it that is used, as below
        Roomy(),  # type: ignore[arg-type]
        Ready(),  # type: ignore[arg-type]
        "cluster-1",
        lambda: True,
    )
    with pytest.raises(Conflict, match="modified"):
        captures.run(body(finalizer=False), 1)
    assert server.tries == 1
