"""Objects that go and leave snapshots: one orphan, and those whose snapshots nobody may delete.

One goes by force under Delete, which leaves the orphan; the others go as asked, given up, or
spared in the last moment.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from campaign import situation
from campaign.cloud import Made, disk
from campaign.situation import NAMESPACE
from campaign.world import HOUR
from disksnapshot.naming import GIVE_UP
from disksnapshot.reasons import Reason
from disksnapshot.sight import Key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from campaign.world import World

DAY = 24 * HOUR
TORN = Key(NAMESPACE, "torn")
RETAINED, SPARED, GIVEN_UP = (Key(NAMESPACE, name) for name in ("retained", "spared", "given-up"))
POLICIES = {TORN: "Delete", RETAINED: "Retain", SPARED: "Delete", GIVEN_UP: "Delete"}
UIDS = {key: f"{number}0000000-dddd-6789-abcd-ef0123456789" for number, key in enumerate(POLICIES)}
NEW_UID = "f0000000-dddd-6789-abcd-ef0123456789"  # of another object of the orphan's name


def make_anew(world: World) -> None:
    spec = {"deletionPolicy": "Delete"}
    world.server.put(situation.path(TORN), situation.snapshot(TORN, spec, NEW_UID))


def restore(world: World) -> None:
    [body] = [one for one in world.server.gone if one["metadata"]["uid"] == UIDS[TORN]][:1]
    body = copy.deepcopy(body)
    del body["metadata"]["deletionTimestamp"]
    world.server.put(situation.path(TORN), body)


def regret(world: World) -> None:
    """It is back for a moment in which its owner asks for Retain, and deletes it."""
    restore(world)
    world.server.edit(situation.path(TORN), deletionPolicy="Retain")
    world.server.delete(situation.path(TORN))
    world.tell_gone()


def furnish(world: World) -> None:
    """Put those that will go there, and a snapshot of another cluster with marks like ours."""
    for number, (key, policy) in enumerate(POLICIES.items()):
        disk_id = f"disk-{number:08}"
        world.cloud.disks[disk_id] = disk(disk_id)
        situation.put(world.server, key, UIDS[key], disk_id, {"deletionPolicy": policy})
        world.keys.append(key)
    world.others.append(UIDS[TORN])
    world.cloud.made.append(_of_another_cluster())


def _of_another_cluster() -> Made:
    marks = {"cluster": "cluster-2", "uid": UIDS[TORN], "policy": "Delete", "name": TORN.name}
    return Made(
        id="snap-ffffffff", name="shop-torn-ffffffffff-1", disk_id="disk-00000000",
        tags={f"disksnapshot.io/{name}": value for name, value in marks.items()}, at=0.0,
        held=False, creation_seconds=0.0, listed_after=0.0, foreign=True,
    )  # fmt: skip


def go(world: World) -> None:
    """All go: by force; as asked; by force, but to be kept; and given up."""
    server, given_up = world.server, situation.path(GIVEN_UP)
    server.edit(situation.path(SPARED), deletionPolicy="Retain")
    server.objects[given_up]["metadata"]["annotations"] = {GIVE_UP: UIDS[GIVEN_UP]}
    for key in (TORN, SPARED):
        server.unmark(situation.path(key))
    for key in POLICIES:
        server.delete(situation.path(key))


def left_by(world: World, key: Key) -> list[Made]:
    return [one for one in world.cloud.ever if f"-{key.name}-" in one.name]


def asks_orphan(world: World, *, told: bool) -> Iterator[tuple[str, str]]:
    """It is deleted in the end, after a day; `told`: or else who runs now has told of it."""
    orphan = left_by(world, TORN)[0]
    if orphan.gone_from is None and not (told and _is_told(world.server.events[world.said :])):
        yield "Converge", "the orphan is there for ever"
    if not _is_told(world.server.events):
        yield "Tracked", "nobody was told of the orphan"
    if orphan.gone_from is not None and orphan.gone_from < HOUR + DAY:
        yield "Ours", f"the orphan was deleted after {orphan.gone_from:.0f} s"


def _is_told(events: list[dict[str, Any]]) -> bool:
    orphaned = [event for event in events if event["reason"] == Reason.ORPHANED]
    return any(event["involvedObject"]["uid"] == UIDS[TORN] for event in orphaned)


def asks_others_kept(world: World) -> Iterator[tuple[str, str]]:
    for key in (RETAINED, SPARED, GIVEN_UP):
        yield from _asks_there(world, left_by(world, key)[0])


def _asks_there(world: World, one: Made) -> Iterator[tuple[str, str]]:
    if one.gone_from is not None or one not in world.cloud.made:
        yield "Ours", f"{one.name} was deleted"


def asks_back(world: World) -> Iterator[tuple[str, str]]:
    """What is back has its snapshot, and is called what it is."""
    yield from asks_kept(world)
    if world.done(TORN).ready != "True":
        yield "Converge", "the object that is back isn't Ready"


def asks_kept(world: World) -> Iterator[tuple[str, str]]:
    yield from _asks_there(world, left_by(world, TORN)[0])
    yield from asks_others_kept(world)


def asks_what_is_lost(world: World) -> Iterator[tuple[str, str]]:
    """The deletion was on its way: then nobody may call it Ready."""
    yield from asks_others_kept(world)
    if world.done(TORN).reason != Reason.SNAPSHOT_LOST:
        yield "True", f"it is called {world.done(TORN).reason}, and its snapshot was deleted"
