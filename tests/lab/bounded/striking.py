"""Kill or stop a window at a moment, and let the writers, the kernel and the server tell."""

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pymysql

from disksnapshot.window.hold import Facts
from lab.bounded.methods import MAX_HOLD_SECONDS, Method
from lab.bounded.moments import Moment, Reached, at
from lab.cluster.waiting import until
from lab.demo.ledger import Engine
from lab.demo.load import Load, Pause, Server, longest_pause
from lab.demo.writer import DATABASE
from lab.freezing import fsfreeze
from lab.holding import Answer
from lab.local import Local
from lab.thawing import Thawer

_ENGINES: Final = (Engine.INNODB, Engine.MYISAM, Engine.FILE)
_STILL_NANOSECONDS: Final = 100_000_000
_SECONDS: Final = 15.0
_NAMES: Final = ("disksnapshot.io/hold", "snapshot")  # ours, and the example's
# MariaDB grants this only where nobody holds a backup lock or a global read lock.
_STAGES: Final = ("BACKUP STAGE START", "BACKUP STAGE BLOCK_COMMIT", "BACKUP STAGE END")
# FLUSH TABLES WITH READ LOCK on MySQL: a granted one doesn't stop another, so it is looked for.
_GLOBAL: Final = (
    "SELECT COUNT(*) FROM performance_schema.metadata_locks"
    " WHERE OBJECT_TYPE IN ('GLOBAL', 'COMMIT') AND LOCK_TYPE = 'SHARED'"
)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of one window's end."""

    pauses: list[Pause]
    at_strike: float  # ms: the longest pause that the strike fell into
    waited: bool  # the lock was not granted yet, and may have stopped nobody
    still_held: str
    proven: bool

    @property
    def longest(self) -> Pause:
        return max(self.pauses, key=lambda pause: pause.milliseconds)

    @property
    def broken(self) -> str:
        """Say which promise was not kept; nothing is the only good answer."""
        if not self.waited and self.at_strike * 1e6 < _STILL_NANOSECONDS:
            return "nobody stood still when the window was ended: the row shows nothing"
        if self.longest.milliseconds > MAX_HOLD_SECONDS * 1000:
            return f"{self.longest.writer} stood still for {self.longest.milliseconds:,.0f} ms"
        return self.still_held or ("the hold was called proven" if self.proven else "")


def strike(here: Local, method: Method, moment: Moment, *, stop: bool) -> Outcome:
    """Bring the window to its moment, end it there, and wait until writers go on."""
    with tempfile.TemporaryDirectory(prefix="bnd-") as folder, _written(here) as load:
        order = method.ordered(here, Path(folder), moment.loss(method.lines))
        begun = time.time_ns()
        with _thawed_in_the_end(here), at(here, order, moment, Path(folder)) as reached:
            if not moment.blocked:  # the server's own list has shown the lock that waits
                _until_somebody_stands_still(load)
            struck = time.time_ns()
            held, answer = (_stopped if stop else _killed)(here, load, reached)
        load.wait_for_rows(20, since=time.time_ns())
        ledgers = load.read()
    _clean_up(here)
    return Outcome(
        pauses=[longest_pause(ledger, begun, time.time_ns()) for ledger in ledgers],
        at_strike=max(longest_pause(one, struck, struck).milliseconds for one in ledgers),
        waited=moment.blocked,
        still_held=held,
        proven=isinstance(answer, Facts) and answer.proven,
    )


def _killed(here: Local, load: Load, reached: Reached) -> tuple[str, Answer]:
    os.kill(reached.pid, signal.SIGKILL)
    load.wait_for_rows(20, since=time.time_ns())
    reached.undo()
    return still_held(here), reached.answer.result()


def _stopped(here: Local, load: Load, reached: Reached) -> tuple[str, Answer]:
    """Let it sleep for longer than any bound: by then all is over, without it."""
    os.kill(reached.pid, signal.SIGSTOP)
    try:
        end = time.monotonic() + MAX_HOLD_SECONDS
        until(lambda: time.monotonic() > end, "the bound", seconds=MAX_HOLD_SECONDS + 1)
        load.wait_for_rows(20, since=time.time_ns())
        reached.undo()
        held = still_held(here)
    finally:
        os.kill(reached.pid, signal.SIGCONT)
    return held, reached.answer.result()


def still_held(here: Local) -> str:
    """Ask the kernel and the server; return what is still held, in words."""
    # The kernel refuses to thaw what isn't frozen: that is its answer. A freeze would end by it.
    if fsfreeze("--unfreeze", here.mount).returncode == 0:
        return "the file system was frozen"
    with here.database.connect(read_timeout=5) as session, session.cursor() as cursor:
        if here.database.programs.name == "mysql":
            cursor.execute(_GLOBAL)
            [count] = cursor.fetchone() or (0,)
            return f"the database held {count} global locks" if count else ""
        cursor.execute("SET SESSION lock_wait_timeout = 1")
        try:
            for statement in _STAGES:
                cursor.execute(statement)
        except pymysql.MySQLError as error:
            return f"the database was locked: {error}"
    return ""


def _until_somebody_stands_still(load: Load) -> None:
    """See that something is held: else the row would show nothing."""

    def still() -> bool:
        last = [max(ledger.acknowledged.values(), default=0) for ledger in load.read()]
        return time.time_ns() - min(last) > _STILL_NANOSECONDS

    until(still, "a writer that stands still", seconds=2)


@contextmanager
def _thawed_in_the_end(here: Local) -> Iterator[None]:
    """Thaw by a process that knows nothing of holds, lest a promise that breaks hangs all."""
    thawer = Thawer()
    thawer.arm(here.mount)
    try:
        yield
    finally:
        thawer.act()


@contextmanager
def _written(here: Local) -> Iterator[Load]:
    files = here.mount / "files"
    files.mkdir(exist_ok=True)
    for file in files.iterdir():
        file.unlink()
    server = Server(host="127.0.0.1", port=here.database.port, password=here.database.password)
    ledgers = here.folder / "ledgers"
    with Load(server, ledgers, writers=1, engines=_ENGINES, folder=files, pause=0.004) as load:
        load.wait_for_rows(20)
        yield load


def _clean_up(here: Local) -> None:
    here.control.clear_faults()
    until(lambda: _unowned(here), "an end of the named locks", seconds=_SECONDS)
    with here.database.connect() as session, session.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {DATABASE}")  # others count a server's tables
    for snapshot in here.control.snapshots():
        here.control.vanish(snapshot["id"])


def _unowned(here: Local) -> bool:
    with here.database.connect() as session, session.cursor() as cursor:
        cursor.execute("SELECT COALESCE(IS_USED_LOCK(%s), IS_USED_LOCK(%s))", _NAMES)
        return bool(cursor.fetchone() == (None,))
