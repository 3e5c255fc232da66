"""What the operator hears of databases (D1 to D6), and of pods and sessions (X1 to X6)."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from campaign.cases import FAILED, READY, WAITS, Case, losing
from campaign.points import ALWAYS, Act, Fault
from campaign.replies import TimedOut
from campaign.situation import FREEZER_POD, QUIESCE, RIGHT_POD
from campaign.window import WindowDied
from campaign.world import HOUR
from disksnapshot.window.hold import HoldError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from campaign.world import World

D = "D1-D6, X1-X6, holds, pods and sessions"
KINDS = ("Abort", "AllowCrashConsistent")
BEFORE_ANY_HOLD = (
    "MySQLUnreachable", "MySQLAccessDenied", "MySQLTLSFailed", "TooManyConnections",
    "LongStatement", "LockUnsuitable", "HoldBusy", "NoFreezerOnNode", "ExecForbidden",
)  # fmt: skip
AFTER_A_REHEARSAL = ("FreezeRefused", "FlushTooSlow")
IN_A_HOLD = ("LockTimeout", "HoldLost", "FreezeRefused", "MySQLUnreachable")
WINDOW = (
    "ready", "lock", "freeze", "CreateSnapshot", "DescribeSnapshots", "thaw", "unlock",
)  # fmt: skip


def cases() -> Iterator[Case]:
    """All of them."""
    yield from refusals()
    yield from in_a_hold()
    yield from losses()
    yield from pods()


def refusals() -> Iterator[Case]:
    """Before anything is held: it waits, and no writer notices."""
    for reason in (*BEFORE_ANY_HOLD, *AFTER_A_REHEARSAL):
        meet = _fails(reason)
        yield _case(f"not ready: {reason}, once", [("window ready", meet, 1)], cuts=1)
        ends = (FAILED,) if reason in AFTER_A_REHEARSAL else (WAITS,)
        always = [("window ready", meet, ALWAYS)]
        yield _case(f"not ready: {reason}, always", always, ends=ends, cuts=0)


def in_a_hold() -> Iterator[Case]:
    """A lock or a freeze is not granted: once, and three times, which is the end."""
    for policy in KINDS:
        for act in ("lock", "freeze"):
            for reason in IN_A_HOLD:
                name, meet = f"window {act}", _fails(reason, touching=True)
                said = f"{act} fails: {reason}"
                yield _case(f"{said}, once, {policy}", [(name, meet, 1)], policy, cuts=1)
                # Abort: what could not be held is not cut.
                ends, cuts = ((FAILED,), 0) if policy == "Abort" else ((READY,), 1)
                always = [(name, meet, ALWAYS)]
                yield _case(f"{said}, always, {policy}", always, policy, ends, cuts)


def losses() -> Iterator[Case]:
    """D1, D4, D5, X4: a hold ends on the way, or its proof does not come; the window dies."""
    for policy in KINDS:
        for act in WINDOW[2:]:
            name = f"window {act}"
            yield _case(f"the holds end before {act}, {policy}", [(name, "lose", 1)], policy)
        for act in ("thaw", "unlock"):
            name, meet = f"window {act}", _silent
            yield _case(f"no answer to {act}, {policy}", [(name, meet, 1)], policy)
            yield _case(f"no answer to {act}, refused, {policy}", [(name, _refused, 1)], policy)
        for act in WINDOW:
            for when, dies in (("before", _die), ("after", _die_after)):
                said = f"the window is killed {when} {act}, {policy}"
                yield _case(said, [(f"window {act}", dies, 1)], policy)


def pods() -> Iterator[Case]:
    """X1, X2: the pod is another one than it was, is not ready, or is none."""
    ways: Mapping[str, Callable[[World], None]] = {
        "is gone": lambda w: w.server.remove(RIGHT_POD),
        "is not Ready": _with_status(conditions=[]),
        "has ended": _with_status(phase="Succeeded"),
        "is going": _with_metadata(deletionTimestamp="2026-03-01T12:00:00Z"),
        "has no address": _with_status(podIP=""),
        "says it is the metadata service": _with_status(podIP="169.254.0.23"),
        "says it is this host": _with_status(podIP="127.0.0.1"),
        "has a Ready namesake": _doubled,
        "is on its node's network": _with_spec(hostNetwork=True),
        "is on a node without a freezer": _with_spec(nodeName="node-9"),
    }
    for said, way in ways.items():
        for number in range(3):
            yield _moved(said, way, number)
    yield _case("the freezer's pod is gone", [("GET pods", "no freezer", 1)])


def _moved(said: str, way: Callable[[World], None], number: int) -> Case:
    """It is so from one of the three listings of pods on, for ten minutes; then it is back."""

    def arrange(world: World) -> list[Fault]:
        before = copy.deepcopy(world.server.objects[RIGHT_POD])

        def meet(act: Act) -> object:
            way(world)
            end = world.clock.seconds + 600
            world.clock.alarm(600)

            def restore() -> None:
                if world.clock.seconds >= end:
                    world.server.remove(f"{RIGHT_POD}-b")
                    world.server.objects[RIGHT_POD] = before

            world.clock.passing.append(restore)
            return act()

        return [Fault(meet=meet, named="GET pods", skips=number)]

    return Case(
        name=f"the pod {said} from listing {number + 1} on, for ten minutes", family=D,
        arrange=arrange, spec={"deletionPolicy": "Delete"},
    )  # fmt: skip


def _with_status(**differing: Any) -> Callable[[World], None]:
    return lambda world: _change(world, "status", differing)


def _with_spec(**differing: Any) -> Callable[[World], None]:
    return lambda world: _change(world, "spec", differing)


def _with_metadata(**differing: Any) -> Callable[[World], None]:
    return lambda world: _change(world, "metadata", differing)


def _change(world: World, part: str, differing: Mapping[str, Any]) -> None:
    changed = copy.deepcopy(world.server.objects[RIGHT_POD])
    changed[part] |= differing
    world.server.objects[RIGHT_POD] = changed


def _doubled(world: World) -> None:
    other = copy.deepcopy(world.server.objects[RIGHT_POD])
    other["metadata"] |= {"name": "mysql-0-b", "uid": "uid-mysql-0-b"}
    world.server.objects[f"{RIGHT_POD}-b"] = other


def _fails(reason: str, *, touching: bool = False) -> Callable[[Act], object]:
    def meet(act: Act) -> object:
        if touching:
            act()
        raise HoldError(reason, f"it says {reason}")

    return meet


def _silent(_: Act) -> object:
    raise TimedOut("no answer in time")


def _refused(_: Act) -> object:
    raise HoldError("HoldLost", "the session is gone")


def _die(_: Act) -> object:
    raise WindowDied


def _die_after(act: Act) -> object:
    act()
    raise WindowDied


def _case(
    name: str, faults: list[tuple[str, Any, int]], policy: str = "Abort",
    ends: tuple[str, ...] = (READY,), cuts: int = 2,
) -> Case:  # fmt: skip
    def arrange(world: World) -> list[Fault]:
        def no_freezer(act: Act) -> object:
            freezer = world.server.objects.pop(FREEZER_POD)

            def restore() -> None:
                world.server.objects[FREEZER_POD] = freezer

            world.clock.passing.append(restore)
            return act()

        known = {"lose": losing(world), "no freezer": no_freezer}
        return [
            Fault(meet=known[meet] if isinstance(meet, str) else meet, named=at, times=times)
            for at, meet, times in faults
        ]

    quiesce = {**QUIESCE, "failurePolicy": policy}
    return Case(
        name=name, family=D, arrange=arrange, ends=ends, cuts=cuts, seconds=HOUR,
        spec={"deletionPolicy": "Delete", "quiesce": quiesce},
    )  # fmt: skip
