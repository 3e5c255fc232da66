"""One session with a database server, over TLS that was verified or over none."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
from typing import TYPE_CHECKING

import pymysql

from disksnapshot.window.hold import LOCK_BUDGET_SECONDS, MysqlOrder, MysqlTls

if TYPE_CHECKING:
    from collections.abc import Sequence

CONNECT_SECONDS = 5
# PyMySQL parses what it is sent without doubt: whatever listens there may be another service.
_NOT_UNDERSTOOD = (AssertionError, IndexError, TypeError, ValueError, struct.error)
Row = tuple[object, ...]


class Session:
    """A connection that is never opened anew: what it holds ends with it."""

    def __init__(self, order: MysqlOrder) -> None:
        # The name is what a certificate is verified against; the way there is the address.
        named = order.tls.server_name if order.tls else ""
        self._connection: pymysql.Connection | None = pymysql.Connection(
            host=named or order.host,
            port=order.port,
            user=order.username,
            # PyMySQL would encode text as Latin-1, servers hash what clients type as UTF-8.
            password=order.password.encode(),
            # Without a context PyMySQL tries TLS and verifies nothing; here it is all or none.
            ssl=_context(order.tls) if order.tls else None,
            ssl_disabled=order.tls is None,
            # A backstop behind the server's own limits: nothing here waits for ever.
            read_timeout=LOCK_BUDGET_SECONDS + 1,
            write_timeout=LOCK_BUDGET_SECONDS,
            autocommit=True,
            program_name="disksnapshot",
            defer_connect=True,
        )
        way = _way_to(order.host, order.port)
        # A descriptor of our own: PyMySQL's object must not be closed while a thread waits in it.
        self._end = way.dup()
        try:
            self._connection.connect(way)
        except _NOT_UNDERSTOOD as error:
            message = f"what answers there is not understood: {error!r}"
            raise pymysql.err.OperationalError(2027, message) from error
        except RuntimeError as error:
            # PyMySQL's word for a method of authentication whose library isn't there.
            raise pymysql.err.OperationalError(2059, str(error)) from error
        self.number = int(self._connection.thread_id())  # type: ignore[no-untyped-call]  # half typed

    def run(self, statement: str) -> None:
        """Execute a statement; raise MySQLError."""
        self.rows(statement)

    def ask(self, question: str, *arguments: object) -> Row:
        """Return the first row of the answer, or an empty one."""
        rows = self.rows(question, *arguments)
        return rows[0] if rows else ()

    def rows(self, question: str, *arguments: object) -> Sequence[Row]:
        """Return all rows of the answer."""
        if self._connection is None:
            raise pymysql.err.InterfaceError(0, "the session is closed")
        with self._connection.cursor() as cursor:
            cursor.execute(question, arguments or None)
            return cursor.fetchall()

    def end(self) -> None:
        """End the connection, also under another thread that waits for an answer in it.

        The server sees the end, and frees what the session held.
        """
        with contextlib.suppress(OSError):
            self._end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End the connection without waiting, and forget it; only for the thread that uses it."""
        if self._connection is not None:
            self.end()
            self._end.close()
            self._connection._force_close()  # type: ignore[attr-defined]  # noqa: SLF001 - close() may block
            self._connection = None


def _way_to(host: str, port: int) -> socket.socket:
    try:
        way = socket.create_connection((host, port), CONNECT_SECONDS)
    except OSError as error:
        raise pymysql.err.OperationalError(2003, f"can't connect to {host}: {error}") from error
    way.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return way


def _context(tls: MysqlTls) -> ssl.SSLContext:
    try:
        # Python wants ASCII; beyond it are only the comments between the certificates.
        authority = tls.authority.encode("ascii", "ignore").decode()
        context = ssl.create_default_context(cadata=authority)
    except (ssl.SSLError, ValueError) as error:
        raise pymysql.err.OperationalError(2026, f"the CA can't be read: {error}") from error
    # What MySQL makes for itself lacks the fields that newer Pythons ask for.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    # Such a certificate carries no name of a host either: its authority alone vouches for it.
    context.check_hostname = bool(tls.server_name)
    return context
