"""One object's loop against an API server and a cloud in memory: nothing lost, nothing twice."""

import copy
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from disksnapshot.cbs.calls import CloudProblem
from disksnapshot.errors import CloudUnavailable, Forbidden, Gone, Problem, Unavailable
from disksnapshot.kube.api import Invalid
from disksnapshot.kube.objects import Objects
from disksnapshot.metrics import Metrics
from disksnapshot.snapshot import status
from disksnapshot.snapshot.outcome import Result
from disksnapshot.snapshot.proof import verdict
from disksnapshot.window.hold import Facts, Refusal
from rules.loops import KEY, MemoryCloud, Nobody, Server, Sweeps, listed, loop
from rules.outcomes import cut, facts
from rules.situations import DISKS, UID, body, draft, intent, snapshot_of, volumes


def raising(error: Exception) -> Callable[[Mapping[str, Any], int], Result]:
    def run(_body: Mapping[str, Any], _attempt: int) -> Result:
        raise error

    return run


def opened() -> dict[str, Any]:
    return draft(quiesce={}).intend(intent(), volumes()).body


def ready() -> dict[str, Any]:
    made = draft().intend(intent(), volumes()).record({DISKS[0]: snapshot_of(DISKS[0])})
    made.call_it(verdict(("mysql", "freeze")))
    return made.progress({DISKS[0]: ("NORMAL", 100)}).ready("complete").body


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Problem("PodNotFound", "none"), "PodNotFound"),
        (CloudUnavailable("no route"), "CloudError"),
        (CloudProblem("ResourceBusy", "it is busy"), "DiskBusy"),
        (Forbidden("pods is forbidden"), "Forbidden"),
    ],
    ids=["something is missing", "the cloud is away", "the cloud refuses", "a right is missing"],
)
def test_what_hinders_an_attempt_is_said_and_it_is_tried_again(
    error: Exception, reason: str
) -> None:
    server = Server(body(finalizer=False))
    pause = loop(server, run=raising(error)).look(KEY)
    assert pause is not None
    assert 5 <= pause.total_seconds() <= 60
    assert (server.now.reason, server.now.stalled) == (reason, False)
    assert server.events == [reason]


def test_a_refusal_is_said_although_the_attempt_itself_or_somebody_has_changed_the_object() -> (
    None
):
    server = Server(body(finalizer=False))

    def refused(read: Mapping[str, Any], _attempt: int) -> Result:
        Objects(server).add_finalizer(read)  # type: ignore[arg-type]  # as above
        raise Problem("HoldBusy", "another one holds this server")

    pause = loop(server, run=refused).look(KEY)
    assert pause is not None
    assert pause.total_seconds() >= 5
    assert server.now.reason == "HoldBusy"
    assert server.now.retry is not None


def test_a_refusal_of_a_spec_that_was_changed_meanwhile_is_not_said() -> None:
    server = Server(body(finalizer=False))

    def refused(_read: Mapping[str, Any], _attempt: int) -> Result:
        assert server.stored is not None
        changed = copy.deepcopy(server.stored)
        changed["spec"]["deletionPolicy"] = "Delete"
        changed["metadata"]["resourceVersion"] = "77"
        server.stored = changed
        raise Problem("HoldBusy", "another one holds this server")

    assert loop(server, run=refused).look(KEY) == timedelta(seconds=1)
    assert server.now.reason == ""


def test_an_error_that_nobody_has_thought_of_is_counted_and_passed_on() -> None:
    metrics = Metrics()
    looking = loop(Server(body()), run=raising(ZeroDivisionError("a bug")), metrics=metrics)
    with pytest.raises(ZeroDivisionError):
        looking.look(KEY)
    assert metrics.registry.get_sample_value("disksnapshot_reconcile_errors_total") == 1


def test_an_unreadable_spec_fails_with_the_field_and_rests() -> None:
    wrong = body()
    wrong["spec"]["quiesce"] = {"steps": [{"mysql": "x"}]}
    server = Server(wrong)
    assert loop(server).look(KEY) is None
    assert (server.now.reason, server.now.stalled) == ("SpecInvalid", True)
    written = server.writes
    loop(server).look(KEY)
    assert server.writes == written


