"""A small model of a cloud without idempotency, and of performing the plan's steps against it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, assert_never

from disksnapshot.memory import Memory
from disksnapshot.snapshot import outcome, plan, spec, status, steps
from disksnapshot.snapshot.draft import Draft
from disksnapshot.snapshot.proof import ADOPTED
from disksnapshot.window.hold import DiskFacts, Refusal
from rules import outcomes
from rules.situations import NOW, UID, body, intent, volumes


@dataclass(kw_only=True)
class Made:
    """A snapshot that the cloud has."""

    id: str
    disk: str
    attempt: int
    at: datetime
    visible_after: timedelta
    creation: timedelta
    tagged: bool = True

    def seen(self, now: datetime) -> steps.Found | None:
        if now < self.at + self.visible_after:
            return None
        complete = now >= self.at + self.creation
        return steps.Found(
            id=self.id,
            disk_id=self.disk,
            attempt=self.attempt,
            state="NORMAL" if complete else "CREATING",
            percent=100 if complete else 7,
            ours=self.tagged,
        )


@dataclass(kw_only=True)
class Flying:
    """A request that its sender gave up, and that acts later; the server refuses it after that."""

    disk: str
    attempt: int
    acts_at: datetime


@dataclass(frozen=True, kw_only=True)
class Fate:
    """What happens to one disk's request, and how slow the cloud is with it."""

    kind: str  # replied, lost, late, never, refused
    late: timedelta = timedelta()
    visible_after: timedelta = timedelta()
    creation: timedelta = timedelta(seconds=30)
    tagged: bool = True


@dataclass(frozen=True, kw_only=True)
class AttemptFate:
    """What happens to one attempt."""

    disks: tuple[Fate, ...]
    refused_before: bool = False
    proven: bool = True
    crash_after: bool = False  # the operator dies before it records the outcome


