"""Start the operator, and stop it in order: SIGTERM lets every hold go first."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

from disksnapshot import logs
from disksnapshot import settings as environment
from disksnapshot.announcements import Announcements
from disksnapshot.cbs import credentials
from disksnapshot.cbs.client import Cloud
from disksnapshot.cbs.clock import CloudClock
from disksnapshot.cbs.limits import Limits
from disksnapshot.cbs.poller import Poller
from disksnapshot.cbs.temporary import TemporaryCredential
from disksnapshot.errors import Forbidden, Gone, Unavailable
from disksnapshot.kube import api as kube_api
from disksnapshot.kube import identity
from disksnapshot.kube.events import Events
from disksnapshot.kube.lease import Alone, Lease
from disksnapshot.kube.objects import Objects
from disksnapshot.loop import Loop
from disksnapshot.metrics import Metrics
from disksnapshot.probes import Probes
from disksnapshot.snapshot.capture import Captures
from disksnapshot.snapshot.prepare import Preparer
from disksnapshot.sweep import Pace, Sweep
from disksnapshot.watch import Watch
from disksnapshot.window.launch import prepare_server
from disksnapshot.work import Work

if TYPE_CHECKING:
    from tencentcloud.common.credential import Credential

    from disksnapshot.kube.exec import ApiAccess
    from disksnapshot.settings import Settings
    from disksnapshot.sight import Key

TURN_SECONDS, KIND_SECONDS = 0.5, 5.0

logger = logging.getLogger("disksnapshot")


class Operator:
    """The parts, put together once."""

    def __init__(
        self, settings: Settings, api: kube_api.Api, access: ApiAccess, cluster_id: str
    ) -> None:
        clock = CloudClock()
        keys = credentials.opened(settings.keys, settings.ca_bundle, clock)
        cloud = _cloud(settings, keys, clock)
        objects = Objects(api)
        preparer = Preparer(api, access, cloud, settings)
        self._objects = objects
        self._reached = threading.Event()
        self._ending = threading.Event()
        self._working = False
        namespace = settings.lease_namespace
        self._lease = Lease(api, namespace, settings.pod_name) if namespace else Alone()
        self.captures = Captures(objects, cloud, preparer, cluster_id, self._may_work)
        self.poller: Poller[Key] = Poller(cloud, self._look_at, clock.now)
        self.metrics = Metrics(clock.now)
        self._metrics_port = settings.metrics_port
        cloud.called = self.metrics.called
        announcements = Announcements(api, Events(api), self.metrics)
        loop = Loop(
            objects, announcements, cloud, self.poller, self.captures, cluster_id,
            clock=clock.now,
        )  # fmt: skip
        self.work = Work(loop.look)

        def lost(key: Key, uid: str, snapshot_ids: frozenset[str]) -> None:
            loop.lose(uid, snapshot_ids)
            self.work.add(key)

        pace = Pace(every_seconds=settings.sweep_seconds, deletes_orphans=settings.deletes_orphans)
        self.sweep = Sweep(objects, cloud, Events(api), self.metrics, cluster_id, lost, pace)
        self._show(keys)
        self.watch = Watch(self.work.add, self.sweep.went)
        self.probes = Probes(
            settings.probe_port,
            {"/healthz": self.is_alive, "/readyz": self._reached.is_set},
        )
        self._threads = self._parts_that_run()

    def _parts_that_run(self) -> list[threading.Thread]:
        """Make a thread for each part that goes on by itself."""
        parts = {
            "poller": self.poller.run,
            "dispatch": self.work.run,
            "sweep": lambda: self.sweep.run(self._may_work),
            "kind": self._look_at_kind,
            "lease": self._keep_lease,
        }
        return [
            threading.Thread(target=run, name=name, daemon=True) for name, run in parts.items()
        ]

    def _show(self, keys: object) -> None:
        """Show what the parts know of themselves."""
        show = self.metrics.show
        show("leader", "1 while this operator is the one at work.", lambda: self._working)
        show("quiesced_now", "Holds in force, or about to be.", self.captures.holding)
        show("queue_depth", "Objects that wait to be looked at.", self.work.depth)
        if isinstance(keys, TemporaryCredential):
            words = "When the temporary keys in use end; they are renewed when they are needed."
            show("credentials_expiry_timestamp_seconds", words, lambda: keys.expires)
            words = "1 while the last fetch of temporary keys has failed."
            show("credentials_failing", words, lambda: keys.failing)

    def _may_work(self) -> bool:
        return self._lease.held() and not self._ending.is_set()

    def _keep_lease(self) -> None:
        """Want the Lease once objects can be seen: who can't see them shall not be the one."""
        while not self._ending.is_set():
            reached = self._reached.is_set()
            self._ending.wait(self._lease.keep() if reached else TURN_SECONDS)

    def _take_turns(self) -> None:
        """Work while the Lease is ours; let go of everything when it no longer is.

        A standby has the watch running and its keys gathered, so that it can begin at once. Who
        loses the Lease stays: a hanging API server would only make it die again and again, and
        with it would go the proof of a hold that the server has not acknowledged yet.
        """
        if self._may_work() == self._working:
            return
        self._working = not self._working
        if self._working:
            logger.info("at work")
            self.work.open()
            return
        logger.warning("no longer the one at work: letting go")
        self.work.shut()
        self.captures.let_all_go()
        for key in self.poller.forget_all():
            self.work.add(key)
        self.metrics.census.clear()

    def _look_at_kind(self) -> None:
        """Watch once the kind is there, and be ready; end, and all with it, when it is gone.

        kopf looks for the kind when it starts and never again: it would not see it come back.
        """
        pause, missed = TURN_SECONDS, 0
        while not self._ending.wait(pause):
            pause = KIND_SECONDS if self._reached.is_set() else TURN_SECONDS
            try:
                self._objects.require_reachable()
                missed = 0
            except Gone as error:
                missed, pause = missed + 1, TURN_SECONDS
                if self._reached.is_set() and missed > 1:
                    logger.warning("starting anew, to see the kind come back: %s", error)
                    return
                logger.warning("the kind can't be seen: %s", error)
            except (Forbidden, Unavailable) as error:
                # An API server away later is no reason not to be ready.
                if not self._reached.is_set():
                    logger.warning("not ready: %s", error)
            else:
                self._see_objects()

    def _see_objects(self) -> None:
        if self.watch.ident is None:
            self.watch.start()
        elif self.watch.ready_flag.is_set():
            self._reached.set()

    def is_alive(self) -> bool:
        """Tell whether every thread without which nothing moves is still there."""
        watches = self.watch.ident is None or self.watch.is_alive()
        return watches and all(thread.is_alive() for thread in self._threads)

    def _look_at(self, key: Key) -> None:
        self.work.add(key)

    def run(self, stop: threading.Event) -> int:
        """Work until `stop`, then let go of everything within 5 seconds; 1 if a thread died."""
        for thread in self._threads:
            thread.start()
        self.probes.start()
        if self._metrics_port:
            self.metrics.serve(self._metrics_port)
        logger.info("started")
        while not stop.wait(TURN_SECONDS) and self.is_alive():
            self._take_turns()
        logger.info("stopping")
        self._ending.set()
        self.captures.let_all_go()
        self.watch.stop()
        self.poller.stop()
        self.sweep.stop()
        if self.work.stop():
            self._lease.release()  # only when nothing is in hand any more
        self.probes.stop()
        return 0 if stop.is_set() else 1