def test_an_unreadable_spec_is_said_once_the_status_can_be_written_again() -> None:
    wrong = body()
    wrong["spec"]["quiesce"] = {"steps": [{"mysql": "x"}]}
    server = Server(wrong)
    server.fail = Gone("no such resource: its status alone")
    looking = loop(server)
    assert looking.look(KEY) is not None, "who only waits to be told of a change waits for ever"
    looking.look(KEY)
    assert server.now.reason == "SpecInvalid"


def test_an_unreadable_spec_keeps_no_object_from_being_deleted() -> None:
    wrong = body(deleting=True)
    wrong["spec"] = {"source": None}
    server = Server(wrong)
    loop(server).look(KEY)
    assert server.stored is None


def held(_body: Mapping[str, Any], _attempt: int) -> Result:
    return Result(nonce="nonce-1", facts=facts(cut()))


def intending(
    server: Server, answer: Result, failure: Exception | None = None
) -> Callable[[Mapping[str, Any], int], Result]:
    def run(read: Mapping[str, Any], _attempt: int) -> Result:
        written = draft(quiesce={}).intend(intent(), volumes()).body
        Objects(server).write_status(read, written)  # type: ignore[arg-type]  # as above
        server.fail = failure or Unavailable("the API server is away")
        return answer

    return run


@pytest.mark.parametrize(
    "failure", [Unavailable("it is away"), Gone("no such resource: its status alone")]
)
def test_the_proof_is_kept_until_the_api_server_has_it(failure: Exception) -> None:
    server = Server(body(quiesce={}))
    looking = loop(server, run=intending(server, held({}, 1), failure))
    assert looking.look(KEY) is not None, "who only waits to be told of a change waits for ever"
    assert server.now.intent is not None
    assert server.now.intent.state == status.OPEN
    looking.look(KEY)
    assert server.now.consistency == "ApplicationConsistent"


def test_another_attempt_s_result_is_not_recorded() -> None:
    server = Server(body(quiesce={}))
    late = Result(nonce="another", facts=facts(cut()))
    looking = loop(server, MemoryCloud(), run=intending(server, late))
    server.fail = None
    for _ in range(3):
        looking.look(KEY)
    assert server.now.consistency == ""
    assert server.now.snapshots == {}


class Overtaken(Server):
    """An API server at which another operator brings the object to its end before one write."""

    def patch(self, path: str, change: Any, content_type: str) -> dict[str, Any]:
        operations = change if isinstance(change, list) else []  # else it is a merge patch
        recording = any(item["path"] == "/status/intent/nonce" for item in operations)
        if recording and self.stored is not None and self.now.ready != "True":
            self.stored["status"] = ready()
        return super().patch(path, change, content_type)


def test_a_result_that_comes_late_does_not_undo_what_another_operator_has_finished() -> None:
    server = Overtaken(body(quiesce={}))

    def run(read: Mapping[str, Any], _attempt: int) -> Result:
        Objects(server).write_status(read, opened())  # type: ignore[arg-type]  # as above
        return Result(nonce="nonce-1", facts=facts(cut(), cut_while_held=False))

    looking = loop(server, MemoryCloud(listed()), run=run)
    for _ in range(3):
        looking.look(KEY)
    assert (server.now.ready, server.now.snapshots) == ("True", {DISKS[0]: listed().id})


def test_an_attempt_that_was_not_acknowledged_and_sent_nothing_settles_at_once() -> None:
    server = Server(body(quiesce={}))
    looking = loop(server, run=intending(server, Result(nonce="nonce-1", facts=Facts())))
    looking.look(KEY)
    looking.look(KEY)
    assert server.now.intent is not None
    assert server.now.intent.state == status.SETTLED


def test_attempts_that_can_t_be_written_down_come_apart_although_nobody_counts_them() -> None:
    server = Server(body(quiesce={}))
    refusal = Refusal(reason="HoldLost", message="the attempt was not acknowledged")
    attempts: list[int] = []

    def run(_body: Mapping[str, Any], attempt: int) -> Result:
        attempts.append(attempt)
        return Result(nonce=f"nonce-{len(attempts)}", facts=Facts(), refusal=refusal)

    pause = loop(server, run=run).look(KEY)
    assert attempts == [1]
    assert pause is not None
    assert pause >= timedelta(seconds=60)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (CloudUnavailable("away (request 1)"), "CloudError"),
        (CloudProblem("Odd.Code", "no"), "CloudError"),
        (CloudProblem("InvalidFilter", "no"), "CloudError"),
        (CloudProblem("AuthFailure", "no"), "CredentialsRefused"),
    ],
)
def test_a_cloud_that_can_t_be_asked_is_said_once_and_is_never_the_end(
    error: Exception, reason: str
) -> None:
    server, cloud = Server(body(quiesce={}, status_so_far=opened())), MemoryCloud()
    cloud.fail = error
    looking = loop(server, cloud)
    for _ in range(3):
        pause = looking.look(KEY)
        assert pause is not None
        assert pause.total_seconds() >= 5
    assert (server.now.reason, server.now.stalled) == (reason, False)
    assert server.writes == 1
    cloud.fail = None
    cloud.listed.append(listed())
    looking.look(KEY)
    assert server.now.consistency == "Unknown"


