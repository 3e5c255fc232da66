"""One object's life: the operator's own parts and a real window, on a clock that can be turned.

Only the API server is in memory. The cloud is the emulator over TLS, called by the SDK and by a
window process, so that what is counted there are the calls that the operator really makes.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from tencentcloud.common.credential import Credential

from disksnapshot import settings
from disksnapshot.announcements import Announcements
from disksnapshot.cbs.client import Cloud
from disksnapshot.cbs.clock import CloudClock
from disksnapshot.cbs.limits import Limits
from disksnapshot.cbs.poller import Poller
from disksnapshot.kube.events import Events
from disksnapshot.kube.objects import Objects
from disksnapshot.loop import Loop
from disksnapshot.metrics import Metrics
from disksnapshot.sight import Key
from disksnapshot.snapshot import status
from disksnapshot.snapshot.capture import Captures
from disksnapshot.snapshot.prepare import Preparer
from lab.cbs.control import Control
from lab.lives.apiserver import NAME, NAMESPACE, ApiServer

CLUSTER = "cluster-of-the-lab"
REGION = "ap-guangzhou"
KEY = Key(NAMESPACE, NAME)


class Turned:
    """The machine's and the cloud's clock, both moved on together; the machine's may be wrong."""

    def __init__(self, control: Control, wrong: timedelta) -> None:
        self._wrong = wrong
        self._control = control
        self._seconds = 0
        control.skew(0)

    def own_time(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self._seconds) + self._wrong

    def advance(self, pause: timedelta) -> None:
        self._seconds += math.ceil(pause.total_seconds())
        self._control.skew(self._seconds)


class Life:
    """A DiskSnapshot from its creation on; `beside` another one, it has the same operator."""

    def __init__(  # noqa: PLR0913 - the last ones are named where they are given
        self, control: Control, endpoint: str, ca_file: str, secret: tuple[str, str],
        disk_ids: list[str], *, beside: "Life | None" = None,
        clock_wrong: timedelta = timedelta(0), uid: str = "", **spec: Any,
    ) -> None:  # fmt: skip
        self.control = control
        self.turned: Turned = beside.turned if beside else Turned(control, clock_wrong)
        self.uid = uid or str(uuid4())  # what the cloud has of another one is not its own
        self.api = ApiServer(disk_ids, spec, NAME, self.uid)
        self.cloud: Cloud = beside.cloud if beside else self._connected(endpoint, ca_file, secret)
        self.again: set[Key] = set()
        self.poller: Poller[Key] = Poller(
            self.cloud, self.again.add, self.cloud.clock.now,
            lambda: self.turned.own_time().timestamp(),
        )  # fmt: skip
        self.passed = timedelta(0)
        self.admitted = True  # as long as this operator is the one at work
        self._since = control.calls()[1]
        self._start(endpoint, ca_file)

    def _connected(self, endpoint: str, ca_file: str, secret: tuple[str, str]) -> Cloud:
        clock = CloudClock(self.turned.own_time)
        return Cloud(Credential(*secret), REGION, endpoint, ca_file, Limits(), clock)

    def _start(self, endpoint: str, ca_file: str) -> None:
        api: Any = self.api  # the part of it that is used
        objects = Objects(api)
        read = settings.read(
            {
                "DISKSNAPSHOT_REGION": REGION,
                "DISKSNAPSHOT_ENDPOINT": endpoint,
                "DISKSNAPSHOT_CA_BUNDLE": ca_file,
            }
        )
        nowhere: Any = None  # no pod is asked for anything here
        preparer = Preparer(api, nowhere, self.cloud, read)
        captures = Captures(objects, self.cloud, preparer, CLUSTER, lambda: self.admitted)
        self.loop = Loop(
            objects, Announcements(api, Events(api), Metrics()), self.cloud, self.poller, captures,
            CLUSTER, clock=self.cloud.clock.now,
        )  # fmt: skip

    @property
    def status(self) -> status.Done:
        """What is written down."""
        assert self.api.stored, "the object is gone"
        return status.parse(self.api.stored["status"])

    @property
    def settled(self) -> bool:
        """Tell whether nothing more will come of it."""
        if self.api.stored is None:
            return True
        return self.status.finished and "deletionTimestamp" not in self.api.stored["metadata"]

    def run(self, span: timedelta) -> None:
        """Let the operator look whenever it wants to, for so long or until it is settled."""
        end = self.passed + span
        while self.passed < end and not self.settled:
            pause = self.loop.look(KEY)
            if pause is None and not self.settled:
                pause = self._sweep()
            if pause:
                self.pass_time(pause)

    def pass_time(self, pause: timedelta) -> None:
        """Turn both clocks."""
        self.passed += pause
        self.turned.advance(pause)

    def _sweep(self) -> timedelta:
        self.again.clear()
        pause = self.poller.sweep()
        assert pause is not None, "the object rests, and nothing will wake it"
        return timedelta(0) if self.again else timedelta(seconds=pause)

    def calls(self) -> Counter[str]:
        """Count the calls that reached the cloud since this life began, by action."""
        made, _ = self.control.calls(self._since)
        return Counter(call["action"] for call in made)

    def in_the_cloud(self) -> list[dict[str, Any]]:
        """List the snapshots that were made for this object and are there."""
        digits = self.uid.replace("-", "")[:10]
        return [known for known in self.control.snapshots() if digits in known["name"]]


NewLife = Callable[..., Life]


@contextmanager
def clean(control: Control) -> Iterator[None]:
    """Undo what a life asks of the emulator."""
    try:
        yield
    finally:
        control.clear_faults()
        control.skew(0)