def _cloud(settings: Settings, keys: Credential, clock: CloudClock) -> Cloud:
    return Cloud(
        keys,
        settings.region,
        settings.endpoint,
        settings.ca_bundle,
        Limits(),
        clock,
        valid_seconds=settings.signature_seconds,
    )


def _operate(settings: Settings, stop: threading.Event) -> int:
    """Find out which cluster this is, and work there until `stop`."""
    api, access = kube_api.connect()
    cluster_id: str | None = settings.cluster_id
    if not cluster_id:
        # Alive all the while: nobody shall end a process for an outage of the API server.
        waiting = Probes(settings.probe_port, {"/healthz": lambda: True, "/readyz": lambda: False})
        waiting.start()
        cluster_id = identity.cluster_uid(api, stop.wait)
        waiting.stop()
    return Operator(settings, api, access, cluster_id).run(stop) if cluster_id else 0


def main() -> int:
    """Run the operator in this process until SIGTERM or SIGINT, or another command by its name."""
    if sys.argv[1:2] == ["probe-cut"]:
        from disksnapshot.probecut import command  # noqa: PLC0415 - the operator needs none of it

        return command.main(sys.argv[2:])
    if sys.argv[1:2] == ["release"]:
        from disksnapshot import release  # noqa: PLC0415 - the same

        return release.main()
    prepare_server()  # before any thread is started
    try:
        settings = environment.read(os.environ)
    except environment.SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201 - logging isn't set up yet
        return 2
    logs.set_up(settings.log_level, settings.log_format)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    code = _operate(settings, stop)
    # Threads that still wait for a server must not keep the process: nothing is held any more.
    logging.shutdown()
    os._exit(code)


if __name__ == "__main__":
    sys.exit(main())