def test_a_snapshot_that_can_t_be_deleted_says_so_and_keeps_the_object() -> None:
    server = Server(body(deleting=True, policy="Delete", status_so_far=ready()))
    cloud = MemoryCloud(listed())
    looking = loop(server, cloud)
    cloud.keeps = CloudProblem("UnsupportedOperation.SnapHasShared", "it is shared")
    looking.look(KEY)
    looking.look(KEY)
    assert (server.now.reason, server.now.stalled) == ("DeletionBlocked", False)
    assert "it is shared" in server.now.message
    assert server.writes == 1
    assert server.stored is not None


def test_each_thing_that_stands_in_the_way_of_a_deletion_is_said_in_its_turn() -> None:
    server = Server(body(deleting=True, policy="Delete", status_so_far=ready()))
    cloud = MemoryCloud(listed("CREATING"))
    looking = loop(server, cloud)
    looking.look(KEY)
    assert "is complete" in server.now.message
    cloud.listed = [listed()]
    for number, hindrance in enumerate(("an image is bound", "it is shared", "it is shared")):
        refused = f"{hindrance} (request 0a1b-{number})"
        cloud.keeps = CloudProblem("UnsupportedOperation.SnapHasShared", refused)
        loop(server, cloud).look(KEY)
        assert server.now.reason == "DeletionBlocked"
        assert hindrance in server.now.message
    assert server.writes == 3, "another number of a request is no news"


@pytest.mark.parametrize("blocked", [False, True], ids=["that goes slowly", "that can't go"])
def test_edits_of_a_deleted_object_don_t_ask_for_its_deletion_again(blocked: bool) -> None:
    class Slow(MemoryCloud):
        deletions = 0

        def delete(self, snapshot_id: str) -> None:
            self.deletions += 1
            if blocked:
                super().delete(snapshot_id)

    server = Server(body(deleting=True, policy="Delete", status_so_far=ready()))
    cloud = Slow(listed())
    cloud.keeps = CloudProblem("UnsupportedOperation.SnapHasShared", "it is shared")
    looking = loop(server, cloud)
    for _ in range(5):
        pause = looking.look(KEY)
    assert cloud.deletions == 1
    assert pause is not None
    assert timedelta(0) < pause <= timedelta(seconds=3)


def test_an_object_goes_when_its_snapshot_is_gone() -> None:
    server = Server(body(deleting=True, policy="Delete", status_so_far=ready()))
    cloud = MemoryCloud(listed())
    looking = loop(server, cloud)
    for _ in range(2):
        looking.look(KEY)
    assert cloud.listed == []
    assert server.stored is None


def test_an_object_that_is_kept_goes_at_once_and_leaves_its_snapshot() -> None:
    server, cloud = Server(body(deleting=True, status_so_far=ready())), MemoryCloud(listed())
    loop(server, cloud).look(KEY)
    assert server.stored is None
    assert (len(cloud.listed), cloud.calls) == (1, 0)


def test_a_late_deletion_of_the_old_object_touches_nothing_of_a_new_one_of_its_name() -> None:
    """The old one's worker has read it, and is slow; meanwhile it went and was made anew."""
    new = body(policy="Delete", status_so_far=ready())
    new["metadata"]["uid"] = "ffffffff-4e5f-6789-abcd-ef0123456789"
    server = Server(body(deleting=True, policy="Delete", status_so_far=ready()))
    cloud = MemoryCloud(listed(), listed(uid=new["metadata"]["uid"], number=2))
    looking = loop(server, cloud)
    looking.look(KEY)
    server.swap = new
    looking.look(KEY)
    assert [item.id for item in cloud.listed] == [snapshot_of(DISKS[0], 2)]
    assert server.stored is not None
    assert server.stored["metadata"]["uid"] == new["metadata"]["uid"]
    assert server.stored["metadata"]["finalizers"] == ["disksnapshot.io/settle"]


