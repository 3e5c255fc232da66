"""Tell MySQL from MariaDB by what a server says of itself, and which locks each has."""

from __future__ import annotations

import re
from dataclasses import dataclass

from disksnapshot.window.hold import HoldError


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """How a server is locked; `stops_writes` is false where it stops definitions alone."""

    name: str
    take: tuple[str, ...]
    give_back: str
    stops_writes: bool = True


# It doesn't wait for running statements of InnoDB, as FLUSH TABLES does.
STAGES = Lock(
    name="Stages",
    take=("BACKUP STAGE START", "BACKUP STAGE BLOCK_COMMIT"),
    give_back="BACKUP STAGE END",
)
TABLES = Lock(name="Tables", take=("FLUSH TABLES WITH READ LOCK",), give_back="UNLOCK TABLES")
INSTANCE = Lock(
    name="Instance",
    take=("LOCK INSTANCE FOR BACKUP",),
    give_back="UNLOCK INSTANCE",
    stops_writes=False,
)


@dataclass(frozen=True, slots=True)
class Product:
    """A server's version, in its own words."""

    version: str

    @property
    def is_mariadb(self) -> bool:
        """Whether it is MariaDB."""
        return "mariadb" in self.version.lower()

    @property
    def number(self) -> tuple[int, int]:
        """Major and minor version; MariaDB may put a 5.5.5 for old replicas in front."""
        found = re.match(r"(?:5\.5\.5-)?(\d+)\.(\d+)", self.version)
        return (int(found[1]), int(found[2])) if found else (0, 0)

    def lock(self, wanted: str) -> Lock:
        """Return the lock that `Auto`, `Tables` or `Instance` means here."""
        if wanted == "Instance":
            if self.is_mariadb or self.number < (8, 0):
                raise HoldError(
                    "LockUnsuitable",
                    f"the server, {self.version}, has no LOCK INSTANCE FOR BACKUP",
                )
            return INSTANCE
        stages = wanted == "Auto" and self.is_mariadb and self.number >= (10, 4)
        return STAGES if stages else TABLES
