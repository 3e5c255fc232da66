"""What is lost of a status (K7): all of it, or one field, whoever has not kept it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from campaign import situation
from campaign.cases import FAILED, READY, Case, just_before, of_policy
from campaign.deaths import POLICIES, recorded
from campaign.situation import SUBJECT
from disksnapshot.snapshot import removal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from campaign.world import World

K7 = "K7, what is lost of a status"
PATH = situation.path(SUBJECT)
FIELDS = ("intent", "volumes", "conditions", "snapshotID", "consistency")
WRITE = "PATCH status"  # the first writes the intent, the second records what came of it


def cases() -> Iterator[Case]:
    """All of them."""
    yield from set_back()
    yield from fields()
    yield from vanished()


def set_back() -> Iterator[Case]:
    """When the cut is made, and the cloud has had time to list it, the status is lost."""
    effects = recorded("Retain")
    cut = effects.index("window CreateSnapshot")
    for number, name in enumerate(effects[cut + 1 : effects.index("POST events")], cut + 1):
        yield _case(
            f"K7 its status is set back at effect {number}, {name}, Retain",
            just_before(number, _set_back),
            (READY,),
            "Retain",
        )


def fields() -> Iterator[Case]:
    """At each effect from the intent on a field is gone."""
    ways: Mapping[str, Callable[[dict[str, Any]], object]] = {
        **{field: _without(field) for field in FIELDS},
        "the ids of its volumes": _without_ids,
        "its intent's nonce": lambda status: status.get("intent", {}).pop("nonce", None),
    }
    for field, lose in ways.items():
        for policy in POLICIES:
            effects = recorded(policy)
            for number in range(effects.index(WRITE) + 1, len(effects) - 1):
                yield _case(
                    f"K7 its status loses {field} at effect {number}, {effects[number]}, {policy}",
                    just_before(number, partial(_lose, lose)),
                    (READY,),
                    policy,
                )


def vanished() -> Iterator[Case]:
    """What was recorded is lost, and the snapshot too: no reason to hold writers again."""
    for field in ("intent", "volumes"):
        for policy in POLICIES:
            effects = recorded(policy)
            record = effects.index(WRITE, effects.index(WRITE) + 1)
            for number in range(record + 1, effects.index("POST events")):
                yield _case(
                    f"K7 its status loses {field}, and the cloud its snapshot, "
                    f"at effect {number}, {effects[number]}, {policy}",
                    just_before(number, partial(_vanish, _without(field))),
                    (FAILED,),
                    policy,
                )


def _vanish(lose: Callable[[dict[str, Any]], object], world: World) -> None:
    for one in tuple(world.cloud.made):
        if one.disk_id == situation.DISKS[SUBJECT]:
            world.cloud.vanish(one.id)
    _lose(lose, world)


def _set_back(world: World) -> None:
    world.stop(removal.LAG.total_seconds())
    world.server.change_status(PATH, dict.clear)


def _lose(lose: Callable[[dict[str, Any]], object], world: World) -> None:
    world.server.change_status(PATH, lose)


def _without(field: str) -> Callable[[dict[str, Any]], object]:
    return lambda status: status.pop(field, None)


def _without_ids(status: dict[str, Any]) -> None:
    for volume in status.get("volumes", ()):
        volume.pop("snapshotID", None)


_case = partial(of_policy, family=K7)
