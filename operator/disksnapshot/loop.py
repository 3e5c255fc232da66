"""Observe, decide, perform: the one loop that moves a DiskSnapshot on."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, assert_never

from disksnapshot import naming
from disksnapshot.errors import Conflict, Gone, Problem, Unavailable
from disksnapshot.kube.events import claim_subject, snapshot_subject
from disksnapshot.reasons import REMEDIES, Reason
from disksnapshot.snapshot import capture, plan, spec, status
from disksnapshot.snapshot.proof import ADOPTED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from disksnapshot.cbs.client import Cloud
    from disksnapshot.cbs.poller import Poller
    from disksnapshot.kube.api import Api
    from disksnapshot.kube.events import Events
    from disksnapshot.kube.objects import Objects
    from disksnapshot.snapshot.capture import Captures, Result
    from disksnapshot.snapshot.spec import Ask
    from disksnapshot.snapshot.status import Done, Draft

AGAIN = timedelta(0)
SOON = timedelta(seconds=1)
SHORTEST_RETRY, LONGEST_RETRY = timedelta(seconds=5), timedelta(seconds=60)
PROGRESS_PAUSE = timedelta(seconds=30)
PROGRESS_STEP = 25
CAPTURES = 48  # at once, so that some threads are always left for everything else
NOT_A_FAILURE = frozenset(
    {
        Reason.PENDING,
        Reason.PREPARING,
        Reason.HOLDING,
        Reason.CREATING,
        Reason.READY,
        Reason.DELETING,
    }
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Key:
    """The object to look at."""

    namespace: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """One look at an object: what is asked, what is done, and the object itself."""

    body: Mapping[str, Any]
    ask: Ask
    done: Done
    now: datetime

    @property
    def draft(self) -> Draft:
        """The next status, to be filled in."""
        return status.Draft(self.body.get("status", {}), self.ask, self.now)


class Memory:
    """What is known of objects between two looks, and may be lost."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._absent: dict[str, datetime] = {}
        self._results: dict[str, Result] = {}
        self._progress: dict[str, datetime] = {}

    def absent(self, uid: str, *, nothing: bool, now: datetime) -> datetime | None:
        """Note a look-up; return since when look-ups have found nothing."""
        with self._lock:
            if not nothing:
                self._absent.pop(uid, None)
                return None
            return self._absent.setdefault(uid, now)

    def keep(self, uid: str, result: Result) -> None:
        """Keep what an attempt came to until the API server has it."""
        with self._lock:
            self._results[uid] = result

    def result(self, uid: str) -> Result | None:
        """Return what still has to be recorded."""
        with self._lock:
            return self._results.get(uid)

    def recorded(self, uid: str) -> None:
        """Forget a result that the API server has, or that is no longer ours to write."""
        with self._lock:
            self._results.pop(uid, None)

    def may_report(self, uid: str, now: datetime) -> bool:
        """Tell whether progress may be written again, and note that it is."""
        with self._lock:
            last = self._progress.get(uid)
            if last and now - last < PROGRESS_PAUSE:
                return False
            self._progress[uid] = now
            return True

    def forget(self, uid: str) -> None:
        """Drop everything about an object that is gone."""
        with self._lock:
            for known in (self._absent, self._results, self._progress):
                known.pop(uid, None)


