"""What is counted and measured, for Prometheus; every label has a bound."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    start_http_server,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.process_collector import ProcessCollector

from disksnapshot import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping

    from disksnapshot.window.hold import Facts

PREFIX = "disksnapshot"
HOLD_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
DURATION_BUCKETS = (1, 5, 15, 60, 300, 900, 1800, 3600, 10800, 43200)
NO_ANSWER = "NoAnswer"
CODES = 100  # of the cloud; what comes beyond them is called Other


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where one object stands."""

    namespace: str
    claims: tuple[str, ...]
    since: datetime
    ready: datetime | None = None
    pending: bool = False


class Census:
    """Where every object stands, counted when somebody asks."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._standing: dict[Hashable, Standing] = {}

    def note(self, key: Hashable, standing: Standing) -> None:
        """Note where an object stands now."""
        with self._lock:
            self._standing[key] = standing

    def gone(self, key: Hashable) -> None:
        """Count an object no more."""
        with self._lock:
            self._standing.pop(key, None)

    def clear(self) -> None:
        """Count nothing: another operator is at work."""
        with self._lock:
            self._standing.clear()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield what is known, as Prometheus asks for it."""
        with self._lock:
            standing = list(self._standing.values())
        since = [item.since for item in standing if item.pending]
        name = f"{PREFIX}_snapshots_pending"
        yield GaugeMetricFamily(name, "Objects that are neither Ready nor failed.", len(since))
        age = (self._now() - min(since)).total_seconds() if since else 0.0
        name = f"{PREFIX}_oldest_pending_seconds"
        yield GaugeMetricFamily(name, "Age of the oldest of those.", age)
        name = f"{PREFIX}_last_success_timestamp_seconds"
        words = "When the newest snapshot of a claim that still exists became Ready."
        success = GaugeMetricFamily(name, words, labels=["namespace", "pvc"])
        for labels, moment in _newest(standing).items():
            success.add_metric(labels, moment.timestamp())
        yield success


def _newest(standing: list[Standing]) -> dict[tuple[str, str], datetime]:
    newest: dict[tuple[str, str], datetime] = {}
    for item in standing:
        for claim in item.claims:
            labels = (item.namespace, claim)
            if item.ready:
                newest[labels] = max(item.ready, newest.get(labels, item.ready))
    return newest


class CloudCalls:
    """Calls to the cloud, by action and by what came back."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._codes: set[str] = set()
        self._calls = _counter(
            registry,
            "tencent_api_requests_total",
            "Calls to the cloud by what came back: OK, or the error's code.",
            ["action", "code"],
        )
        self._seconds = Histogram(
            f"{PREFIX}_tencent_api_duration_seconds",
            "How long calls to the cloud took.",
            ["action"],
            registry=registry,
        )

    def count(self, action: str, code: str, seconds: float | None = None) -> None:
        """Count one."""
        if code not in self._codes:
            # A list that the cloud may lengthen: bounded here, so that no answer can flood us.
            code = code if len(self._codes) < CODES else "Other"
            self._codes.add(code)
        self._calls.labels(action, code).inc()
        if seconds is not None:
            self._seconds.labels(action).observe(seconds)


class Holds:
    """How long writers stood still, and what was not as it should be."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._held = Histogram(
            f"{PREFIX}_quiesce_duration_seconds",
            "How long writers stood still.",
            ["method"],
            buckets=HOLD_BUCKETS,
            registry=registry,
        )
        words = "Holds that were not proven to cover the cut."
        self._unproven = _counter(registry, "unproven_holds_total", words, ["method"])
        words = "Holds whose end was not seen; each lets go by itself at its bound."
        self._unseen = _counter(registry, "unquiesce_failures_total", words, ["method"])
        words = "Steps of holds by their kind, and whether each was proven to cover the cut."
        self._steps = _counter(registry, "steps_total", words, ["kind", "result"])
        self._step_seconds = Histogram(
            f"{PREFIX}_step_duration_seconds",
            "How long a step took to take hold, and to let go.",
            ["kind", "phase"],
            buckets=HOLD_BUCKETS,
            registry=registry,
        )

    def count(self, quiesce: Mapping[str, Any]) -> None:
        """Count one by its `status.quiesce`."""
        # Each kind once: who writes sixteen steps in any order shall not make so many labels.
        method = "+".join(dict.fromkeys(step["kind"] for step in quiesce["steps"]))
        if "holdMilliseconds" in quiesce:
            self._held.labels(method).observe(quiesce["holdMilliseconds"] / 1000)
        if not quiesce.get("proven"):
            self._unproven.labels(method).inc()
        if "startedTime" in quiesce and "resumedTime" not in quiesce:
            self._unseen.labels(method).inc()
        for step in quiesce["steps"]:
            self._count_step(step)

    def _count_step(self, step: Mapping[str, Any]) -> None:
        kind = step["kind"]
        self._steps.labels(kind, "proven" if step.get("proven") else "unproven").inc()
        for phase in ("acquire", "release"):
            spent = step.get(f"{phase}Milliseconds", 0.0)
            if spent:  # 0 where it came to none
                self._step_seconds.labels(kind, phase).observe(spent / 1000)


