"""The loop takes a workload to zero and back: each effect after what must be written before it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from disksnapshot.errors import Conflict, Problem
from disksnapshot.kube.objects import Objects
from disksnapshot.loop import Loop
from disksnapshot.metrics import Metrics
from disksnapshot.reasons import Reason
from disksnapshot.snapshot.down import Down, Workload
from disksnapshot.snapshot.outcome import Result
from disksnapshot.snapshot.stillness import Stillness
from rules.loops import KEY, MemoryCloud, Server, Sweeps, listed, never, started
from rules.outcomes import cut, facts
from rules.situations import NOW, body, draft, intent, volumes
from rules.test_offline import AT_ZERO, DETACHED, TARGET, WRITTEN

GONE = timedelta(seconds=10)  # so long its pods take


class Cluster:
    """A workload, and captures of it; `does` tells each effect in order."""

    def __init__(self, server: Server, run: Any = None) -> None:
        self.server, self.replicas, self.does = server, 2, list[str]()
        self.time = NOW
        self.run = run or self._cut
        self.fail: Exception | None = None

    @property
    def workloads(self) -> "Cluster":
        return self

    def require_room(self) -> None:
        self.does.append("room")

    def judge(self, *_: Any) -> Down:
        return replace(WRITTEN, replicas=self.replicas, began=self.time)

    def look(self, _ask: Any, down: Down, now: datetime) -> Workload:
        waits = "pod mysql-0" if down.scaled and now < down.scaled + GONE else ""
        return Workload(uid="uid-1", replicas=self.replicas, version="v", waits_for=waits)

    def set(self, _ask: Any, down: Down, replicas: int, _version: str) -> None:
        failure, self.fail = self.fail, None
        if failure:
            raise failure
        written = self.server.now.offline
        assert written, "nothing may be scaled before it is written down"
        assert (written.replicas, written.uid) == (down.replicas, "uid-1")
        assert self.server.stored
        assert self.server.stored["metadata"]["finalizers"]
        self.does.append(f"scale {replicas}")
        self.replicas = replicas

    def _cut(self, read: Mapping[str, Any], _attempt: int) -> Result:
        assert self.replicas == 0
        self.does.append("cut")
        written = draft(offline=TARGET)
        written.body = dict(read["status"])
        Objects(self.server).write_status(  # type: ignore[arg-type]  # the part of it that is used
            self.server.get(""), written.intend(intent(), volumes()).body
        )
        still = Stillness(everywhere=True)
        return Result(nonce="nonce-1", facts=facts(cut(), cut_while_held=False), stillness=still)

    def operator(self) -> Loop:
        """Start an operator."""
        known = MemoryCloud(listed())
        sweeps, metrics = Sweeps(known), Metrics()
        return started(self.server, known, sweeps, self, metrics, lambda: self.time)

    def turn(self, operator: Loop | None = None) -> timedelta | None:
        """Have the operator look once, or one that has just been started."""
        pause = (operator or self.operator()).look(KEY)
        self.time += pause or timedelta(seconds=1)
        return pause


def asked(down: Down | None = None, **differing: Any) -> Server:
    so_far = draft(offline=TARGET).offline(down).waiting("Offline", "").body if down else None
    return Server(body(offline=TARGET, status_so_far=so_far, **differing))


def until_finished(cluster: Cluster) -> None:
    for _ in range(40):
        if cluster.server.now.finished:
            return
        cluster.turn()
    raise AssertionError(f"never finished: {cluster.server.now.message}")


def test_it_is_written_down_scaled_cut_and_scaled_back_by_operators_that_die_after_each_look() -> (
    None
):
    cluster = Cluster(asked(finalizer=False))
    until_finished(cluster)
    assert cluster.does == ["room", "scale 0", "cut", "scale 2"]
    assert cluster.server.events == ["Offline", "Resumed", "SnapshotReady"]
    assert cluster.server.stored
    said = cluster.server.stored["status"]
    words = [said[key] for key in ("consistency", "fileSystem", "application")]
    assert words == ["ApplicationConsistent", "Clean", "Proven"]
    assert said["offline"]["cleanExit"]
    resumed = next(c for c in said["conditions"] if c["type"] == "Resumed")
    assert (resumed["status"], resumed["reason"]) == ("True", Reason.RESUMED)


def test_a_refusal_for_good_while_it_is_down_is_told_after_it_is_back() -> None:
    def refused(*_: Any) -> Result:
        raise Problem(Reason.DISK_UNUSABLE, "it is shared", final=True)

    cluster = Cluster(asked(DETACHED), refused)
    cluster.replicas = 0
    cluster.turn()
    assert not cluster.server.now.stalled
    until_finished(cluster)
    assert cluster.replicas == 2
    now = cluster.server.now
    assert (now.reason, now.message, now.stalled) == ("DiskUnusable", "it is shared", True)


def test_a_workload_that_is_deleted_after_the_cut_is_said_although_the_snapshot_is_ready() -> None:
    class Deleted(Cluster):
        def look(self, ask: Any, down: Down, now: datetime) -> Workload:
            seen = super().look(ask, down, now)
            return replace(seen, uid="") if "cut" in self.does else seen

    cluster = Deleted(asked(DETACHED))
    cluster.replicas = 0
    until_finished(cluster)
    assert cluster.server.stored
    said = cluster.server.stored["status"]
    assert cluster.server.now.ready == "True"
    resumed = next(c for c in said["conditions"] if c["type"] == "Resumed")
    assert "was deleted" in resumed["message"]
    assert "was deleted" in cluster.server.told["Resumed"]


def test_a_problem_that_may_pass_is_tried_again_each_few_seconds_until_the_time_is_over() -> None:
    def busy(*_: Any) -> Result:
        raise Problem(Reason.DISK_BUSY, "it is expanding")

    cluster = Cluster(asked(DETACHED), busy)
    cluster.replicas, cluster.time = 0, DETACHED.until - timedelta(seconds=100)
    operator = cluster.operator()
    pauses = [cluster.turn(operator) for _ in range(15)]
    assert max(pause for pause in pauses if pause) <= timedelta(seconds=6)
    until_finished(cluster)
    assert cluster.replicas == 2
    assert cluster.server.now.message == "not cut within 300 s: it is expanding"


@pytest.mark.parametrize("spec", [{"source": None}, {"source": {"claims": []}, "offline": "x"}])
def test_an_unreadable_spec_keeps_no_workload_at_zero(spec: dict[str, Any]) -> None:
    server = asked(AT_ZERO)
    assert server.stored
    server.stored["spec"] = spec
    cluster = Cluster(server, never)
    cluster.replicas = 0
    until_finished(cluster)
    assert (cluster.replicas, server.now.reason) == (2, Reason.SPEC_INVALID)


def test_a_workload_that_changed_meanwhile_is_looked_at_again() -> None:
    cluster = Cluster(asked(WRITTEN), never)
    cluster.fail = Conflict("changed")
    assert cluster.turn() == timedelta(seconds=1)
    cluster.turn()
    assert cluster.does == ["scale 0"]


def test_a_way_back_that_is_refused_is_said_and_tried_on() -> None:
    cluster = Cluster(asked(AT_ZERO, deleting=True), never)
    cluster.replicas = 0
    cluster.fail = Problem(Reason.SCALE_FORBIDDEN, "the operator may not scale it")
    cluster.turn()
    assert cluster.server.now.reason == Reason.SCALE_FORBIDDEN
    cluster.turn()
    cluster.turn()
    cluster.turn()
    assert (cluster.replicas, cluster.server.stored) == (2, None)


def test_who_was_stopped_before_it_looked_at_the_workload_does_not_take_it_down_again() -> None:
    class Overtaken(Cluster):
        def look(self, ask: Any, down: Down, now: datetime) -> Workload:
            over = draft(offline=TARGET).offline(replace(down, over=now)).body
            stored = Objects(self.server)  # type: ignore[arg-type]  # the part that is used
            stored.write_status(self.server.get(""), over)
            return super().look(ask, down, now)

    cluster = Overtaken(asked(WRITTEN))
    cluster.turn()
    assert cluster.does == []
