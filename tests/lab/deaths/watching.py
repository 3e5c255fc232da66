"""Watch from outside what is held: the server's list of locks, the node's claims of freezes."""

import json
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import pymysql

from lab.cluster import Lab
from lab.cluster.waiting import until
from lab.demo import stage
from lab.freezing import fsfreeze

if TYPE_CHECKING:
    from collections.abc import Callable

ACCOUNT: Final = "snapshot"  # the operator's database user
_SECONDS_BETWEEN_LOOKS: Final = 0.01
_QUIET_SECONDS: Final = 0.5
# MariaDB's plugin lists what is granted; what is still pending shows as a running statement.
_LOCKS: Final = (
    "SELECT COUNT(*) FROM information_schema.PROCESSLIST p"
    " LEFT JOIN information_schema.METADATA_LOCK_INFO m ON m.THREAD_ID = p.ID"
    " WHERE p.USER = %s AND (m.LOCK_TYPE = 'Backup lock' OR p.INFO LIKE 'FLUSH TABLES%%')"
)


@dataclass(frozen=True, slots=True)
class Sample:
    """What was held at one moment (ns)."""

    time: int
    locked: bool
    frozen: bool


class Watch(threading.Thread):
    """Looks every 10 ms, for as long as its context is open."""

    def __init__(self, lab: Lab, database: stage.Database) -> None:
        super().__init__(daemon=True)
        self._lab = lab
        self._database = database
        self._session: pymysql.Connection[Any] | None = None
        self._ending = threading.Event()
        self.samples: list[Sample] = []

    def run(self) -> None:
        while not self._ending.wait(_SECONDS_BETWEEN_LOOKS):
            frozen = _claimed(self._lab.layout.freezer)
            self.samples.append(Sample(time.time_ns(), self._locked(), frozen))

    def until_held(self, told: "Callable[[Sample], bool]", what: str) -> None:
        """Wait for a look that saw what `told` asks for."""
        until(lambda: any(map(told, self.samples[-3:])), what, seconds=30)

    def until_free(self, since: int, seconds: float) -> int:
        """Wait until nothing was held for half a second; return when the last hold was seen."""

        def last() -> int:
            held = [s.time for s in self.samples if s.locked or s.frozen]
            return max([since, *held[-1:]])

        def quiet() -> bool:
            return bool(self.samples) and self.samples[-1].time - last() > _QUIET_SECONDS * 1e9

        until(quiet, "An end of all locks and freezes", seconds=seconds)
        return last()

    def _locked(self) -> bool:
        # A server that is gone holds no lock; one that doesn't answer is asked again.
        with suppress(pymysql.MySQLError, OSError):
            self._session = self._session or self._database.connect(
                read_timeout=2, connect_timeout=1
            )
            with self._session.cursor() as cursor:
                cursor.execute(_LOCKS, (ACCOUNT,))
                [count] = cursor.fetchone() or (0,)
                return bool(count)
        self._session = None
        return False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self.join()
        if self._session:
            self._session.close()


def _claimed(records: Path) -> bool:
    """Tell whether a freezer claims a freeze whose deadline is still to come.

    A freezer that has thawed at its deadline keeps its claim until its session ends; that it has
    thawed, the writers of files feel, and the kernel is asked at the end.
    """
    for record in records.iterdir():
        with suppress(ValueError, OSError):  # empty, or just being written
            claim = json.loads(record.read_text().strip("\0 "))
            if claim["deadline"] > time.monotonic():
                return True
    return False


def list_locks(database: stage.Database) -> None:
    """Let the server tell who holds which lock: a plugin of its own, off by default."""
    with database.connect() as session, session.cursor() as cursor:
        cursor.execute(
            "INSTALL PLUGIN IF NOT EXISTS metadata_lock_info SONAME 'metadata_lock_info'"
        )


def still_held(lab: Lab, database: stage.Database, mount: Path) -> str:
    """Ask the kernel and the server at the end; return what is still held, in words."""
    # The kernel refuses to thaw what isn't frozen: that is its answer. A freeze would end by it.
    if fsfreeze("--unfreeze", mount).returncode == 0:
        return "the file system was frozen"
    with database.connect(read_timeout=5) as session, session.cursor() as cursor:
        cursor.execute("SET SESSION lock_wait_timeout = 1")
        try:
            # Granted only where no session holds a backup lock or a global read lock.
            for step in ("START", "BLOCK_COMMIT", "END"):
                cursor.execute(f"BACKUP STAGE {step}")
        except pymysql.MySQLError as error:
            return f"the database was locked: {error}"
    return "a freeze was still claimed" if _claimed(lab.layout.freezer) else ""