def test_who_gives_up_a_blocked_deletion_lets_the_object_go_and_deletes_nothing() -> None:
    server = Server(body(deleting=True, policy="Delete", status_so_far=ready(), gives_up=UID))
    cloud = MemoryCloud(listed())
    cloud.keeps = CloudProblem("UnsupportedOperation.SnapHasShared", "it is shared")
    loop(server, cloud).look(KEY)
    assert server.stored is None
    assert server.events == ["GivenUp"]
    assert len(cloud.listed) == 1


DAY = 86400


def expiring(after: int | None, **metadata: Any) -> dict[str, Any]:
    """Return a Ready object whose cut was two hours ago, and that expires so long after it."""
    cut_at = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)
    made = draft().intend(intent(signed=cut_at), volumes())
    made.record({DISKS[0]: snapshot_of(DISKS[0])}).call_it(verdict(("mysql", "freeze")))
    body_of = body(finalizer=False, status_so_far=made.ready("complete").body)
    body_of["metadata"].update(metadata)
    if after is not None:
        body_of["spec"]["expireAfterSeconds"] = after
    return body_of


def test_the_cloud_is_told_of_the_expiry_and_of_each_change_of_it() -> None:
    server, cloud = Server(expiring(DAY)), MemoryCloud(listed())
    looking = loop(server, cloud)
    told = []
    for days in (1, 3, 2, None):
        assert server.stored is not None
        server.stored["spec"].pop("expireAfterSeconds", None)
        if days:
            server.stored["spec"]["expireAfterSeconds"] = days * DAY
        server.stored["metadata"]["generation"] += 1
        pauses = [looking.look(KEY) for _ in range(3)]
        told.append(cloud.deadlines.get(snapshot_of(DISKS[0])))
        left = timedelta(days=days) - timedelta(hours=2) if days else None
        assert (pauses[-1] is None) == (left is None)
        assert pauses[-1] is None or left is None or abs(pauses[-1] - left) < timedelta(minutes=1)
        assert server.now.generation == server.stored["metadata"]["generation"]
    assert [moment is None for moment in told] == [False, False, False, True]
    first, second, third = (moment for moment in told if moment)
    assert second - first == timedelta(days=2)
    assert second - third == timedelta(days=1)
    assert first - datetime.now(UTC) > timedelta(days=1), "the cloud refuses a nearer one"
    assert server.now.ready == "True"
    assert len(cloud.listed) == 1


def test_an_expired_snapshot_is_deleted_under_retain_and_its_object_stays_to_say_so() -> None:
    server, cloud, metrics = Server(expiring(3600)), MemoryCloud(listed()), Metrics()
    looking = loop(server, cloud, metrics=metrics)
    for _ in range(4):
        looking.look(KEY)
    failed = {"result": "Failed", "reason": "Expired", "consistency": ""}
    counted = metrics.registry.get_sample_value("disksnapshot_snapshots_total", failed)
    assert counted is None, "what ends as asked is no failure, and alerts nobody"
    assert cloud.listed == []
    assert (server.now.reason, server.now.stalled, server.now.ready) == ("Expired", True, "False")
    assert server.events == ["Expired"]
    calls = cloud.calls
    assert looking.look(KEY) is None
    assert cloud.calls == calls, "nothing is made again, and nobody is asked"


class Watched(MemoryCloud):
    """A cloud that notes what the object says when it is asked to delete its snapshot."""

    server: Server
    said: str = ""

    def delete(self, snapshot_id: str) -> None:
        self.said = self.server.now.ready
        super().delete(snapshot_id)


def test_an_expired_snapshot_is_ready_no_more_when_the_cloud_is_asked_to_delete_it() -> None:
    server, cloud = Server(expiring(3600)), Watched(listed())
    cloud.server = server
    looking = loop(server, cloud)
    for _ in range(4):
        looking.look(KEY)
    assert cloud.said == "False"
    assert server.now.reason == "Expired"


