"""A window in memory: it takes an order, holds the writers, sends the cut, lets go, and tells."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

from campaign import wire
from campaign.writers import kind_of
from disksnapshot.window.hold import (
    BEGUN_WITHIN_SECONDS,
    LOCK_BUDGET_SECONDS,
    DiskFacts,
    Facts,
    Go,
    HoldError,
    Order,
    Ready,
    Refusal,
    StepFacts,
)
from rules.outcomes import TIMES

if TYPE_CHECKING:
    from campaign.clock import Clock
    from campaign.cloud import Cloud
    from campaign.points import Tap
    from campaign.writers import Held, Writers

LOOK_UPS, LATER_SECONDS = 9, 2.0  # then ever more seldom, up to the bound
SILENCE_SECONDS = 2  # so long is a reply waited for
RESERVE_SECONDS = 0.4  # for letting go, before the first of the holds ends by itself
# How each kind of hold is taken, and how it lets go.
ACTS = {
    "mysql": ("lock", "unlock"), "freeze": ("freeze", "thaw"), "exec": ("acquire", "release"),
    "sync": ("sync", ""),
}  # fmt: skip


class Silence(Exception):  # noqa: N818 - it names what is, or is not, heard
    """No answer came, whatever was done."""


class WindowDied(Exception):  # noqa: N818 - it names what happened
    """The process that holds was killed; its holds end with its sessions."""


class Window:
    """What the operator converses with; each of its own effects is a numbered point too."""

    def __init__(
        self, order: Order, cloud: Cloud, writers: Writers, clock: Clock, tap: Tap
    ) -> None:
        self._order, self._cloud, self._writers = order, cloud, writers
        self._clock, self._tap = clock, tap
        self._ended = False  # its input: it shall let go
        self._look_ups = 0

    def ready(self, _seconds: float) -> Ready | Refusal:
        try:
            self._tap.effect("window ready", lambda: None)
        except HoldError as error:
            return Refusal(reason=error.reason, message=str(error))
        except WindowDied:
            self._ended = True
        if self._ended:
            return Refusal(reason="HoldLost", message="the window ended before it was ready")
        return Ready()

    def go(self, go: Go, _seconds: float) -> Facts | Refusal | None:
        if self._ended:  # it had closed everything, and nobody hears the order
            return None
        try:
            return self._hold(go)
        except WindowDied:
            return None
        finally:
            # However this ends: sessions end with their process, and every hold with its session.
            self._writers.lose()

    def let_go(self) -> None:
        """The end of its input: it cuts nothing more, looks for nothing more, and tells."""
        self._ended = True

    def _hold(self, go: Go) -> Facts:
        disks = [DiskFacts(disk_id=disk_id) for disk_id in self._order.disk_ids]
        held: list[tuple[StepFacts, Held]] = []
        if self._cloud.now() - go.signed > BEGUN_WITHIN_SECONDS:
            late = Refusal(reason="HoldLost", message="it could not be begun in time")
            return Facts(disks=disks, refusal=late)
        refusal, began = None, self._clock.seconds
        try:
            self._take_all(held, began)
        except HoldError as error:
            self._writers.lose()
            refusal = Refusal(reason=error.reason, message=str(error))
            if not self._order.cut_without_hold:
                return Facts(steps=[one for one, _ in held], disks=disks, refusal=refusal)
            held = []
        covered = self._cut(go, disks, began) and bool(held) and self._in_force(held)
        for facts, one in reversed(held):
            self._release(facts, one)
        return Facts(
            times=dict(TIMES) if held else {},
            steps=[facts for facts, _ in held],
            disks=disks,
            refusal=refusal,
            cut_while_held=covered,
            look_ups=self._look_ups,
        )

    def _take_all(self, held: list[tuple[StepFacts, Held]], began: float) -> None:
        """Take the holds in their order; those that were taken are told, whatever comes."""
        held.extend(self._take(step) for step in self._order.steps)
        if self._cut_ends(began) <= self._clock.seconds:
            raise HoldError("HoldLost", "the hold had reached its bound before the cut")

    def _take(self, step: Any) -> tuple[StepFacts, Held]:
        kind = kind_of(step)
        act, _ = ACTS[kind]
        first = step is self._order.steps[0]

        def take() -> Held:
            return self._writers.take(step, self._order, first=first)

        one = self._tap.effect(f"window {act}", take)
        return StepFacts(name=step.name, kind=kind, held=True), one

    def _release(self, facts: StepFacts, one: Held) -> None:
        _, act = ACTS[one.kind]
        if not act:  # it held nothing, so nothing is let go of
            facts.proven = self._writers.let_go(one)
            return
        try:
            facts.proven = self._tap.effect(f"window {act}", lambda: self._writers.let_go(one))
        except (HoldError, Silence) as error:
            facts.reason = str(error)
        if not facts.proven:
            facts.reason = facts.reason or "it had ended by itself"

    def _in_force(self, held: list[tuple[StepFacts, Held]]) -> bool:
        return all(one in self._writers.held for _, one in held)

    def _cut(self, go: Go, disks: list[DiskFacts], began: float) -> bool:
        """Cut unless it shall let go; tell whether each disk was, and it heard that in time.

        All requests are sent at once. What it doesn't wait for comes when it holds nothing.
        """
        if self._ended:
            return False
        for request, facts in zip(go.cuts, disks, strict=True):
            facts.sent = True
            try:
                _note(facts, self._call(request.payload))
            except Silence as silence:
                facts.message = str(silence)
                self._clock.advance(0.0 if self._ended else SILENCE_SECONDS)
        heard = not self._ended
        if heard and not any(facts.code for facts in disks):
            self._look(go, disks, began)
        return heard and all(one.snapshot_id for one in disks)

    def _call(self, payload: bytes) -> wire.Reply:
        headers, body = wire.sent_by_window(payload)
        name = f"window {headers['x-tc-action']}"
        reply: wire.Reply = self._tap.effect(name, lambda: self._cloud.answer(headers, body))
        return reply

    def _look(self, go: Go, disks: list[DiskFacts], began: float) -> None:
        """Look while it holds: until the cut is listed, or the bound is near."""
        names = dict(go.names)
        wants_listing = self._order.release_when == "Visible"
        for number in itertools.count():
            if all(d.visible or (d.snapshot_id and not wants_listing) for d in disks):
                return
            # For a request that may never have arrived, writers aren't kept any longer.
            late = number >= LOOK_UPS
            if late and not all(d.snapshot_id for d in disks):
                return
            left = self._cut_ends(began) - self._clock.seconds
            if self._ended or left <= 0:
                return
            for request in go.lookups:
                self._look_up(request.payload, disks, names)
            self._clock.advance(min(LATER_SECONDS, left) if late else 0.3)

    def _look_up(self, payload: bytes, disks: list[DiskFacts], names: dict[str, str]) -> None:
        self._look_ups += 1
        try:
            reply = self._call(payload)
        except Silence:
            return
        for one in _response(reply).get("SnapshotSet") or ():
            for facts in disks:
                same = one["DiskId"] == facts.disk_id
                if same and one["SnapshotName"] == names[facts.disk_id] and not facts.code:
                    facts.snapshot_id, facts.visible = one["SnapshotId"], True

    def _cut_ends(self, began: float) -> float:
        left = self._order.max_hold_seconds - LOCK_BUDGET_SECONDS
        return began + left - 1 - RESERVE_SECONDS if self._order.steps else began + left


def _note(facts: DiskFacts, reply: wire.Reply) -> None:
    answer = _response(reply)
    failure = answer.get("Error") or {}
    facts.request_id = str(answer.get("RequestId") or "")
    facts.snapshot_id = str(answer.get("SnapshotId") or "")
    facts.code, facts.message = failure.get("Code", ""), failure.get("Message", "")
    if not facts.snapshot_id and not facts.code:
        facts.message = f"HTTP {reply.status} without a snapshot id"


def _response(reply: wire.Reply) -> dict[str, Any]:
    try:
        said = json.loads(reply.body)["Response"]
    except (ValueError, KeyError, TypeError):
        return {}
    return said if isinstance(said, dict) else {}
