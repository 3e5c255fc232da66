"""Every decision that the model's operators make, put to the code's own rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from disksnapshot.snapshot import plan, removal, status, steps
from model import acting, deciding
from model.state import IDLE, LOOKING, RECORDED, Object, Snapshot, Step
from rules import situations

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from model.deciding import Seen
    from model.protocol import Protocol
    from model.state import World

# What the model's minutes stand for, as seconds after the signature: just after it, the last
# moment at which it is valid, the last at which its snapshot may be unlisted, and later.
AGES = (1, 300, 360, 361)
PAUSE, DAY = timedelta(seconds=10), timedelta(days=1)
WORDS: dict[type[steps.Step], Step] = {
    steps.Rest: deciding.REST,
    steps.LookUp: deciding.LOOK_UP,
    steps.Wait: deciding.WAIT,
    steps.Follow: deciding.WAIT,
    steps.Adopt: deciding.ADOPT,
    steps.Settle: deciding.SETTLE,
    steps.Finish: deciding.FINISH,
    steps.Fail: deciding.FAIL,
    steps.DropFinalizer: deciding.DROP,
    steps.GiveUp: deciding.DROP,  # and says what is left
    steps.AddFinalizer: deciding.MARK,
    steps.Retire: deciding.RETIRE,
    steps.Expire: deciding.EXPIRE,
}


class Decision(NamedTuple):
    """What an operator knows when it decides."""

    done: Object
    seen: Seen


def decisions(states: Iterable[World]) -> Iterator[Decision]:
    """Return what is known at every decision in these states."""
    for world in states:
        for operator in world.operators:
            if operator.at == LOOKING and operator.view:
                yield Decision(operator.view, acting.look(world, operator))
            elif operator.at == IDLE and world.object.exists and not operator.result:
                yield Decision(world.object, acting.swept(world, world.object))


def of_model(decision: Decision, protocol: Protocol) -> Step:
    """Return what the model decides; there, an unseen change of the percent is a wait."""
    return deciding.decide(protocol, decision.done, decision.seen)


def of_code(decision: Decision, protocol: Protocol) -> Step:
    """Return what the code decides, in the model's words."""
    done, disks = decision.done, situations.DISKS[: protocol.disks]
    ask = situations.ask(
        disks=disks,
        deleting=done.deleting,
        finalizer=done.finalizer,
        policy="Delete" if protocol.deletes else "Retain",
    )
    now, said = situations.after(AGES[done.age]), _done(done, disks)
    if done.expired:
        ask, now = replace(ask, expire_after=DAY), now + DAY
        said = replace(said, deadline=ask.deadline(said.signed))
    if decision.seen.lost:
        now += removal.LAG
    return _word(plan.next_step(ask, said, _seen(decision, now), now), decision)


def _done(done: Object, disks: tuple[str, ...]) -> status.Done:
    if not done.attempt:
        return situations.done(ready="False", stalled=done.failed)
    intent = situations.intent(done.state, attempt=done.attempt, disks=disks)
    recorded = done.state == RECORDED
    return situations.done(
        intent=intent,
        ready="True" if done.ready else "False",
        stalled=done.failed,
        consistency=done.claim,
        snapshots={d: situations.snapshot_of(d, done.attempt) for d in disks} if recorded else {},
    )


def _seen(decision: Decision, now: datetime) -> steps.Seen:
    seen, attempt = decision.seen, decision.done.attempt
    since = now - PAUSE if seen.twice else now if seen.looked else None
    if seen.lost:
        since = situations.after(0)
    return steps.Seen(
        snapshots=tuple(_found(item) for item in seen.snapshots),
        looked=seen.looked,
        absent_since=since,
        listed=frozenset(
            situations.snapshot_of(situations.DISKS[disk], attempt) for disk in seen.listed
        ),
    )


def _found(item: Snapshot) -> steps.Found:
    return situations.found(
        situations.DISKS[item.disk],
        attempt=item.attempt,
        state="NORMAL" if item.complete else "CREATING",
        percent=100 if item.complete else 7,
        ours=item.tagged,
    )


def _word(step: steps.Step, decision: Decision) -> Step:
    if isinstance(step, steps.Capture):
        return ("capture", step.attempt)
    if isinstance(step, steps.Discard):
        item = next(s for s in decision.seen.snapshots if _found(s).id == step.snapshot_id)
        return ("discard", item.attempt, item.disk)
    return WORDS[type(step)]