class Loop:
    """Does one step of one object at a time; says when to look again, None for not by itself."""

    def __init__(
        self, api: Api, objects: Objects, events: Events, cloud: Cloud, poller: Poller[Key],
        captures: Captures, cluster_id: str,
    ) -> None:  # fmt: skip
        self._api = api
        self._objects = objects
        self._events = events
        self._cloud = cloud
        self._poller = poller
        self._captures = captures
        self._cluster_id = cluster_id
        self._memory = Memory()
        self._slots = threading.BoundedSemaphore(CAPTURES)

    def look(self, key: Key) -> timedelta | None:
        """Read the object, decide, perform."""
        try:
            return self._step(key)
        except Gone:
            return None
        except Conflict as conflict:
            logger.info("%s/%s: %s; looking again", key.namespace, key.name, conflict)
            return SOON
        except Unavailable as error:
            logger.warning("%s/%s: %s", key.namespace, key.name, error)
            return SHORTEST_RETRY

    def _step(self, key: Key) -> timedelta | None:
        body = self._objects.read(key.namespace, key.name)
        now = datetime.now(UTC)
        done = status.parse(body.get("status", {}))
        try:
            ask = spec.parse(body)
        except Problem as problem:
            logger.warning("%s/%s: %s", key.namespace, key.name, problem)
            return None
        sight = Sight(body=body, ask=ask, done=done, now=now)
        result = self._memory.result(ask.uid)
        if result:
            return self._record(sight, result)
        step = plan.next_step(ask, done, self._seen(sight), now)
        if isinstance(step, plan.LookUp):
            step = plan.next_step(ask, done, self._look_up(sight), now)
        return self._perform(sight, step)

    def _seen(self, sight: Sight) -> plan.Seen:
        """Return what the poller has seen of recorded snapshots."""
        done = sight.done
        if not done.recorded or done.finished or sight.ask.deleting or not done.consistency:
            return plan.Seen()
        key = Key(sight.ask.namespace, sight.ask.name)
        views = self._poller.follow(done.snapshots.values(), key)
        found = tuple(
            plan.Found(
                id=view.snapshot.id,
                disk_id=view.snapshot.disk_id,
                attempt=done.intent.attempt if done.intent else 0,
                state=view.snapshot.state,
                percent=view.snapshot.percent,
                ours=False,
            )
            for view in views.values()
            if view.snapshot
        )
        absent = [view.absent_since for view in views.values() if view.absent_since]
        return plan.Seen(snapshots=found, absent_since=min(absent, default=None))

    def _look_up(self, sight: Sight) -> plan.Seen:
        """Ask the cloud for every snapshot of this object on the disks of its intent."""
        ask, intent = sight.ask, sight.done.intent
        found = []
        for disk_id in intent.disk_ids if intent else ():
            for snapshot in self._cloud.snapshots_of(disk_id):
                attempt = naming.attempt_of(snapshot.tags, snapshot.name, ask.uid)
                if attempt is not None and snapshot.disk_id == disk_id:
                    ours = naming.has_tags_of(snapshot.tags, self._cluster_id, ask.uid)
                    found.append(
                        plan.Found(
                            id=snapshot.id,
                            disk_id=disk_id,
                            attempt=attempt,
                            state=snapshot.state,
                            percent=snapshot.percent,
                            ours=ours,
                        )
                    )
        absent_since = self._memory.absent(ask.uid, nothing=not found, now=sight.now)
        return plan.Seen(snapshots=tuple(found), looked=True, absent_since=absent_since)

    def _perform(self, sight: Sight, step: plan.Step) -> timedelta | None:  # noqa: C901, PLR0911 - one case a step
        match step:
            case plan.Rest() | plan.LookUp():
                self._poller.forget(sight.done.snapshots.values())
                return None
            case plan.Wait(until, reason, message):
                if (reason, message) != (sight.done.reason, sight.done.message):
                    self._write(sight, sight.draft.waiting(reason, message, until))
                return until - sight.now
            case plan.Capture(attempt):
                return self._capture(sight, attempt)
            case plan.Adopt(snapshots):
                draft = sight.draft.record(snapshots).call_it(ADOPTED)
                message = "found in the cloud after its answer was lost; what it holds is unknown"
                self._write(sight, draft.waiting(Reason.CREATING, message))
                return AGAIN
            case plan.Settle(reason, message):
                retry = sight.now + capture.RETRY_PAUSE
                self._write(sight, sight.draft.settle().waiting(reason, message, retry))
                return capture.RETRY_PAUSE
            case plan.Discard(snapshot_id, _):
                logger.info("%s: deleting %s", sight.ask.label, snapshot_id)
                self._cloud.delete(snapshot_id)
                return SOON
            case plan.Follow(states):
                self._report(sight, states)
                return None  # the poller says when something changes
            case plan.Finish(states):
                self._finish(sight, states)
                return None
            case plan.Fail(reason, message):
                self._write(sight, sight.draft.failed(reason, message))
                return None
            case plan.DropFinalizer():
                self._objects.drop_finalizer(sight.body)
                self._poller.forget(sight.done.snapshots.values())
                self._memory.forget(sight.ask.uid)
                return None
            case _:
                assert_never(step)

    def _capture(self, sight: Sight, attempt: int) -> timedelta | None:
        body = sight.body
        if not sight.done.seen:
            draft = sight.draft.waiting(Reason.PREPARING, "looking up claims, disks and pods")
            body = self._objects.write_status(body, draft.body)
        if not self._slots.acquire(blocking=False):
            return SOON
        try:
            result = self._captures.run(body, attempt)
        except Problem as problem:
            return self._problem(sight, body, problem)
        finally:
            self._slots.release()
        self._memory.keep(sight.ask.uid, result)
        # At once, in this turn: the operator may be stopping, and no other turn may come.
        return self._step(Key(sight.ask.namespace, sight.ask.name))

    def _problem(
        self, sight: Sight, body: Mapping[str, Any], problem: Problem
    ) -> timedelta | None:
        """Nothing was touched: say what is missing, and try again ever more slowly."""
        sight = Sight(
            body=body,
            ask=sight.ask,
            done=status.parse(body.get("status", {})),
            now=datetime.now(UTC),
        )
        if problem.final:
            self._write(sight, sight.draft.failed(problem.reason, str(problem)))
            return None
        failing_for = sight.now - (sight.done.since or sight.now)
        pause = min(max(failing_for, SHORTEST_RETRY), LONGEST_RETRY)
        draft = sight.draft.waiting(problem.reason, str(problem), sight.now + pause)
        self._write(sight, draft)
        return pause

    def _record(self, sight: Sight, result: Result) -> timedelta | None:
        intent = sight.done.intent
        if intent is None or intent.nonce != result.nonce or intent.state != status.OPEN:
            self._memory.recorded(sight.ask.uid)
            return AGAIN
        draft = capture.judge(sight.draft, sight.ask, result, sight.now)
        self._objects.record(sight.body, draft.body)
        self._memory.recorded(sight.ask.uid)
        self._tell(sight, draft)
        return AGAIN

    def _finish(self, sight: Sight, states: Mapping[str, tuple[str, int]]) -> None:
        words = sight.body.get("status", {}).get("consistency", "")
        names = ", ".join(sight.done.snapshots.values())
        message = f"{names} is complete and {words}"
        draft = sight.draft.progress(states).ready(message)
        self._write(sight, draft)
        self._poller.forget(sight.done.snapshots.values())
        self._post(sight, "Normal", "SnapshotReady", message)

    def _report(self, sight: Sight, states: Mapping[str, tuple[str, int]]) -> None:
        percent = min((percent for _, percent in states.values()), default=0)
        quarter = percent // PROGRESS_STEP > sight.done.percent // PROGRESS_STEP
        if quarter and self._memory.may_report(sight.ask.uid, sight.now):
            self._objects.write_status(sight.body, sight.draft.progress(states).body)

    def _write(self, sight: Sight, draft: Draft) -> None:
        self._objects.write_status(sight.body, draft.body)
        self._tell(sight, draft)

    def _tell(self, sight: Sight, draft: Draft) -> None:
        """Log each change of the reason, and warn of a failure where people look."""
        now = status.parse(draft.body)
        if now.reason == sight.done.reason:
            return
        logger.info("%s: %s: %s", sight.ask.label, now.reason, now.message)
        if now.reason not in NOT_A_FAILURE:
            remedy = next((text for reason, text in REMEDIES.items() if reason == now.reason), "")
            self._post(sight, "Warning", now.reason, f"{now.message}. {remedy}")

    def _post(self, sight: Sight, kind: str, reason: str, message: str) -> None:
        ask = sight.ask
        subject = snapshot_subject(ask.namespace, ask.name, ask.uid)
        self._events.post(subject, kind, reason, message)
        for name in ask.claims:
            try:
                path = f"/api/v1/namespaces/{ask.namespace}/persistentvolumeclaims/{name}"
                uid = self._api.get(path)["metadata"]["uid"]
            except (Gone, Unavailable):
                continue
            subject = claim_subject(ask.namespace, name, uid)
            self._events.post(subject, kind, reason, f"DiskSnapshot {ask.name}: {message}")
