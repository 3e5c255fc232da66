"""The database servers that pods of the lab run: their images, and the account that holds them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lab.disks.images import MARIADB_IMAGE, MYSQL_IMAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One product as a container; `account` makes the account for a password (%s)."""

    name: str
    image: str
    password_variable: str
    account: Sequence[str]


MARIADB: Final = Product(
    name="mariadb",
    image=MARIADB_IMAGE,
    password_variable="MARIADB_ROOT_PASSWORD",  # noqa: S106 - its name
    account=(
        "CREATE OR REPLACE USER snapshot@'%%' IDENTIFIED BY %s",
        "GRANT RELOAD, BINLOG MONITOR, PROCESS ON *.* TO snapshot@'%'",
    ),
)
MYSQL: Final = Product(
    name="mysql",
    image=MYSQL_IMAGE,
    password_variable="MYSQL_ROOT_PASSWORD",  # noqa: S106 - the same
    account=(
        # Whoever forgets the tls block isn't let in.
        "CREATE USER snapshot@'%%' IDENTIFIED BY %s REQUIRE SSL",
        "GRANT RELOAD, REPLICATION CLIENT, PROCESS, REFERENCES ON *.* TO snapshot@'%'",
        "GRANT BACKUP_ADMIN ON *.* TO snapshot@'%'",
    ),
)
