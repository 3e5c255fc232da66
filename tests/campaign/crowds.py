"""Many objects at once (L7): two hundred are made, and two hundred deleted, beside the two."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from campaign import situation
from campaign.cases import READY, Case
from campaign.cloud import disk
from campaign.clouds import CREATE
from campaign.points import Fault, first, kill_after
from campaign.situation import NAMESPACE
from disksnapshot.sight import Key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from campaign.world import World

L7 = "L7, many objects at once"
MANY = 200
KEYS = [Key(NAMESPACE, f"crowd-{number:03}") for number in range(MANY)]


def cases() -> Iterator[Case]:
    """They come before the object, in its hold, and when it is Ready; they go when it goes."""
    said = "two hundred others are made at once"
    yield _case(f"{said}, first", "GET object")
    yield _case(f"{said}, in its hold", CREATE)
    yield _case(f"{said}, last", "POST events")
    yield _case(f"{said}, first, and the operator is killed among them", "GET object", dies=True)


def _case(name: str, at: str, *, dies: bool = False) -> Case:
    def arrange(world: World) -> list[Fault]:
        made = Fault(meet=first(partial(make, world, KEYS)), named=at)
        deleted = Fault(meet=first(partial(_delete, world)), named="DeleteSnapshots", after=made)
        killed = Fault(meet=kill_after, named="PATCH status", skips=2, after=made)
        return [made, deleted, *([killed] if dies else [])]

    return Case(
        name=name, family=L7, arrange=arrange, ends=(READY,), wide=True, asks=_asks,
        spec={"deletionPolicy": "Delete"},
    )  # fmt: skip


def make(world: World, keys: Sequence[Key]) -> None:
    """Make an object for each, under Delete, with a disk of its own that nobody mounts."""
    for number, key in enumerate(keys):
        disk_id = f"disk-{number:08}"
        world.cloud.disks[disk_id] = disk(disk_id)
        uid = f"{number:08}-cccc-6789-abcd-ef0123456789"
        situation.put(world.server, key, uid, disk_id, {"deletionPolicy": "Delete"})
        world.others.append(uid)
    world.keys += keys


def _delete(world: World) -> None:
    for key in KEYS:
        world.server.delete(situation.path(key))


def _asks(world: World) -> Iterator[tuple[str, str]]:
    """Ask whether each was served, once and in its turn, and nothing of it is left."""
    cut = [one.name for one in world.cloud.ever if "-crowd-" in one.name]
    if len(cut) != MANY:
        yield "One", f"{len(cut)} snapshots were made of {MANY} others"
    if cut != sorted(cut):
        yield "Isolated", "who came first was not served first"
    told = [event for event in world.server.events if event["reason"] == "SnapshotReady"]
    ready = {event["involvedObject"]["name"] for event in told}
    if unserved := [key.name for key in KEYS if key.name not in ready]:
        yield "Isolated", f"{', '.join(unserved)} never became Ready"
    if left := [key.name for key in KEYS if world.body(key)]:
        yield "Converge", f"{', '.join(left)} never went"
    if any("-crowd-" in one.name for one in world.cloud.made):
        yield "Tracked", "snapshots of others that were deleted are left"
