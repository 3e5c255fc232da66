"""Ask where a server's binary log ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from disksnapshot.window.mysql.product import Product
    from disksnapshot.window.mysql.session import Session


def question(product: Product) -> str:
    """Return the statement that says where the binary log ends."""
    modern = not product.is_mariadb and product.number >= (8, 2)
    return "SHOW BINARY LOG STATUS" if modern else "SHOW MASTER STATUS"


def right(product: Product) -> str:
    """Return the privilege that it takes; MariaDB gave it another name in 10.5."""
    renamed = product.is_mariadb and product.number >= (10, 5)
    return "BINLOG MONITOR" if renamed else "REPLICATION CLIENT"


def position(session: Session, product: Product) -> dict[str, object]:
    """Return file and position, where the server keeps a log, and the GTIDs in its notation."""
    gtid = "@@gtid_binlog_pos" if product.is_mariadb else "@@global.gtid_executed"
    # MySQL puts each server's part on a line of its own.
    executed = str(session.ask(f"SELECT {gtid}")[0] or "").replace("\n", "")
    facts: dict[str, object] = {"gtid": executed}
    status = session.ask(question(product))
    if status:
        facts |= {"binlogFile": str(status[0]), "binlogPosition": int(str(status[1]))}
    return facts
