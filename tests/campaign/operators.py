"""One operator as it is after its start: its own code, between edges that are in memory."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from tencentcloud.common.credential import Credential

from campaign import wire
from campaign.clock import Clock, Unhurried
from campaign.points import ENDLESS, Tap
from campaign.window import Window
from disksnapshot import settings
from disksnapshot.announcements import Announcements
from disksnapshot.cbs.client import Cloud
from disksnapshot.cbs.clock import CloudClock
from disksnapshot.cbs.poller import Poller
from disksnapshot.kube.events import Events
from disksnapshot.kube.objects import Objects
from disksnapshot.loop import Loop
from disksnapshot.metrics import Metrics
from disksnapshot.snapshot.capture import Captures
from disksnapshot.snapshot.prepare import Preparer
from disksnapshot.sweep import Pace, Sweep
from disksnapshot.work import STOP_SECONDS

if TYPE_CHECKING:
    from campaign.world import World
    from disksnapshot.sight import Key
    from disksnapshot.window.hold import Order

CLUSTER = "cluster-1"
REGION = "ap-guangzhou"
SECRET_KEY = "the-cloud's-secret-key"  # noqa: S105 - of a cloud in memory
FREEZERS = "freezers"
AT_ONCE = Pace(every_seconds=0.001)


class Hourly(Pace):
    """As a chart with `orphans.delete` has it; the second look is no real minute later."""

    @property
    def again_seconds(self) -> float:
        """Return what a thread may really wait."""
        return AT_ONCE.again_seconds


class InMemory(Captures):
    """The operator's own attempts, but for the process that holds."""

    def __init__(
        self, world: World, tap: Tap, objects: Objects, cloud: Cloud, preparer: Preparer
    ) -> None:
        super().__init__(
            objects, cloud, preparer, CLUSTER, lambda: not tap.dead and tap.ends_at == ENDLESS
        )
        self._world, self._tap = world, tap

    def _open(self, order: Order) -> Any:
        world = self._world
        return nullcontext(Window(order, world.cloud, world.writers, world.clock, self._tap))


class Keys(Credential):  # type: ignore[misc]  # the SDK has no types
    """The account's keys as they are in the Secret; somebody may put another account's there."""

    def __init__(self, world: World) -> None:
        super().__init__("AKIDcampaign", SECRET_KEY)
        self._world = world

    def get_credential_info(self) -> tuple[str, str, str | None]:
        """Return id, key and token of this moment."""
        return ("AKIDother" if self._world.cloud.elsewhere else "AKIDcampaign", SECRET_KEY, None)


class Operator:
    """Its loop, its sweeps, and when each wants to be called again."""

    def __init__(self, world: World) -> None:
        self.tap = Tap(world.points, world.clock.monotonic)
        self.due: dict[Key, float] = {}
        self.seen: dict[Key, str] = {}
        self.sweeps_at = world.clock.seconds
        self.idle = False  # nothing is followed
        # For what is left over and lost it looks by itself only where a case is about that.
        hourly = world.pace is not AT_ONCE
        self.looks_over_at = world.clock.seconds + world.pace.first_seconds if hourly else ENDLESS
        self.told_gone = len(world.server.gone)  # what went before its start, no watch tells
        self._clock: Clock = world.clock
        api = wire.api(world.server, self.tap)
        clock = CloudClock(world.clock.now)
        cloud = Cloud(Keys(world), REGION, "cloud", None, Unhurried(world.clock), clock)
        # The session of the SDK is where a program may put its own way to a server.
        session = cloud._client.request.conn._session  # noqa: SLF001 - the SDK has no other
        session.mount("https://", wire.CloudWire(world.cloud, self.tap))
        objects, events, metrics = Objects(api), Events(api), Metrics()
        self.poller: Poller[Key] = Poller(cloud, self.wake, cloud.clock.now, world.clock.monotonic)
        nowhere: Any = None  # no session is opened but by the window
        preparer = Preparer(api, nowhere, cloud, _settings())
        self._captures = InMemory(world, self.tap, objects, cloud, preparer)
        self.loop = Loop(
            objects, Announcements(api, events, metrics), cloud, self.poller, self._captures,
            CLUSTER, clock=cloud.clock.now,
        )  # fmt: skip
        self.sweep = Sweep(objects, cloud, events, metrics, CLUSTER, self._lose, world.pace)

    def end(self) -> None:
        """Hear SIGTERM: hold nothing any more, bring to its end what is in hand, begin nothing."""
        self.tap.ends_at = self._clock.seconds + STOP_SECONDS
        self._captures.let_all_go()

    def wake(self, key: Key) -> None:
        self.due[key] = self._clock.seconds

    def _lose(self, key: Key, uid: str, ids: frozenset[str]) -> None:
        self.loop.lose(uid, ids)
        self.wake(key)


def _settings() -> settings.Settings:
    return settings.read(
        {
            "DISKSNAPSHOT_REGION": REGION,
            "DISKSNAPSHOT_ENDPOINT": "cloud",
            "DISKSNAPSHOT_FREEZER_ENABLED": "true",
            "DISKSNAPSHOT_FREEZER_NAMESPACE": FREEZERS,
            "DISKSNAPSHOT_FREEZER_SELECTOR": "app=freezer",
        }
    )