@dataclass
class World:
    """One object, its operator and its cloud; each invariant is checked where it could break."""

    disks: tuple[str, ...]
    policy: str
    now: datetime = NOW
    memory: Memory = field(default_factory=Memory)
    made: list[Made] = field(default_factory=list)
    flying: list[Flying] = field(default_factory=list)
    said: dict[str, Any] = field(default_factory=lambda: {"observedGeneration": -1})
    deleting: bool = False
    gone: bool = False
    finalizer: bool = False
    number: int = 0
    absent: dict[str, datetime] = field(default_factory=dict)

    @property
    def ask(self) -> spec.Ask:
        return spec.parse(
            body(
                disks=self.disks,
                deleting=self.deleting,
                finalizer=self.finalizer,
                policy=self.policy,
                quiesce={},
            )
        )

    @property
    def done(self) -> status.Done:
        return status.parse(self.said)

    @property
    def draft(self) -> Draft:
        return Draft(self.said, self.ask, self.now)

    def crash(self) -> None:
        """Lose all that is only in memory."""
        self.memory = Memory()
        self.absent.clear()

    def delete(self) -> None:
        self.deleting = True
        self.gone = not self.finalizer

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        for request in [item for item in self.flying if item.acts_at <= self.now]:
            self.flying.remove(request)
            self._act(request.disk, request.attempt, request.acts_at, Fate(kind="late"))

    def step(self) -> steps.Step:
        """Decide as the operator does."""
        step = plan.next_step(self.ask, self.done, self._followed(), self.now)
        if isinstance(step, steps.LookUp):
            step = plan.next_step(self.ask, self.done, self._looked(), self.now)
        return step

    def perform(self, step: steps.Step, fate: AttemptFate) -> float:  # noqa: PLR0911 - one case a step
        """Do what the step says; return the seconds until the next look."""
        match step:
            case steps.Rest() | steps.LookUp():
                return 60
            case steps.Wait(until, reason, message):
                assert until > self.now, "a wait in the past is a hot loop"
                self.said = self.draft.waiting(reason, message, until).body
                return (until - self.now).total_seconds()
            case steps.Capture(attempt):
                self._capture(attempt, fate)
                return 0
            case steps.Adopt(snapshots):
                draft = self.draft.record(snapshots).call_it(ADOPTED)
                self.said = draft.waiting("Creating", "adopted").body
                return 0
            case steps.Settle(reason, message):
                retry = self.now + outcome.RETRY_PAUSE
                self.said = self.draft.settle().waiting(reason, message, retry).body
                return 60
            case steps.Discard(snapshot_id, _):
                self._discard(snapshot_id)
                return 1
            case steps.Follow(states):
                self.said = self.draft.progress(states).body
                return 5
            case steps.Finish(states):
                self.said = self.draft.progress(states).ready("complete").body
                return 60
            case steps.Fail(reason, message):
                self.said = self.draft.failed(reason, message).body
                return 60
            case _:
                self._keep(step)
                return 0

    def _keep(self, step: steps.Keeping | steps.Scaling) -> None:
        match step:
            case steps.Acknowledge():
                self.said = self.draft.acknowledge().body
            case steps.AddFinalizer():
                self.finalizer = True
            case steps.DropFinalizer():
                self._drop()
            case steps.GiveUp():
                self.gone = True
            case steps.Retire(message):
                self.said = self.draft.waiting("Deleting", message).body
            case steps.Expire(message):
                self.said = self.draft.expired(message).body
            case steps.SetDeadline(deadline):
                self.said = self.draft.deadline(deadline).body
            case steps.Reopen():
                raise AssertionError("nothing of the status was lost")
            case steps.LookAtWorkload() | steps.TakeDown() | steps.Scale() | steps.Note():
                raise AssertionError("a workload is scaled, and nobody asked for that")
            case _:
                assert_never(step)

    def _capture(self, attempt: int, fate: AttemptFate) -> None:
        assert not self.made, "One: a cut while another snapshot of the object lives"
        assert not self.flying, "One: a cut while an earlier request may still act"
        assert not self.deleting
        written = intent(attempt=attempt, disks=self.disks, signed=self.now)
        self.finalizer = True
        self.said = self.draft.intend(written, volumes(self.disks)).body
        facts = [
            self._send(disk, attempt, one, before=fate.refused_before)
            for disk, one in zip(self.disks, fate.disks, strict=True)
        ]
        if fate.crash_after:
            self.crash()
            return
        answer = outcomes.facts(
            *facts,
            steps=[outcomes.lock(), outcomes.freeze(proven=fate.proven)],
            cut_while_held=all(item.snapshot_id for item in facts),
            refusal=Refusal(reason="LockTimeout", message="busy") if fate.refused_before else None,
        )
        result = outcome.Result(nonce=written.nonce, facts=answer)
        self.said = outcome.judge(self.draft, self.ask, result, self.now).body

    def _send(self, disk: str, attempt: int, fate: Fate, *, before: bool) -> DiskFacts:
        if before:
            return DiskFacts(disk_id=disk)
        match fate.kind:
            case "refused":
                return outcomes.refused("RequestLimitExceeded", disk)
            case "replied":
                made = self._act(disk, attempt, self.now, fate)
                return outcomes.cut(disk, snapshot_id=made.id, visible=False)
            case "lost":
                self._act(disk, attempt, self.now, fate)
            case "late":
                self.flying.append(
                    Flying(disk=disk, attempt=attempt, acts_at=self.now + fate.late)
                )
        return outcomes.silent(disk)

    def _act(self, disk: str, attempt: int, at: datetime, fate: Fate) -> Made:
        assert not self.gone, "Tracked: a snapshot appears after its object is gone"
        others = [item for item in self.made if item.disk == disk]
        assert not others, "One: a second live snapshot of one disk"
        self.number += 1
        made = Made(
            id=f"snap-{self.number:08}",
            disk=disk,
            attempt=attempt,
            at=at,
            visible_after=fate.visible_after,
            creation=fate.creation,
            tagged=fate.tagged,
        )
        self.made.append(made)
        return made

    def _discard(self, snapshot_id: str) -> None:
        [made] = [item for item in self.made if item.id == snapshot_id]
        found = made.seen(self.now)
        assert found is not None
        assert found.complete, "the cloud refuses to delete what is in creation"
        assert made.tagged, "Ours: deleted without its tags"
        assert self.done.ready != "True" or self.deleting, "a Ready snapshot is deleted"
        self.made.remove(made)

    def _drop(self) -> None:
        assert not self.flying, "Tracked: the object goes while a request may still act"
        self.finalizer = False
        if not self.deleting:
            kept = self.done.ready == "True" and self.policy == "Retain"
            assert kept or not self.made, "Tracked: nobody would delete this any more"
            return
        if self.policy == "Delete":
            left = [item for item in self.made if item.tagged]
            assert not left, "Tracked: the object goes and leaves what it should delete"
        self.gone = True

    def _looked(self) -> steps.Seen:
        found = [one for one in (item.seen(self.now) for item in self.made) if one]
        assert self.done.intent is not None
        ids = [item.id for item in found]
        noted = self.memory.look_up(UID, self.done.intent.nonce, ids, self.now)
        return steps.Seen(
            snapshots=tuple(found), looked=True, absent_since=noted.since, listed=noted.listed
        )

    def _followed(self) -> steps.Seen:
        found = [one for one in (item.seen(self.now) for item in self.made) if one]
        present = {item.id for item in found}
        for wanted in self.done.snapshots.values():
            if wanted in present:
                self.absent.pop(wanted, None)
            else:
                self.absent.setdefault(wanted, self.now)
        absent = [self.absent[one] for one in self.done.snapshots.values() if one in self.absent]
        return steps.Seen(snapshots=tuple(found), absent_since=min(absent, default=None))