def test_more_time_that_comes_after_the_deletion_makes_nothing_ready_again() -> None:
    server, cloud = Server(expiring(3600)), MemoryCloud(listed())
    looking = loop(server, cloud, poller=Sweeps(cloud))
    for _ in range(2):
        looking.look(KEY)
    assert cloud.listed == []
    assert server.stored is not None
    server.stored["spec"]["expireAfterSeconds"] = 2 * DAY
    server.stored["metadata"]["generation"] += 1
    for _ in range(4):
        looking.look(KEY)
    assert server.now.ready == "False"


def test_an_expired_snapshot_that_the_cloud_deleted_first_is_expired_all_the_same() -> None:
    server = Server(expiring(3600))
    looking = loop(server)
    for _ in range(3):
        looking.look(KEY)
    assert (server.now.reason, server.now.stalled) == ("Expired", True)


def test_an_expired_snapshot_that_is_bound_says_so_and_is_ready_again_with_more_time() -> None:
    server, cloud = Server(expiring(3600)), MemoryCloud(listed())
    cloud.keeps = CloudProblem("UnsupportedOperation.SnapshotHasBindedImage", "an image")
    poller = Sweeps(cloud)
    looking = loop(server, cloud, poller=poller)
    for _ in range(2):
        looking.look(KEY)
    assert (server.now.reason, server.now.stalled) == ("DeletionBlocked", False)
    assert server.stored is not None
    server.stored["spec"]["expireAfterSeconds"] = 2 * DAY
    server.stored["metadata"]["generation"] += 1
    for _ in range(4):
        looking.look(KEY)
    assert server.now.ready == "True"
    assert len(cloud.listed) == 1


def test_a_deadline_that_the_cloud_refuses_keeps_nobody_from_having_the_snapshot_deleted() -> None:
    made = draft().intend(intent(), volumes()).record({DISKS[0]: snapshot_of(DISKS[0])})
    so_far = made.call_it(verdict(())).ready("complete").body
    there = body(finalizer=False, policy="Delete", status_so_far=so_far, generation=2)
    there["spec"]["expireAfterSeconds"] = 10 * 365 * 86400
    server, cloud = Server(there), MemoryCloud(listed())
    cloud.fail = CloudProblem("UnauthorizedOperation", "no right to change it")
    looking = loop(server, cloud)
    for _ in range(3):
        looking.look(KEY)
    assert server.stored
    assert server.stored["metadata"]["finalizers"], "a deletion would leave it"


def test_a_deadline_that_the_cloud_refuses_makes_no_snapshot_less_ready() -> None:
    server, cloud = Server(expiring(DAY)), MemoryCloud(listed())
    looking = loop(server, cloud)
    cloud.fail = CloudProblem("UnsupportedOperation.SnapHasShared", "it is shared")
    pause = looking.look(KEY)
    assert pause is not None
    assert pause >= timedelta(minutes=5), "at most a dozen calls in an hour"
    assert server.now.ready == "True"


def test_more_time_that_the_cloud_does_not_grant_is_told_once_with_the_end_that_it_keeps() -> None:
    server, cloud = Server(expiring(DAY)), MemoryCloud(listed())
    looking = loop(server, cloud)
    looking.look(KEY)
    kept = server.now.deadline
    assert server.stored is not None
    server.stored["spec"]["expireAfterSeconds"] = 9 * DAY
    server.stored["metadata"]["generation"] += 1
    cloud.fail = CloudProblem("UnauthorizedOperation", "no right")
    for _ in range(3):
        looking.look(KEY)
    (reason,) = server.events
    assert kept
    assert f"{kept:%Y-%m-%d %H:%M:%S}" in server.told[reason]
    assert (server.now.ready, server.now.deadline) == ("True", kept)


def test_a_snapshot_lost_after_ready_is_said_once_and_the_object_stays_so() -> None:
    server = Server(body(finalizer=False, status_so_far=ready()))
    looking = loop(server)
    looking.lose(UID, [snapshot_of(DISKS[0])])
    for _ in range(3):
        looking.look(KEY)
    assert (server.now.reason, server.now.stalled) == ("SnapshotLost", True)
    assert server.stored is not None
    conditions = {item["type"]: item["status"] for item in server.stored["status"]["conditions"]}
    assert conditions["SnapshotTaken"] == "False"
    assert server.events == ["SnapshotLost"]


