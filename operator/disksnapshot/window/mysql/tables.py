"""Count the tables that a crash can damage, which no freeze alone protects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pymysql

from disksnapshot.window.hold import HoldError
from disksnapshot.window.mysql.rights import account

if TYPE_CHECKING:
    from disksnapshot.window.mysql.product import Product
    from disksnapshot.window.mysql.session import Session

SECONDS = 2
# An account sees only tables on which it has some right. Who sees this one has one on all.
SEES_ALL = (
    "SELECT COUNT(*) FROM information_schema.TABLES"
    " WHERE TABLE_SCHEMA = 'mysql' AND TABLE_NAME = 'db'"
)
# The server's own tables are its own business; MEMORY and the like keep nothing on the disk.
COUNT = (
    "COUNT(*) FROM information_schema.TABLES"
    " WHERE TABLE_SCHEMA NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys')"
    " AND ENGINE NOT IN ('MEMORY', 'BLACKHOLE', 'FEDERATED', 'PERFORMANCE_SCHEMA')"
    " AND ENGINE NOT IN"
    " (SELECT ENGINE FROM information_schema.ENGINES WHERE TRANSACTIONS = 'YES')"
)


def count(session: Session, product: Product) -> int | None:
    """Return how many tables are not transactional; None when it can't be told in short."""
    limit = f"SET STATEMENT max_statement_time = {SECONDS} FOR SELECT"
    if not product.is_mariadb:
        limit = f"SELECT /*+ MAX_EXECUTION_TIME({SECONDS * 1000}) */"
    try:
        if session.ask(SEES_ALL) != (1,):
            return None
        return int(str(session.ask(f"{limit} {COUNT}")[0]))
    except pymysql.MySQLError as error:
        # A server with very many tables: their number is worth less than the hold.
        if error.args and error.args[0] in {1969, 3024}:
            return None
        raise


def require_none(session: Session, product: Product) -> None:
    """Refuse a lock that lets writes go on where a table isn't safe against that."""
    found = count(session, product)
    if found is None:
        raise HoldError(
            "MySQLAccessDenied",
            "lock Instance is for servers without non-transactional tables, and the account sees"
            f" no tables: GRANT REFERENCES ON *.* TO {account(session)}",
        )
    if found:
        raise HoldError(
            "LockUnsuitable",
            f"{found} table(s) are not transactional, and lock Instance lets writes go on in them;"
            " use lock Tables",
        )
