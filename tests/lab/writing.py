"""Writers that feel a hold: a client of the database, and a process that writes a file."""

import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Self

import pymysql

from lab.database import LocalMariaDB

INSERT = "INSERT INTO held.rows VALUES ()"
# Longer than any hold of a test, so that a blocked insert ends by its acknowledgement.
ANSWER_SECONDS = 30.0


class Insert(NamedTuple):
    """An insert that was acknowledged: when it was sent and acknowledged, in nanoseconds."""

    sent: int
    acknowledged: int


class Writer(threading.Thread):
    """One client that inserts a row after the other, and remembers what was acknowledged."""

    def __init__(self, database: LocalMariaDB) -> None:
        super().__init__(daemon=True)
        self._session = database.connect(read_timeout=ANSWER_SECONDS)
        self._ending = threading.Event()
        self._change = threading.Condition()
        self._inserts: list[Insert] = []

    def run(self) -> None:
        with suppress(pymysql.MySQLError), self._session.cursor() as cursor:
            while not self._ending.is_set():
                sent = time.time_ns()
                cursor.execute(INSERT)
                with self._change:
                    self._inserts.append(Insert(sent, time.time_ns()))
                    self._change.notify_all()

    @property
    def inserts(self) -> list[Insert]:
        """Return what was acknowledged up to now."""
        with self._change:
            return list(self._inserts)

    def made_between(self, start: int, end: int) -> list[Insert]:
        """Return the inserts that were sent and acknowledged between two moments.

        One that was sent before may be on the disk by then: on a busy machine its
        acknowledgement comes late.
        """
        return [item for item in self.inserts if start < item.sent and item.acknowledged < end]

    def seconds_until_acknowledged(self, after: int, patience: float = ANSWER_SECONDS) -> float:
        """Wait for the first acknowledgement after a moment; return how much later it came."""
        with self._change:
            if not self._change.wait_for(lambda: self._newest > after, patience):
                raise AssertionError(f"no insert was acknowledged in {patience:g} s")
            first = min(i.acknowledged for i in self._inserts if i.acknowledged > after)
        return (first - after) / 1e9

    @property
    def _newest(self) -> int:
        return self._inserts[-1].acknowledged if self._inserts else 0

    def __enter__(self) -> Self:
        self.start()
        self.seconds_until_acknowledged(time.time_ns())
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self.join(ANSWER_SECONDS)
        self._session.close()


# Seconds; less than any bound of a hold here, so that it wasn't the bound that let go, and enough
# for a busy machine.
AT_ONCE = 3.0


class FileWrite(threading.Thread):
    """Make a file in a folder, which blocks for as long as the file system is frozen."""

    def __init__(self, folder: Path) -> None:
        super().__init__(daemon=True)
        self._file = folder / f"write-{time.time_ns()}"
        self.start()

    def run(self) -> None:
        self._file.touch()
        self._file.unlink()

    def ended(self, seconds: float = AT_ONCE) -> bool:
        """Tell whether the write ends within `seconds`."""
        self.join(seconds)
        return not self.is_alive()
