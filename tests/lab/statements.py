"""Statements that run in the server for long, as those that a lock has to wait for."""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any, Protocol

import pymysql

from lab.cluster.waiting import until

SLOW_OLD_UPDATE = "UPDATE held.old SET n = n + SLEEP(20)"
SLOW_INNODB_INSERT = "INSERT INTO held.rows SELECT NULL FROM held.old WHERE SLEEP(20) = 0"


class Server(Protocol):
    """A database server that lets root in."""

    def connect(self) -> "pymysql.Connection[Any]":
        """Open a session."""


@contextmanager
def long_statement(server: Server, statement: str) -> Iterator[None]:
    """Let a statement run in the server for as long as the body does."""
    session = server.connect()
    number = session.thread_id()  # type: ignore[no-untyped-call]  # half typed

    def run() -> None:
        # It ends by being killed.
        with closing(session), session.cursor() as cursor, suppress(pymysql.MySQLError):
            cursor.execute(statement)

    thread = threading.Thread(target=run)
    thread.start()
    with server.connect() as other, other.cursor() as cursor:
        until(lambda: "User sleep" in _state(cursor, number), "a statement that runs", seconds=5)
        try:
            yield
        finally:
            with suppress(pymysql.MySQLError):  # it may have ended by itself
                cursor.execute(f"KILL {number}")
            thread.join()


def _state(cursor: Any, number: int) -> str:
    cursor.execute("SELECT STATE FROM information_schema.PROCESSLIST WHERE ID = %s", (number,))
    return str(cursor.fetchone())
