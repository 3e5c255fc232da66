"""An object of great size (K8): by others' annotations and conditions, up to what etcd takes."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

from campaign import situation
from campaign.cases import READY, Case, just_before
from campaign.deaths import POLICIES, recorded
from campaign.points import Act, Fault
from campaign.replies import answered
from campaign.situation import SUBJECT
from campaign.wire import Reply
from campaign.world import HOUR
from disksnapshot.window.hold import HoldError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from campaign.cases import Arrange
    from campaign.replies import Meet
    from campaign.world import World

K8 = "K8, an object of great size"
PATH = situation.path(SUBJECT)
WRITE = "PATCH status"  # the first writes the intent, the second records what came of it
OF_A_HOLD = tuple(f"window {act}" for act in ("ready", "lock", "freeze", "thaw", "unlock"))
TEN_MINUTES = 600.0
# What the API server takes of both: 256 KiB of annotations, and as many conditions as the list has
# room for beside ours.
ANNOTATIONS = {f"example.org/note-{number}": "x" * 1200 for number in range(200)}
CONDITIONS = [
    {
        "type": f"example.org/Aspect{number}", "status": "True", "reason": "Long",
        "message": "x" * 32_000, "observedGeneration": 1,
        "lastTransitionTime": "2026-03-01T12:00:00Z",
    }
    for number in range(9)
]  # fmt: skip


def cases() -> Iterator[Case]:
    """All of them."""
    yield from complaints()
    yield from sizes()


def sizes() -> Iterator[Case]:
    """At each effect it grows; and at each it is as large as it may be, for ten minutes."""
    for policy in POLICIES:
        effects = recorded(policy)
        record = effects.index(WRITE, effects.index(WRITE) + 1)
        for number, name in enumerate(effects[:-1]):
            at = f"effect {number}, {name}, {policy}"
            grows = just_before(number, _grow)
            # The record of a proof waits for nobody: it wins over a status written since the read.
            asks = _asks_notes if number == record else _asks
            yield _case(f"others write 500 KB into it at {at}", grows, policy, asks=asks)
            full = just_before(number, _fill)
            yield _case(f"it may not grow for ten minutes from {at}", full, policy)


def complaints() -> Iterator[Case]:
    """Somebody's message is endless, wherever it comes from; the status says its beginning."""
    endless = "it complains. " * 8000

    def hold(_: Act) -> object:
        raise HoldError("HoldLost", endless)

    said = {"kind": "Status", "message": endless, "code": 403}
    refusal = answered(Reply.of(said, 403))
    for number, name in enumerate(recorded("Delete")):
        at = f"an endless complaint at effect {number}, {name}"
        if name.startswith(OF_A_HOLD):
            yield _case(at, _met(number, hold), "Delete", cuts=2)
        elif name.startswith(("GET", "POST")):
            yield _case(at, _met(number, refusal), "Delete")


def _met(number: int, meet: Meet) -> Arrange:
    return lambda _: [Fault(meet=meet, number=number)]


def _grow(world: World) -> None:
    body = copy.deepcopy(world.server.objects[PATH])
    body["metadata"]["annotations"] = dict(ANNOTATIONS)
    body.setdefault("status", {}).setdefault("conditions", []).extend(copy.deepcopy(CONDITIONS))
    world.server.put(PATH, body)


def _fill(world: World) -> None:
    world.server.limit = len(json.dumps(world.server.objects[PATH]))
    ends = world.clock.seconds + TEN_MINUTES
    world.clock.alarm(TEN_MINUTES)

    def make_room() -> None:
        if world.clock.seconds >= ends:
            world.server.limit = None

    world.clock.passing.append(make_room)


def _asks(world: World) -> Iterator[tuple[str, str]]:
    """Ask whether all of it was there to the end, as others had written it."""
    yield from _asks_notes(world)
    conditions = world.server.before[PATH]["status"]["conditions"]
    if [one for one in conditions if "/" in one["type"]] != CONDITIONS:
        yield "Ours", "conditions of others were changed"


def _asks_notes(world: World) -> Iterator[tuple[str, str]]:
    if world.server.before[PATH]["metadata"].get("annotations") != ANNOTATIONS:
        yield "Ours", "annotations of others were lost"


def _case(name: str, arrange: Arrange, policy: str, **differing: Any) -> Case:
    return Case(
        name=name, family=K8, arrange=arrange, ends=(READY,), seconds=2 * HOUR, wide=True,
        spec={"deletionPolicy": policy}, **differing,
    )  # fmt: skip