def test_a_set_of_which_the_cloud_lost_one_is_lost_though_it_lists_the_others() -> None:
    made = draft().intend(intent(disks=DISKS), volumes(DISKS))
    made.record({disk: snapshot_of(disk) for disk in DISKS}).call_it(verdict(("freeze",)))
    server = Server(body(disks=DISKS, finalizer=False, status_so_far=made.ready("complete").body))
    cloud = MemoryCloud(listed())
    looking = loop(server, cloud)
    looking.lose(UID, {snapshot_of(DISKS[1])})
    looking.look(KEY)
    assert (server.now.reason, server.now.stalled) == ("SnapshotLost", True)


def test_what_the_cloud_lists_again_was_not_lost() -> None:
    server, cloud = Server(body(finalizer=False, status_so_far=ready())), MemoryCloud(listed())
    looking = loop(server, cloud)
    looking.lose(UID, {snapshot_of(DISKS[0])})
    for _ in range(3):
        looking.look(KEY)
    assert server.now.ready == "True"


def test_a_status_that_the_schema_refuses_is_written_without_what_is_not_needed() -> None:
    server = Server(body(quiesce={}))
    looking = loop(server, run=intending(server, held({}, 1)))
    looking.look(KEY)
    refusal = Invalid("PATCH: DiskSnapshot is invalid: status.quiesce.steps[0]: Too long")
    server.refuses = lambda status: refusal if "quiesce" in status else None
    looking.look(KEY)
    assert (server.now.consistency, server.now.snapshots) == (
        "ApplicationConsistent",
        {DISKS[0]: snapshot_of(DISKS[0])},
    )


def test_a_status_that_is_refused_whatever_it_says_is_tried_slowly() -> None:
    server = Server(body(quiesce={}))
    server.refuses = lambda _: Invalid("PATCH: DiskSnapshot is invalid: status: no")
    pause = loop(server, run=raising(Problem("PodNotFound", "none"))).look(KEY)
    assert pause is not None
    assert pause.total_seconds() >= 60


def test_waiting_for_a_creation_writes_once_whatever_the_percent() -> None:
    server = Server(body(deleting=True, policy="Delete", status_so_far=ready()))
    looking = loop(server, MemoryCloud(listed("CREATING")))
    for _ in range(5):
        looking.look(KEY)
    assert server.writes == 1


def test_an_object_that_vanished_is_followed_no_longer() -> None:
    server, poller = Server(body()), Nobody()
    server.stored = None
    assert loop(server, poller=poller).look(KEY) is None
    assert poller.gone == [KEY]


def test_of_an_object_that_was_removed_by_force_nothing_is_remembered() -> None:
    """Somebody takes its finalizer off while it waits; a backup of etcd brings it back."""

    def refuses(_body: Mapping[str, Any], _attempt: int) -> Result:
        raise Problem("HoldBusy", "another hold uses this disk")

    server, time = Server(body()), [datetime.now(UTC)]
    looking = loop(server, run=refuses, clock=lambda: time[0])
    stored, pauses = copy.deepcopy(server.stored), []
    for _ in range(20):
        pauses.append(looking.look(KEY) or timedelta(0))
        time[0] += pauses[-1]
    assert max(pauses) >= timedelta(minutes=1)
    server.stored = None
    assert looking.look(KEY) is None
    server.stored = stored
    assert (looking.look(KEY) or timedelta(0)) < timedelta(seconds=10)


def test_a_ready_object_is_left_alone() -> None:
    server, cloud = Server(body(finalizer=False, status_so_far=ready())), MemoryCloud()
    assert loop(server, cloud).look(KEY) is None
    assert (server.writes, cloud.calls) == (0, 0)


def test_a_failure_that_every_retry_meets_is_warned_of_once() -> None:
    server = Server(body(quiesce={}))

    def refused(read: Mapping[str, Any], attempt: int) -> Result:
        written = draft(quiesce={}).intend(intent(attempt=attempt), volumes()).body
        Objects(server).write_status(read, written)  # type: ignore[arg-type]  # as above
        refusal = Refusal(reason="LockTimeout", message="a statement ran for too long")
        return Result(nonce=f"nonce-{attempt}", facts=Facts(), refusal=refusal)

    looking = loop(server, run=refused)
    for _ in range(4):
        looking.look(KEY)
        assert server.stored is not None
        server.stored["status"].pop("retryTime", None)  # as if the pause were over
    assert server.now.stalled
    assert "given up after 3 attempts" in server.now.message
    assert server.events == ["LockTimeout"]
