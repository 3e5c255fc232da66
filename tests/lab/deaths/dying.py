"""Bring one death about in the middle of a hold, and see what becomes of everything."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from lab.cluster.errors import LabError
from lab.cluster.waiting import until
from lab.deaths.catalogue import Death
from lab.deaths.outcome import Outcome, Seen
from lab.deaths.scene import MAX_HOLD_SECONDS, Scene, until_answering
from lab.deaths.watching import Watch, still_held
from lab.demo import stage, taken
from lab.demo.load import Pause, longest_pause
from lab.demo.shop import condition, is_ready, word

_SECONDS_TO_END = 120.0


def die(scene: Scene, death: Death, look: Callable[[str], None] = lambda _: None) -> Outcome:
    """Reach the moment, strike, watch until nothing is held, mend, and wait for the end.

    `look` is called with the object's name once it is at its end and before it is removed.
    """
    if not death.writes:
        scene.load.stop()
    with Watch(scene.lab, scene.database) as watch:
        with death.moment(scene, watch) as hold:
            at_strike, struck = watch.samples[-1], time.time_ns()
            death.strike(hold)
            freed = watch.until_free(struck, seconds=30)
            scene = death.mend(hold)
        pauses = _pauses(scene, death, struck)
    # What a look can't see, a write that is blocked feels.
    blocked = [p.ended for p in pauses if p.begun < struck and death.database_lives]
    seen = Seen(
        struck=struck,
        held_at_strike=at_strike,
        freed=max([freed, *blocked]),
        pauses=pauses,
        samples=watch.samples,
    )
    try:
        outcome = _outcome(scene, death, hold.name, seen)
        look(hold.name)
    finally:
        _clean_up(scene, hold.name)
    return outcome


def _pauses(scene: Scene, death: Death, struck: int) -> list[Pause]:
    if not death.writes:
        # Written to only now: the disk was mounted anew and has to be writable.
        until_answering(scene.load.server)
        scene.load.start()
        scene.load.wait_for_rows(20)
        return []
    # As many rows as show that writing goes on, not only that what was blocked has ended.
    scene.load.wait_for_rows(20, since=time.time_ns(), seconds=60)
    return [longest_pause(ledger, struck, time.time_ns()) for ledger in scene.load.read()]


def _outcome(scene: Scene, death: Death, name: str, seen: Seen) -> Outcome:
    end = _end(scene, death, name)
    ready = condition(end, "Ready")
    quiesce = end["spec"]["quiesce"]
    return Outcome(
        death=death,
        database=scene.database,
        hold_seconds=quiesce.get("maxHoldSeconds", MAX_HOLD_SECONDS),
        seen=seen,
        acknowledged={
            str(ledger.writer): sorted(ledger.acknowledged.values())
            for ledger in scene.load.read()
        },
        still_held=still_held(scene.lab, scene.database, scene.mount),
        snapshots=_snapshots(scene, end),
        end=word(end),
        message=str(ready.get("message", "")),
    )


def _end(scene: Scene, death: Death, name: str) -> dict[str, Any]:
    """Wait until the object is Ready, or says one of the reasons that the death may have."""
    seen: dict[str, Any] = {}

    def ended() -> bool:
        seen.update(scene.get(name))
        return is_ready(seen) or word(seen) in death.ends

    until(ended, f"{name} after the death of {death.who}", seconds=_SECONDS_TO_END)
    return seen


def _snapshots(scene: Scene, end: dict[str, Any]) -> int:
    """Count what the cloud holds; of an attempt that failed, once the operator has deleted it."""

    def count() -> int:
        return len(taken.in_the_cloud(scene.lab, end["metadata"]["uid"]))

    if not is_ready(end):
        with suppress(LabError):  # what is left then is counted
            until(lambda: count() == 0, "No snapshot of a failed attempt", seconds=30)
    return count()


def _clean_up(scene: Scene, name: str) -> None:
    """Remove the object, so that no later attempt of it meets the next death."""
    scene.lab.cbs.clear_faults()
    uid = scene.get(name)["metadata"]["uid"]
    scene.kubectl("delete", "dsnap", name, "--wait=false")
    scene.release(name)
    for snapshot in taken.in_the_cloud(scene.lab, uid):
        scene.lab.cbs.vanish(snapshot["id"])
    where = ("-n", stage.OPERATOR_NAMESPACE, "rollout", "status", "--timeout=120s")
    scene.lab.kubectl(*where, stage.DEPLOYMENT)
    freezers = ("-n", stage.FREEZER_NAMESPACE, "rollout", "status", "--timeout=120s")
    scene.lab.kubectl(*freezers, "daemonset", "-l", "app.kubernetes.io/component=freezer")
