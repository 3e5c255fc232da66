"""Find out before anything is held which rights the account lacks, and name the GRANT for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pymysql

from disksnapshot.window.hold import HoldError
from disksnapshot.window.mysql import position
from disksnapshot.window.mysql.product import INSTANCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from disksnapshot.window.mysql.product import Lock, Product
    from disksnapshot.window.mysql.session import Session

LACKS = 1227  # "you need (at least one of) the ... privilege(s) for this operation"


def check(session: Session, product: Product, lock: Lock) -> None:
    """Raise HoldError that names every missing right in one GRANT."""
    lacking = list(_lacking(session, product, lock))
    if lacking:
        rights, who = ", ".join(lacking), account(session)
        raise HoldError(
            "MySQLAccessDenied",
            f"the account {who} lacks {rights}: GRANT {rights} ON *.* TO {who}",
        )


def account(session: Session) -> str:
    """Return the account that the server took us for, as a GRANT writes it."""
    user, _, host = str(session.ask("SELECT CURRENT_USER()")[0]).rpartition("@")
    return f"'{user}'@'{host}'"


def _lacking(session: Session, product: Product, lock: Lock) -> Iterator[str]:
    """Try what each right is for: it may come by a role, or with another that includes it."""
    if not _may(session, "FLUSH LOCAL ENGINE LOGS"):
        yield "RELOAD"
    if lock.stops_writes and not _may(session, position.question(product)):
        yield position.right(product)
    # The list of processes isn't refused without this right: it is short.
    if not _may(session, "SELECT 1 FROM information_schema.INNODB_METRICS LIMIT 1"):
        yield "PROCESS"
    if lock is INSTANCE and not _may(session, *lock.take, lock.give_back):
        yield "BACKUP_ADMIN"


def _may(session: Session, *statements: str) -> bool:
    try:
        for statement in statements:
            session.run(statement)
    except pymysql.MySQLError as error:
        if error.args and error.args[0] == LACKS:
            return False
        raise
    return True
