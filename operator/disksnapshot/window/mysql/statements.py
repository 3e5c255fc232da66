"""Find running statements that a lock would have to wait for, and wait for their end before it."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from disksnapshot.window.hold import HoldError
from disksnapshot.window.mysql.product import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from disksnapshot.window.hold import LongStatement
    from disksnapshot.window.mysql.product import Lock, Product
    from disksnapshot.window.mysql.session import Row, Session

# The lock waits a second for each of its phases: a change of definitions that ran so long already
# is not one of those that end in time.
DEFINITION_SECONDS = 1
POLL_SECONDS = 0.25
LISTED_LENGTH = 100  # what SHOW PROCESSLIST shows of a statement

_COMMENT = re.compile(r"/\*(?![!M]).*?\*/|(?:#|--\s)[^\n]*(?:\n|$)|[\s(]+", re.DOTALL)
_TEMPORARY = re.compile(r"(CREATE|DROP)\s+(OR\s+REPLACE\s+)?TEMPORARY\b", re.IGNORECASE)
_READS = frozenset({"SELECT", "WITH", "TABLE", "VALUES", "CHECKSUM"})
_DEFINES = frozenset(
    {"ALTER", "ANALYZE", "CREATE", "DROP", "GRANT", "IMPORT", "OPTIMIZE", "RENAME", "REPAIR"}
    | {"REVOKE", "TRUNCATE"}
)
# They touch no table, or are our own kind: everything unknown counts as writing.
_HARMLESS = frozenset(
    {"BEGIN", "CHANGE", "DESC", "DESCRIBE", "DO", "EXPLAIN", "HELP", "KILL", "PURGE", "RESET"}
    | {"ROLLBACK", "SET", "SHOW", "START", "STOP", "USE"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """One entry of the server's list of processes that executes a statement."""

    number: int
    user: str
    seconds: int
    text: str

    @property
    def verb(self) -> str:
        """The statement's first word; empty where a comment hides it."""
        text = self.text
        while found := _COMMENT.match(text):
            text = text[found.end() :]
        word = re.match(r"[A-Za-z]+", text)
        return word[0].upper() if word else ""

    @property
    def defines(self) -> bool:
        """Whether it changes definitions."""
        return self.verb in _DEFINES and not _TEMPORARY.search(self.text)

    @property
    def reads_tables(self) -> bool:
        """Whether it only reads; one without a table waits for a time or a named lock at most."""
        whole = len(self.text) < LISTED_LENGTH
        tableless = self.verb == "SELECT" and whole and not re.search(r"(?i)\bFROM\b", self.text)
        return self.verb in _READS and not tableless

    @property
    def writes(self) -> bool:
        """Whether it may change rows."""
        return self.verb not in _READS | _HARMLESS

    def __str__(self) -> str:
        what = f"{self.verb} statement" if self.verb else "statement"
        who = f"process {self.number} of {self.user}"
        return f"{who} has been running its {what} for {self.seconds} s"


def in_the_way(
    running: Iterable[Running], lock: Lock, product: Product, threshold_seconds: int
) -> list[Running]:
    """Return what the lock would have to wait for, the oldest first."""
    found = [
        statement
        for statement in running
        if (statement.defines and statement.seconds >= min(DEFINITION_SECONDS, threshold_seconds))
        or (statement.seconds >= threshold_seconds and _stops(statement, lock, product))
    ]
    return sorted(found, key=lambda statement: -statement.seconds)


def _stops(statement: Running, lock: Lock, product: Product) -> bool:
    """Tell whether a statement that changes no definitions makes this lock wait.

    FLUSH TABLES waits for whoever writes, and on MySQL for whoever reads from a table too. The
    stages wait for writes to tables that are not transactional, which can't be told from here.
    """
    if lock is not TABLES:
        return False
    return statement.writes or (statement.reads_tables and not product.is_mariadb)


def wait_until_clear(session: Session, lock: Lock, product: Product, rule: LongStatement) -> None:
    """Return when no long statement is in the way; raise HoldError when one stays."""
    end = time.monotonic() + rule.wait_seconds
    while found := in_the_way(listed(session), lock, product, rule.threshold_seconds):
        if time.monotonic() >= end:
            more = f", and {len(found) - 1} more" if len(found) > 1 else ""
            message = f"{found[0]}{more}; waited {rule.wait_seconds} s for it before the lock"
            raise HoldError("LongStatement", message)
        time.sleep(POLL_SECONDS)


def listed(session: Session) -> list[Running]:
    """Return the statements that other sessions are executing."""
    rows = session.rows("SHOW PROCESSLIST")
    return [running for row in rows if (running := _running(row)) is not None]


def _running(row: Sequence[object] | Row) -> Running | None:
    number, user, _host, _database, command, seconds, _state, text = row[:8]
    # A replica's own threads count their delay, not a statement's age.
    if command not in {"Query", "Execute"} or user == "system user" or not text:
        return None
    return Running(
        number=int(str(number)), user=str(user), seconds=int(str(seconds or 0)), text=str(text)
    )
