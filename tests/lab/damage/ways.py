"""The ways to hold a cut, and the servers and file systems that each is tried on. No I/O."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from disksnapshot.window.hold import AnyOrder, Order
from lab.commanding import freeze_by_command, lock_by_command, sync_by_freezer
from lab.database import MariaDB, Programs
from lab.demo.ledger import Engine
from lab.disks.filesystem import EXT4, XFS
from lab.local import Local
from lab.mysqlserver import MySQL

LATE_MILLISECONDS: Final = 300


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One server on one file system."""

    programs: Callable[[], Programs]
    product: str
    kind: str
    options: Sequence[str] = ()
    tables: Sequence[Engine]

    @property
    def words(self) -> str:
        return f"{self.product} on {'XFS' if self.kind == XFS else self.kind}"


@dataclass(frozen=True, kw_only=True)
class Way:
    """How a cut is held, and what cloud it is made by (the control port's settings)."""

    words: str
    order: Callable[[Local], Order]
    recommended: bool = False
    cloud: Mapping[str, int | bool] = field(default_factory=dict)


def _only(here: Local, *steps: AnyOrder) -> Order:
    order = here.order(mysql=False, freeze=False, cut_without_hold=not steps)
    return replace(order, steps=steps)


def _locked_and_synced(here: Local) -> Order:
    order = here.order(freeze=False)
    return replace(order, steps=(*order.steps, sync_by_freezer(here, "1-sync")))


def _by_commands(here: Local) -> Order:
    return _only(here, lock_by_command(here, here.folder), freeze_by_command(here.mount))


# In the page's order; the names of the steps are those of a DiskSnapshot.
HELD: Final = (
    Way(words="mysql, freeze", order=lambda here: here.order(), recommended=True),
    Way(words="mysql, sync", order=_locked_and_synced, recommended=True),
    Way(words="exec, freeze (Exec)", order=_by_commands),
    Way(words="freeze", order=lambda here: here.order(mysql=False)),
    Way(words="mysql", order=lambda here: here.order(freeze=False)),
    Way(words="sync", order=lambda here: _only(here, sync_by_freezer(here, "0-sync"))),
    Way(words="nothing", order=_only),
)
BOTH, DATABASE, COMMANDS, *_ = (way.words for way in HELD)


def _late(release: str, *, early: bool) -> Way:
    return Way(
        words=f"{release}, listed {'before' if early else 'once'} it is cut",
        order=lambda here: here.order(release_when=release),
        cloud={"cutDelayMilliseconds": LATE_MILLISECONDS, "visibleBeforeCut": early},
    )


LATE: Final = {
    (release, listed): _late(release, early=early)
    for release in ("Accepted", "Visible")
    for listed, early in (("once it is cut", False), ("before it is cut", True))
}


def _scene(product: str, kind: str) -> Scene:
    if product == "MySQL":
        return Scene(
            product=product,
            programs=MySQL.ensured,
            kind=kind,
            # Off by default; without it there is no GTID to compare.
            options=("--gtid-mode=ON", "--enforce-gtid-consistency=ON"),
            tables=(Engine.INNODB, Engine.MYISAM),
        )
    tables = (Engine.INNODB, Engine.ARIA, Engine.MYISAM)
    return Scene(product=product, programs=MariaDB, kind=kind, tables=tables)


SCENES: Final = {
    scene.words: scene
    for scene in (_scene(name, kind) for name in ("MariaDB", "MySQL") for kind in (EXT4, XFS))
}
FIRST: Final = next(iter(SCENES))
"""Where late cuts are tried: they differ by the cloud alone."""
