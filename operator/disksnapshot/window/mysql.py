"""Lock a MySQL or MariaDB server by a session that the server itself ends in time."""

from __future__ import annotations

import re
import threading
import time
from typing import TYPE_CHECKING

import pymysql

from disksnapshot.window.hold import (
    LOCK_BUDGET_SECONDS,
    HoldClock,
    HoldError,
    LineSession,
    MysqlOrder,
    StepFacts,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

CONNECT_SECONDS = 5
IDLE_SECONDS = 120  # the server's default may be shorter than the wait for the intent
NAMED_LOCK = "disksnapshot.io/hold"

# Lock wait timeout; query interrupted; statement timeout of MariaDB and of MySQL; deadlock.
LOCK_REFUSED = frozenset({1205, 1317, 1969, 3024, 1213})


class MysqlHold:
    """A global lock in one session, which after the lock says nothing until the thaw.

    Any statement would restart the server's clock, and could hang on a frozen log.
    """

    def __init__(self, order: MysqlOrder) -> None:
        self._order = order
        self._session: pymysql.Connection | None = None
        self._second: pymysql.Connection | None = None
        self._identity: tuple[object, ...] = ()
        self._version = ""
        self._killed = False
        self.facts = StepFacts(name=order.name, kind="mysql")

    @property
    def _is_mariadb(self) -> bool:
        return "mariadb" in self._version.lower()

    @property
    def _uses_stages(self) -> bool:
        """BACKUP STAGE (MariaDB 10.4) doesn't wait for running statements, as FTWRL does."""
        return self._order.lock == "Auto" and self._is_mariadb and self._number >= (10, 4)

    @property
    def _number(self) -> tuple[int, int]:
        found = re.match(r"(?:5\.5\.5-)?(\d+)\.(\d+)", self._version)
        return (int(found[1]), int(found[2])) if found else (0, 0)

    def ready(self, deadline: float) -> None:
        """Connect twice (the second can KILL the first), and become the server's only hold."""
        try:
            self._session = self._connect()
            self._second = self._connect()
            self._version = str(self._ask("SELECT VERSION()")[0])
            for session in (self._session, self._second):
                self._run(f"SET SESSION wait_timeout = {IDLE_SECONDS}", session)
            if self._ask("SELECT GET_LOCK(%s, 0)", NAMED_LOCK)[0] != 1:
                raise HoldError("HoldBusy", "another hold owns this database server")
            self._identity = self._who()
            self._run("SET SESSION lock_wait_timeout = 1")
            if self._is_mariadb:
                self._run(f"SET SESSION max_statement_time = {LOCK_BUDGET_SECONDS:.0f}")
            # A missing right must show before anything is held: these need what the hold needs.
            self._position()
            self._run("FLUSH LOCAL ENGINE LOGS", self._second)
        except pymysql.MySQLError as error:
            raise HoldError("MySQLUnreachable", _say(error)) from error
        self.facts.detail = {
            "serverID": int(str(self._identity[2])),
            "serverVersion": self._version,
            "connectionID": int(str(self._identity[0])),
        }
        if time.monotonic() > deadline:
            raise HoldError("MySQLUnreachable", "the database took too long to answer")

    def warm(self) -> None:
        """Nothing makes a lock quicker."""

    def acquire(self, clock: HoldClock) -> None:
        """Lock, within a budget that the server, its settings and a second session each keep."""
        server_seconds = int(clock.max_hold_seconds - LOCK_BUDGET_SECONDS)
        killer = threading.Timer(LOCK_BUDGET_SECONDS - 0.1, self._kill)
        killer.daemon = True
        start = time.monotonic_ns()
        try:
            self._run(f"SET SESSION wait_timeout = {server_seconds}")
            clock.sent()
            killer.start()
            for statement in self._lock_statements():
                self._run(statement)
            self._call_off(killer)
            clock.locked(server_seconds)
            # Else a prepared transaction's commit may be in the binlog alone, and a copy without
            # that binlog refuses to start.
            self._run("FLUSH LOCAL ENGINE LOGS", self._second)
        except pymysql.MySQLError as error:
            # MySQL keeps the global lock after a 1205: closing is what surely frees it.
            self._close_lock_session()
            raise HoldError(self._reason(error), _say(error)) from error
        finally:
            killer.cancel()
        self.facts.held = True
        clock.timeline.mark("locked")
        self.facts.acquire_milliseconds = (time.monotonic_ns() - start) / 1e6

    def release(self, clock: HoldClock) -> None:
        """Prove that the lock is still ours, note the binlog's position, unlock."""
        if not self.facts.held:
            return
        start = time.monotonic_ns()
        self.facts.held = False
        if clock.left() <= 0:
            self._close_lock_session()
            clock.timeline.mark("unlocked")
            self.facts.reason = "the hold had reached its bound"
            return
        try:
            self._prove(clock)
        except pymysql.MySQLError as error:
            self.facts.reason = f"the lock's session was lost: {_say(error)}"
        finally:
            self._close_lock_session()
            clock.timeline.mark("unlocked")
        self.facts.release_milliseconds = (time.monotonic_ns() - start) / 1e6

    def sockets(self) -> list[LineSession]:
        """Return none: the proof shows whether the session lived."""
        return []

    def close(self) -> None:
        """Close both sessions."""
        self._close_lock_session()
        _close(self._second)
        self._second = None

    def _prove(self, clock: HoldClock) -> None:
        self._run("SET SESSION wait_timeout = 1")
        if self._who() != self._identity:
            self.facts.reason = "the session is not the one that took the lock"
            return
        position = self._position()
        clock.timeline.mark("proven")
        proven = clock.left() > 0
        self._run("BACKUP STAGE END" if self._uses_stages else "UNLOCK TABLES")
        clock.timeline.mark("unlocked")
        self.facts.detail.update(position)
        self.facts.proven = proven
        self.facts.reason = "" if proven else "the proof came after the bound"

    def _lock_statements(self) -> Sequence[str]:
        if self._uses_stages:
            return ("BACKUP STAGE START", "BACKUP STAGE BLOCK_COMMIT")
        return ("FLUSH TABLES WITH READ LOCK",)

    def _who(self) -> tuple[object, ...]:
        return self._ask("SELECT CONNECTION_ID(), @@hostname, @@server_id, @@port")

    def _position(self) -> dict[str, object]:
        modern = not self._is_mariadb and self._number >= (8, 2)
        status = self._ask("SHOW BINARY LOG STATUS" if modern else "SHOW MASTER STATUS")
        gtid = "@@gtid_binlog_pos" if self._is_mariadb else "@@global.gtid_executed"
        facts: dict[str, object] = {"gtid": str(self._ask(f"SELECT {gtid}")[0] or "")}
        if status:
            facts |= {"binlogFile": str(status[0]), "binlogPosition": int(str(status[1]))}
        return facts

    def _connect(self) -> pymysql.Connection:
        return pymysql.connect(
            host=self._order.host,
            port=self._order.port,
            user=self._order.username,
            password=self._order.password,
            connect_timeout=CONNECT_SECONDS,
            # A backstop behind the server's own limits: nothing here waits for ever.
            read_timeout=LOCK_BUDGET_SECONDS + 1,
            write_timeout=LOCK_BUDGET_SECONDS,
            autocommit=True,
            program_name="disksnapshot",
        )

    def _run(self, statement: str, session: pymysql.Connection | None = None) -> None:
        with _open(session or self._session).cursor() as cursor:
            cursor.execute(statement)

    def _ask(self, statement: str, *arguments: object) -> tuple[object, ...]:
        with _open(self._session).cursor() as cursor:
            cursor.execute(statement, arguments or None)
            return cursor.fetchone() or ()

    def _reason(self, error: pymysql.MySQLError) -> str:
        late = self._killed or (error.args and error.args[0] in LOCK_REFUSED)
        return "LockTimeout" if late else "MySQLUnreachable"

    def _call_off(self, killer: threading.Timer) -> None:
        """Make sure that the lock isn't killed from now on, and that it was not just now."""
        killer.cancel()
        killer.join()
        if self._killed:
            raise pymysql.err.OperationalError(0, "the lock took longer than its budget")

    def _kill(self) -> None:
        self._killed = True
        # A closed socket alone doesn't end a pending lock on MySQL.
        if self._second and self._identity:
            try:
                self._run(f"KILL {int(str(self._identity[0]))}", self._second)
            except pymysql.MySQLError:
                self._close_lock_session()

    def _close_lock_session(self) -> None:
        _close(self._session)
        self._session = None


def _open(session: pymysql.Connection | None) -> pymysql.Connection:
    if session is None:
        raise pymysql.err.InterfaceError(0, "the session is closed")
    return session


def _close(session: pymysql.Connection | None) -> None:
    if session is not None:
        # Without QUIT: nothing is waited for, the server sees the end of the connection.
        session._force_close()  # type: ignore[attr-defined]  # noqa: SLF001 - close() may block


def _say(error: pymysql.MySQLError) -> str:
    if len(error.args) > 1:
        return f"{error.args[1]} ({error.args[0]})"
    return str(error)
