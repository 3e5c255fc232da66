"""How a workload goes to zero, or doesn't (offline): its pod, its disk, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from campaign.cases import FAILED, READY, Case
from campaign.deaths import LIVES
from campaign.points import noticed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from campaign.points import Fault
    from campaign.world import World

OFFLINE = "offline, a workload that goes slowly or badly"
LONG = 600.0  # twice what the user allows
KILLED_STATUS = 137


@dataclass(frozen=True, kw_only=True)
class Way:
    """How long each takes from zero on, in seconds, and the status with which its pod ends."""

    said: str
    ends: tuple[str, ...]
    pod: float = 3.0
    disk: float = 5.0
    driver: float = 5.0
    status: int = 0
    called: str = ""


WAYS = (
    Way(said="its pod never ends in time", ends=(FAILED,), pod=LONG, disk=LONG, driver=LONG),
    Way(said="its disk is never detached in time", ends=(FAILED,), disk=LONG, driver=LONG),
    Way(said="its VolumeAttachment never goes in time", ends=(FAILED,), driver=LONG),
    Way(said="its disk is detached late", ends=(READY,), disk=100.0, driver=100.0),
    Way(said="its VolumeAttachment goes late", ends=(READY,), driver=100.0),
    Way(
        said="its program was killed", ends=(READY,), status=KILLED_STATUS,
        called="FilesystemConsistent",
    ),
)  # fmt: skip


def cases() -> Iterator[Case]:
    """One a way; it shows when the operator looks at the pods."""
    for way in WAYS:

        def arrange(world: World, way: Way = way) -> list[Fault]:
            assert world.workload
            world.workload.ends, world.workload.detaches = way.pod, way.disk
            world.workload.released, world.workload.exit_code = way.driver, way.status
            return [noticed("GET pods")]

        yield Case(
            name=f"{way.said}, offline", family=OFFLINE, arrange=arrange, ends=way.ends,
            spec=LIVES["offline"], called=way.called, cuts=0 if way.ends == (FAILED,) else 1,
        )  # fmt: skip
