"""Its time is edited (L2): longer, for ever, or given at all; the cloud's own deadline follows."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from campaign import situation
from campaign.cases import READY, Case, just_before
from campaign.deaths import LIVES, recorded
from campaign.situation import SUBJECT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from campaign.world import World

L2 = "L2, edits of how long it is kept"
EXPIRING, RETAIN = "expiring", "Retain"
DAY = 86400
RETIRED = "PATCH status"  # the last but one of an expiring life: Ready is taken off


def cases() -> Iterator[Case]:
    """At each effect as long as it is, or may become, Ready."""
    effects = recorded(EXPIRING)
    retired = effects.index(RETIRED, effects.index("POST events"))
    for said, seconds in (("is lengthened", 4 * DAY), ("is taken away", None)):
        for number, name in enumerate(effects[: retired + 1]):
            yield _edited(f"its time {said} at effect {number}, {name}", number, seconds, EXPIRING)
    effects = recorded(RETAIN)
    for number, name in enumerate(effects[: effects.index("POST events") + 1]):
        yield _edited(f"its time is given at effect {number}, {name}", number, DAY, RETAIN)


def _edited(name: str, number: int, seconds: int | None, life: str) -> Case:
    deed = partial(_edit, seconds=seconds)
    return Case(
        name=f"{name}, {life}", family=L2, arrange=just_before(number, deed), ends=(READY,),
        cuts=1, wide=True, spec=LIVES[life], asks=partial(_asks, seconds=seconds),
    )  # fmt: skip


def _edit(world: World, *, seconds: int | None) -> None:
    world.server.edit(situation.path(SUBJECT), expireAfterSeconds=seconds)


def _asks(world: World, *, seconds: int | None) -> Iterator[tuple[str, str]]:
    """Ask whether the cloud was told to end what is to be kept for ever."""
    for one in world.cloud.made:
        if one.disk_id in world.disks and seconds is None and one.deadline is not None:
            yield "True", f"{one.id} is to be kept, and the cloud ends it by its deadline"
