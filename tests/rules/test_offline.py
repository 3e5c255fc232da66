"""A workload goes to zero for a snapshot and comes back: which step follows from which facts."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from disksnapshot.reasons import Reason
from disksnapshot.snapshot import down, outcome, plan, spec, status, steps
from disksnapshot.snapshot.down import Down, Workload
from disksnapshot.snapshot.stillness import Stillness
from rules import outcomes, situations
from rules.schema import faults
from rules.situations import NOW, after, draft, intent, recorded

TARGET = {"scaleTargetRef": {"kind": "StatefulSet", "name": "mysql"}, "timeoutSeconds": 300}
WRITTEN = Down(
    kind="StatefulSet", name="mysql", uid="uid-1", replicas=2, history="7",
    began=NOW, until=after(300),
)  # fmt: skip
AT_ZERO = replace(WRITTEN, scaled=after(1))
DETACHED = replace(AT_ZERO, detached=after(20))
OVER = replace(DETACHED, over=after(30))
UP, ZERO = (
    Workload(uid="uid-1", replicas=2, version="v"),
    Workload(uid="uid-1", replicas=0, version="v"),
)
UNDO = "kubectl scale statefulset/mysql --namespace shop --replicas=2"


def ask(**differing: Any) -> spec.Ask:
    return situations.ask(**{"offline": TARGET, **differing})


def done(down: Down | None, **known: Any) -> status.Done:
    return situations.done(offline=down, **known)


def step(
    down: Down | None, workload: Workload | None, seconds: float = 25, /,
    asked: spec.Ask | None = None, **known: Any,
) -> steps.Step:  # fmt: skip
    seen = steps.Seen(workload=workload)
    return plan.next_step(asked or ask(), done(down, **known), seen, after(seconds))


def noted(down: Down | None, workload: Workload, *more: Any, **known: Any) -> Down:
    found = step(down, workload, *more, **known)
    assert isinstance(found, steps.Note), found
    return found.down


def test_an_object_that_asks_for_it_writes_the_workload_down_first() -> None:
    assert step(None, None) == steps.TakeDown()


def test_what_is_written_down_is_looked_at_before_anything_else() -> None:
    for facts in (WRITTEN, AT_ZERO, DETACHED):
        assert step(facts, None, 400) == steps.LookAtWorkload()


def test_it_goes_to_zero_only_when_its_replicas_are_written_down() -> None:
    assert step(WRITTEN, UP) == steps.Scale(0, "v")


def test_it_does_not_go_to_zero_while_a_deletion_would_not_wait_for_its_way_back() -> None:
    assert step(WRITTEN, UP, asked=ask(finalizer=False)) == steps.TakeDown()
    assert step(AT_ZERO, ZERO, asked=ask(finalizer=False)) == steps.AddFinalizer()


def test_a_number_that_somebody_changed_before_is_written_down_anew() -> None:
    assert step(WRITTEN, replace(UP, replicas=3)) == steps.TakeDown()


def test_after_a_lost_answer_the_zero_is_noted() -> None:
    assert noted(WRITTEN, ZERO) == replace(WRITTEN, scaled=after(25))


def test_what_is_left_of_it_is_waited_for_and_said_with_the_way_back_by_hand() -> None:
    found = step(AT_ZERO, replace(ZERO, waits_for="pod mysql-1"))
    assert isinstance(found, steps.Wait)
    assert found.reason == Reason.OFFLINE
    assert "waiting for pod mysql-1" in found.message
    assert UNDO in found.message
    assert found.until <= AT_ZERO.until


@pytest.mark.parametrize(
    "why", ["", "container mysql of pod mysql-0 ended with status 137, not 0"]
)
def test_how_its_pods_ended_is_noted_once_all_is_detached(why: str) -> None:
    seen = noted(AT_ZERO, replace(ZERO, unclean=why))
    assert seen == replace(AT_ZERO, detached=after(25), unclean=why)
    assert seen.clean == (why == "")


def test_only_what_is_detached_is_cut() -> None:
    assert step(DETACHED, ZERO) == steps.Capture(1)


def test_who_was_at_zero_before_is_cut_and_left_there_and_not_called_clean() -> None:
    before = replace(DETACHED, replicas=0)
    assert not before.clean
    assert step(before, ZERO) == steps.Capture(1)
    assert noted(before, ZERO, intent=intent(status.RECORDED)).over


@pytest.mark.parametrize("facts", [WRITTEN, AT_ZERO, DETACHED])
@pytest.mark.parametrize(
    "cause",
    [
        {"intent": intent(status.RECORDED), "consistency": "ApplicationConsistent"},
        {"intent": intent(status.OPEN)},
        {"intent": intent(status.SETTLED)},
        {"stalled": True},
        {"asked": ask(deleting=True)},
        {"asked": ask(deleting=True, gives_up=situations.UID)},
        {"asked": spec.unreadable(situations.body())},
    ],
    ids=["cut", "unknown", "refused", "failed", "deleted", "given up", "unreadable"],
)
def test_whatever_befalls_the_snapshot_the_workload_comes_back_first(
    facts: Down, cause: dict[str, Any]
) -> None:
    assert step(facts, ZERO, **cause) == steps.Scale(2, "v")
    assert noted(facts, UP, **cause) == replace(facts, over=after(25))


def test_after_its_time_it_comes_back_and_says_what_it_waited_for() -> None:
    waited: dict[str, Any] = {
        "reason": Reason.OFFLINE,
        "message": "waiting for pod mysql-1; StatefulSet mysql is",
    }
    assert step(AT_ZERO, ZERO, 300, **waited) == steps.Scale(2, "v")
    back = noted(AT_ZERO, UP, 301, **waited)
    assert back.reason == Reason.OFFLINE_TIMEOUT
    assert back.message == "not cut within 300 s: waiting for pod mysql-1"
    failed = step(back, None, 302)
    assert failed == steps.Fail(Reason.OFFLINE_TIMEOUT, back.message)


def test_what_somebody_else_wants_meanwhile_is_left_and_nothing_is_cut() -> None:
    for facts in (AT_ZERO, DETACHED):
        contested = noted(facts, replace(UP, replicas=1))
        assert contested.over == after(25)
        assert contested.reason == Reason.SCALE_CONTESTED
        assert step(contested, None) == steps.Fail(Reason.SCALE_CONTESTED, contested.message)


def test_another_workload_of_that_name_is_not_touched() -> None:
    for seen in (replace(ZERO, uid="uid-2"), Workload(uid="", replicas=0, version="")):
        for asked in (ask(), ask(deleting=True)):
            lost = noted(AT_ZERO, seen, asked=asked)
            assert (lost.over, lost.reason) == (after(25), Reason.WORKLOAD_NOT_FOUND)


def test_a_problem_for_good_brings_it_back_before_it_is_called_failed() -> None:
    facts = replace(DETACHED, reason=Reason.DISK_UNUSABLE, message="it is shared")
    assert step(facts, ZERO) == steps.Scale(2, "v")
    assert step(noted(facts, UP), None) == steps.Fail(Reason.DISK_UNUSABLE, "it is shared")


def test_it_is_taken_to_zero_once_and_never_again() -> None:
    why: dict[str, Any] = {"reason": Reason.CLOUD_THROTTLED, "message": "busy"}
    refused = step(OVER, None, 500, intent=intent(status.SETTLED), **why)
    message = "busy; StatefulSet mysql is not taken to zero a second time"
    assert refused == steps.Fail(Reason.CLOUD_THROTTLED, message)


def test_once_it_is_back_the_snapshot_goes_on_as_any_other() -> None:
    facts = replace(recorded(), offline=OVER)
    assert isinstance(plan.next_step(ask(), facts, steps.Seen(), NOW), steps.Follow)
    lost = done(OVER, intent=intent(status.OPEN))
    assert plan.next_step(ask(), lost, steps.Seen(), NOW) == steps.LookUp()
    gone = done(OVER, stalled=True)
    assert plan.next_step(ask(deleting=True), gone, steps.Seen(), NOW) == steps.DropFinalizer()


def test_only_a_way_back_that_is_refused_can_be_given_up() -> None:
    asked = ask(deleting=True, gives_up=situations.UID)
    given_up = step(AT_ZERO, None, asked=asked, reason=Reason.SCALE_FORBIDDEN)
    assert isinstance(given_up, steps.GiveUp)
    assert UNDO in given_up.message


def test_what_is_written_down_is_read_again_as_it_was() -> None:
    ended = replace(OVER, unclean="killed", reason="ScaleContested", message="by somebody")
    for facts in (WRITTEN, AT_ZERO, DETACHED, ended):
        body = draft(offline=TARGET).offline(facts).body
        assert list(faults(body)) == []
        assert down.parse(body["offline"]) == facts
        assert body["offline"].get("undo") == (None if facts.over else UNDO)


def test_writers_are_not_called_resumed_before_the_workload_is_back() -> None:
    body = draft(offline=TARGET).offline(DETACHED).stood_still("").body
    resumed = {c["type"]: c["status"] for c in body["conditions"]}["Resumed"]
    assert resumed == "False"


class World:
    """A workload, and what is written of it; each step is one effect, and may be the last."""

    def __init__(self) -> None:
        self.replicas, self.time = 2, NOW
        self.facts = done(None)
        self.asked = ask()
        self.went = 0

    @property
    def workload(self) -> Workload:
        facts = self.facts.offline
        ends = facts and facts.scaled and self.time < facts.scaled + timedelta(seconds=10)
        waits = "pod mysql-0" if ends else ""
        return Workload(uid="uid-1", replicas=self.replicas, version="v", waits_for=waits)

    def turn(self) -> steps.Step:
        self.time += timedelta(seconds=1)
        step = plan.next_step(self.asked, self.facts, steps.Seen(), self.time)
        if isinstance(step, steps.LookAtWorkload):
            seen = steps.Seen(workload=self.workload)
            step = plan.next_step(self.asked, self.facts, seen, self.time)
        self._perform(step)
        return step

    def _perform(self, step: steps.Step) -> None:
        match step:
            case steps.TakeDown():
                written = replace(
                    WRITTEN,
                    replicas=self.replicas,
                    began=self.time,
                    until=self.time + timedelta(seconds=60),
                )
                self.facts = replace(self.facts, offline=written)
            case steps.Scale(replicas, _):
                self.went += replicas == 0
                self.replicas = replicas
            case steps.Note(down):
                self.facts = replace(self.facts, offline=down)
            case steps.Wait(until, reason, message):
                self.facts = replace(self.facts, reason=reason, message=message)
                self.time = until
            case steps.Capture():
                assert self.replicas == 0
                cut = recorded()
                self.facts = replace(
                    self.facts, intent=cut.intent, snapshots=cut.snapshots,
                    consistency=cut.consistency,
                )  # fmt: skip
            case steps.Fail(reason, message):
                self.facts = replace(self.facts, stalled=True, reason=reason, message=message)

    def deleted(self) -> None:
        self.asked = ask(deleting=True)

    def late(self) -> None:
        self.time += timedelta(minutes=10)

    def unreadable(self) -> None:
        if self.facts.offline:  # else nothing is decided: the object is only told so
            self.asked = spec.unreadable(situations.body())

    def scaled_by_somebody(self) -> None:
        self.replicas = 5

    def dead(self) -> None:
        """The next operator knows what is written and what is so, and nothing else."""


ENDS = (steps.Follow, steps.DropFinalizer, steps.Rest)


@pytest.mark.parametrize("turns", range(9))
@pytest.mark.parametrize(
    "befall", [World.deleted, World.late, World.unreadable, World.scaled_by_somebody, World.dead]
)
def test_whatever_befalls_at_any_step_it_ends_with_its_replicas(turns: int, befall: Any) -> None:
    world = World()
    for _ in range(turns):
        world.turn()
    befall(world)
    for _ in range(40):
        if isinstance(world.turn(), ENDS):
            break
    else:
        raise AssertionError("it never came to an end")
    assert world.replicas == (5 if befall is World.scaled_by_somebody else 2)
    # Who scales it up in the moment before its zero is seen sees it go once more.
    assert world.went <= (2 if world.replicas == 5 and turns == 2 else 1)
    assert world.facts.offline is None or world.facts.offline.over


@pytest.mark.parametrize(
    ("unclean", "moved", "words"),
    [
        ("", "", ("ApplicationConsistent", "Clean", "Proven")),
        ("killed", "", ("FilesystemConsistent", "Clean", "None")),
        ("", "it was attached meanwhile", ("CrashConsistent", "NeedsReplay", "None")),
    ],
    ids=["clean", "killed", "attached again"],
)
def test_a_copy_is_called_by_how_its_pods_ended_and_whether_its_disk_stayed_detached(
    unclean: str, moved: str, words: tuple[str, ...]
) -> None:
    facts = replace(DETACHED, unclean=unclean)
    opened = draft(offline=TARGET).offline(facts).intend(intent(), situations.volumes())
    still = Stillness(everywhere=True, why=moved)
    made = outcomes.facts(outcomes.cut(), cut_while_held=False)
    result = outcome.Result(nonce="nonce-1", facts=made, stillness=still)
    said = outcome.judge(opened, ask(), result, NOW)
    assert list(faults(said.body)) == []
    assert tuple(said.body[key] for key in ("consistency", "fileSystem", "application")) == words
