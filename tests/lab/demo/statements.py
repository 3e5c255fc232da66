"""Ask the database's own clock how long the statements of a hold took."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import pymysql

_PICOSECONDS_IN_A_NANOSECOND: Final = 1000
_LOCKS: Final = re.compile(
    r"^\s*(BACKUP\s+STAGE\s+(?!END)|FLUSH\s+TABLES\s+WITH\s+READ\s+LOCK)", re.IGNORECASE
)
_CONSUMERS: Final = (
    "UPDATE performance_schema.setup_consumers SET enabled = 'YES'"
    " WHERE name LIKE 'events_statements_%'"
)
_INSTRUMENTS: Final = (
    "UPDATE performance_schema.setup_instruments SET enabled = 'YES', timed = 'YES'"
    " WHERE name LIKE 'statement/%'"
)
_ACTORS: Final = (
    "INSERT INTO performance_schema.setup_actors (host, user, role, enabled, history)"
    " VALUES ('%%', '%%', '%%', 'YES', 'NO'), ('%%', %s, '%%', 'YES', 'YES')"
)
_HISTORY: Final = (
    "SELECT COALESCE(sql_text, event_name), timer_wait, errors"
    " FROM performance_schema.events_statements_history_long"
    " WHERE thread_id = ("
    "SELECT thread_id FROM performance_schema.events_statements_history_long"
    " WHERE sql_text LIKE 'BACKUP STAGE %' OR sql_text LIKE 'FLUSH TABLES WITH READ LOCK%'"
    " ORDER BY timer_start DESC LIMIT 1)"
    " ORDER BY timer_start"
)
_FLUSH: Final = (
    "SELECT timer_wait FROM performance_schema.events_statements_history_long"
    " WHERE sql_text = 'FLUSH LOCAL ENGINE LOGS' ORDER BY timer_start DESC LIMIT 1"
)


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement as the server timed it, in ns."""

    text: str
    nanoseconds: int
    failed: bool

    @property
    def locks(self) -> bool:
        return bool(_LOCKS.match(self.text))


def watch(connection: "pymysql.Connection[Any]", user: str) -> None:
    """Let the server keep the statements of this user, and of nobody else, from now on.

    The history is a ring of 1,000 statements or so for the whole server: writers under load would
    push a hold out of it within a second. Sessions that are open already keep their old setting.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CONSUMERS)
        cursor.execute(_INSTRUMENTS)
        cursor.execute("DELETE FROM performance_schema.setup_actors")
        cursor.execute(_ACTORS, (user,))
        cursor.execute("UPDATE performance_schema.threads SET history = 'NO'")
        cursor.execute("TRUNCATE performance_schema.events_statements_history_long")


def of_last_hold(connection: "pymysql.Connection[Any]") -> list[Statement]:
    """Read all statements of the last session that locked, in order; it may be closed already."""
    with connection.cursor() as cursor:
        cursor.execute(_HISTORY)
        return [
            Statement(text, wait // _PICOSECONDS_IN_A_NANOSECOND, bool(errors))
            for text, wait, errors in cursor
        ]


def flush_nanoseconds(connection: "pymysql.Connection[Any]") -> int:
    """Read how long the server flushed its engines' logs under the last lock."""
    with connection.cursor() as cursor:
        cursor.execute(_FLUSH)
        [wait] = cursor.fetchone() or (0,)
        return int(wait) // _PICOSECONDS_IN_A_NANOSECOND


def lock_nanoseconds(statements: Sequence[Statement]) -> int:
    """Sum what the server spent on locking.

    Unlocking is left out: its timer runs on after the reply, while the writers are woken.
    """
    return sum(statement.nanoseconds for statement in statements if statement.locks)
