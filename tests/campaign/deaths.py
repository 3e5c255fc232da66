"""Kills, stops and pairs of kills at every numbered effect of a life without a fault."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from campaign.cases import FAILED, READY, Case, just_before, run
from campaign.points import Fault, kill_after, kill_before
from campaign.situation import ARCHIVE, LOGS, QUIESCE
from campaign.workload import OFFLINE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from campaign.world import World

POLICIES = ("Delete", "Retain")
SETS, COMMANDS, COLD = "two claims", "by commands", "not mounted"
MYSQL, FREEZE = QUIESCE["steps"]
EXEC = {"exec": {"acquire": ["hold"], "release": ["let-go"], "timeoutSeconds": 1}}
LIVES: dict[str, dict[str, Any]] = {
    **{policy: {"deletionPolicy": policy} for policy in POLICIES},
    "offline": {"deletionPolicy": "Delete", "quiesce": None, "offline": OFFLINE},
    "expiring": {"deletionPolicy": "Retain", "expireAfterSeconds": 86400},
    SETS: {
        "deletionPolicy": "Delete",
        "source": {"claims": [{"name": "data-orders"}, {"name": LOGS}]},
    },
    "synced": {
        "deletionPolicy": "Retain",
        "quiesce": {**QUIESCE, "steps": [MYSQL, {"sync": {"method": "Agent"}}]},
    },
    COMMANDS: {"deletionPolicy": "Delete", "quiesce": {**QUIESCE, "steps": [EXEC, FREEZE]}},
    "accepted": {"deletionPolicy": "Delete", "quiesce": {**QUIESCE, "releaseWhen": "Accepted"}},
    COLD: {
        "deletionPolicy": "Retain",
        "source": {"claims": [{"name": ARCHIVE}]},
        "whenNotMounted": "Snapshot",
        "quiesce": {**QUIESCE, "steps": [FREEZE]},
    },
}
CALLED = {COLD: "FilesystemConsistent"}  # as nobody could write; the others hold a program too
STOP_SECONDS = 600.0  # past every deadline: of a hold, of a request, of its lag
RECOVERY = 14  # so many effects of a recovery are killed at, in turn
OTHERS_STEP = 4  # of the longer lives, each fourth of those


@cache
def recorded(policy: str) -> tuple[str, ...]:
    """Return the effects of a life that no fault befalls; they are the campaign's points."""
    return tuple(run(_unharmed(policy)).effects)


def unharmed() -> Iterator[Case]:
    """No fault at all: what is recorded must itself be right."""
    yield from map(_unharmed, LIVES)


def _unharmed(policy: str) -> Case:
    return Case(
        name=f"no fault befalls it, {policy}",
        family="nothing",
        arrange=lambda _: [Fault(meet=lambda act: act(), number=0)],
        called=CALLED.get(
            policy, "ApplicationConsistent"
        ),  # a build that never proves anything lies about nothing
        spec=LIVES[policy],
    )


def kills() -> Iterator[Case]:
    for life in LIVES:
        for number, name in enumerate(recorded(life)):
            yield _killed(life, number, name, before=True)
            yield _killed(life, number, name)


def _killed(life: str, number: int, name: str, *, before: bool = False) -> Case:
    meet, when = (kill_before, "before") if before else (kill_after, "after")
    return Case(
        name=f"killed {when} effect {number}, {name}, {life}",
        family="killed before or after an effect",
        arrange=lambda _: [Fault(meet=meet, number=number)],
        ends=_ends(life, name),
        # Between two disks: a snapshot of one of them is no snapshot of the object.
        cuts=2 if life == SETS and name == "window CreateSnapshot" else 1,
        spec=LIVES[life],
    )


def _ends(life: str, name: str) -> tuple[str, ...]:
    """A workload goes to zero once: if no cut comes of the attempt then, that is the end."""
    in_the_attempt = name.startswith("window") or name == "PATCH status"
    return (READY, FAILED) if life == "offline" and in_the_attempt else (READY,)


def stops() -> Iterator[Case]:
    """Nothing of it runs for ten minutes, and then it goes on where it was."""
    for life, spec in LIVES.items():
        for number, name in enumerate(recorded(life)):
            yield Case(
                name=f"stopped before effect {number}, {name}, {life}",
                family="stopped past every deadline",
                arrange=just_before(number, lambda world: world.stop(STOP_SECONDS)),
                cuts=2 if name.startswith("window") or _proves(life, name) else 1,
                ends=(READY, FAILED) if life == "offline" else (READY,),
                spec=spec,
            )


def _proves(life: str, name: str) -> bool:
    """What no pod mounts was still if its disk is, when it is looked at after the cut."""
    return life == COLD and name == "DescribeDisks"


def pairs() -> Iterator[Case]:
    """The second kill comes at an effect of the recovery from the first."""
    for life in LIVES:
        step = 1 if life in POLICIES else OTHERS_STEP
        for number, name in enumerate(recorded(life)):
            # The effects after the first kill are those of this recovery, however long it is.
            recovery = len(run(_killed(life, number, name)).effects) - number - 1
            for later in range(0, min(RECOVERY, recovery), step):
                yield _pair(life, number, name, later)


def _pair(life: str, number: int, name: str, later: int) -> Case:
    def arrange(_: World) -> list[Fault]:
        second = Fault(meet=kill_after, number=number + 1 + later)
        return [Fault(meet=kill_after, number=number), second]

    return Case(
        name=f"killed after effect {number}, {name}, and {later} effects later, {life}",
        family="killed twice in one recovery",
        arrange=arrange,
        ends=(READY, FAILED) if life == "offline" else (READY,),
        cuts=3 if life == SETS else 1,
        spec=LIVES[life],
    )