class Metrics:
    """The operator's metrics, on a registry of their own."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.registry = registry = CollectorRegistry()
        self.census = Census(now)
        registry.register(self.census)
        ProcessCollector(registry=registry)
        build = Info(f"{PREFIX}_build", "Which version this operator is of.", registry=registry)
        build.info({"version": VERSION})
        words = "Snapshots that became Ready or failed for good."
        labels = ["result", "reason", "consistency"]
        self._snapshots = _counter(registry, "snapshots_total", words, labels)
        self._duration = Histogram(
            f"{PREFIX}_snapshot_duration_seconds",
            "From the object's creation until its snapshot was Ready.",
            ["consistency"],
            buckets=DURATION_BUCKETS,
            registry=registry,
        )
        self._holds = Holds(registry)
        self._calls = CloudCalls(registry)
        words = "Snapshots with this cluster's marks that no object stands for, at the last sweep."
        self._orphans = Gauge(f"{PREFIX}_orphans", words, registry=registry)
        words = "Snapshots that were made to outlive their object, and have, at the last sweep."
        self._retained = Gauge(f"{PREFIX}_retained", words, registry=registry)
        words = "Events by their reason."
        self._events = _counter(registry, "events_total", words, ["type", "reason"])
        words = "Looks at an object that ended in an error that nobody has thought of: a bug."
        self._errors = Counter(f"{PREFIX}_reconcile_errors_total", words, registry=registry)

    def serve(self, port: int) -> Callable[[], None]:
        """Answer GET /metrics on a port; return how to end that."""
        server, _ = start_http_server(port, registry=self.registry)
        return server.shutdown

    def show(self, name: str, words: str, ask: Callable[[], float]) -> None:
        """Show a number that somebody else knows, asked for at each scrape."""
        Gauge(f"{PREFIX}_{name}", words, registry=self.registry).set_function(ask)

    def finished(self, consistency: str, seconds: float) -> None:
        """Count a snapshot that is Ready."""
        self._snapshots.labels("Ready", "Ready", consistency).inc()
        self._duration.labels(consistency).observe(seconds)

    def failed(self, reason: str) -> None:
        """Count an object that will not become Ready."""
        self._snapshots.labels("Failed", reason, "").inc()

    def attempted(self, facts: Facts | None, quiesce: Mapping[str, Any] | None) -> None:
        """Count what a window came to: its requests, and its hold by `status.quiesce`."""
        for disk in facts.disks if facts else ():
            if disk.sent:
                self.called(
                    "CreateSnapshot", disk.code or ("OK" if disk.snapshot_id else NO_ANSWER)
                )
        if facts and facts.steps and quiesce:
            self._holds.count(quiesce)

    def called(self, action: str, code: str, seconds: float | None = None) -> None:
        """Count a call to the cloud."""
        self._calls.count(action, code, seconds)

    def left_over(self, orphans: int, retained: int) -> None:
        """Show what the last sweep found without an object."""
        self._orphans.set(orphans)
        self._retained.set(retained)

    def erred(self) -> None:
        """Count an error that nobody has thought of."""
        self._errors.inc()

    def told(self, kind: str, reason: str) -> None:
        """Count an event."""
        self._events.labels(kind, reason).inc()


def _counter(registry: CollectorRegistry, name: str, words: str, labels: list[str]) -> Counter:
    return Counter(f"{PREFIX}_{name}", words, labels, registry=registry)
