"""Lock a MySQL or MariaDB server by a session that the server itself ends in time."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

import pymysql

from disksnapshot.window.hold import (
    LOCK_BUDGET_SECONDS,
    HoldError,
    LineSession,
    MysqlOrder,
    StepFacts,
)
from disksnapshot.window.mysql import complaints, rights, statements, tables
from disksnapshot.window.mysql.alarm import Alarm
from disksnapshot.window.mysql.position import position
from disksnapshot.window.mysql.product import TABLES, Product
from disksnapshot.window.mysql.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from disksnapshot.window.clock import HoldClock
    from disksnapshot.window.mysql.session import Row

IDLE_SECONDS = 120  # the server's default may be shorter than the wait for the intent
NAMED_LOCK = "disksnapshot.io/hold"


class MysqlHold:
    """A global lock in one session, which after the lock says nothing until the thaw.

    Any statement would restart the server's clock, and could hang on a frozen log.
    """

    def __init__(self, order: MysqlOrder) -> None:
        self._order = order
        self._session: Session | None = None
        self._second: Session | None = None
        self._product = Product("")
        self._lock = TABLES
        self._identity: Row = ()
        self._killed = False
        self._alarm = Alarm()
        self.facts = StepFacts(name=order.name, kind="mysql")

    def ready(self, deadline: float) -> None:
        """Connect twice (the second can KILL the first), and become the server's only hold."""
        with _complaints_told():
            self._session = session = Session(self._order)
            self._second = second = Session(self._order)
            self._product = Product(str(session.ask("SELECT VERSION()")[0]))
            self._lock = self._product.lock(self._order.lock)
            for each in (session, second):
                each.run(f"SET SESSION wait_timeout = {IDLE_SECONDS}")
                # First, since asking for rights takes the lock for a moment.
                each.run("SET SESSION lock_wait_timeout = 1")
            statements.wait_until_clear(
                second, self._lock, self._product, self._order.long_statement
            )
            # A missing right must show before anything is held.
            rights.check(second, self._product, self._lock)
            self._become_the_only_hold(session)
            self._note_facts(session, second)
        if time.monotonic() > deadline:
            raise HoldError("MySQLUnreachable", "the database took too long to answer")

    def warm(self) -> None:
        """Nothing makes a lock quicker."""

    def acquire(self, clock: HoldClock) -> None:
        """Lock, within a budget that the server, its settings and a second session each keep."""
        server_seconds = int(clock.max_hold_seconds - LOCK_BUDGET_SECONDS)
        start = time.monotonic_ns()
        try:
            session, second = _open(self._session), _open(self._second)
            session.run(f"SET SESSION wait_timeout = {server_seconds}")
            clock.sent()
            self._alarm.set(time.monotonic() + LOCK_BUDGET_SECONDS - 0.1, self._kill)
            for statement in self._lock.take:
                session.run(statement)
            self._require_not_killed()
            clock.locked(server_seconds)
            # Else a prepared transaction's commit may be in the binlog alone, and a copy without
            # that binlog refuses to start.
            second.run("FLUSH LOCAL ENGINE LOGS")
            if not self._lock.stops_writes:
                # From here on the lock keeps such tables from being made.
                tables.require_none(second, self._product)
        except pymysql.MySQLError as error:
            self._give_back()
            if self._killed:
                raise HoldError("LockTimeout", complaints.said(error)) from error
            raise complaints.translated(error) from error
        except HoldError:
            self._give_back()
            raise
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
        # Beyond the bound nothing is proven any more, and the server ends the session by itself.
        self._alarm.set(clock.lets_go_at, self._end_both)
        try:
            self._prove(_open(self._session), clock)
        except pymysql.MySQLError as error:
            self.facts.reason = f"the lock's session was lost: {complaints.said(error)}"
            # What lies between may have swallowed the end of the connection.
            self._kill_session()
        finally:
            self._alarm.off()
            self._close_lock_session()
            clock.timeline.mark("unlocked")
        self.facts.release_milliseconds = (time.monotonic_ns() - start) / 1e6

    def sockets(self) -> list[LineSession]:
        """Return none: the proof shows whether the session lived."""
        return []

    def close(self) -> None:
        """Close both sessions."""
        self._alarm.close()
        self._close_lock_session()
        if self._second:
            self._second.close()
            self._second = None

    def _become_the_only_hold(self, session: Session) -> None:
        if session.ask("SELECT GET_LOCK(%s, 0)", NAMED_LOCK)[0] != 1:
            raise HoldError("HoldBusy", "another hold owns this database server")
        self._identity = _who(session)
        if self._product.is_mariadb:
            session.run(f"SET SESSION max_statement_time = {LOCK_BUDGET_SECONDS:.0f}")

    def _note_facts(self, session: Session, second: Session) -> None:
        if not self._lock.stops_writes:
            tables.require_none(second, self._product)
        self.facts.detail = {
            "serverID": int(str(self._identity[2])),
            "serverVersion": self._product.version,
            "connectionID": session.number,
            "lock": self._lock.name,
        }
        self.facts.stops_writes = self._lock.stops_writes
        found = tables.count(second, self._product)
        if found is not None:
            self.facts.detail["nonTransactionalTables"] = found

    def _prove(self, session: Session, clock: HoldClock) -> None:
        session.run("SET SESSION wait_timeout = 1")
        if _who(session) != self._identity:
            self.facts.reason = "the session is not the one that took the lock"
            return
        # Where writes went on, the log's end is not that of the cut.
        where = position(session, self._product) if self._lock.stops_writes else {}
        clock.timeline.mark("proven")
        proven = clock.left() > 0
        session.run(self._lock.give_back)
        clock.timeline.mark("unlocked")
        self.facts.detail.update(where)
        self.facts.proven = proven
        self.facts.reason = "" if proven else "the proof came after the bound"

    def _require_not_killed(self) -> None:
        """Make sure that the lock isn't killed from now on, and that it was not just now."""
        self._alarm.off()
        if self._killed:
            raise pymysql.err.OperationalError(0, "the lock took longer than its budget")

    def _kill(self) -> None:
        self._killed = True
        self._kill_session()

    def _kill_session(self) -> None:
        """A closed socket alone doesn't end a pending lock on MySQL."""
        try:
            if self._session:
                _open(self._second).run(f"KILL {self._session.number}")
        except pymysql.MySQLError:
            if self._session:
                self._session.end()

    def _give_back(self) -> None:
        """Leave nothing of a lock that failed: after a 1205 MySQL keeps its first half."""
        self._alarm.off()  # the second session is free from here on
        try:
            _open(self._session).run(self._lock.give_back)
        except pymysql.MySQLError:
            self._kill_session()
        self._close_lock_session()

    def _end_both(self) -> None:
        for session in (self._session, self._second):
            if session:
                session.end()

    def _close_lock_session(self) -> None:
        if self._session:
            self._session.close()
            self._session = None


@contextlib.contextmanager
def _complaints_told() -> Iterator[None]:
    try:
        yield
    except pymysql.MySQLError as error:
        raise complaints.translated(error) from error


def _open(session: Session | None) -> Session:
    if session is None:
        raise pymysql.err.InterfaceError(0, "the session is closed")
    return session


def _who(session: Session) -> Row:
    return session.ask("SELECT CONNECTION_ID(), @@hostname, @@server_id, @@port")
