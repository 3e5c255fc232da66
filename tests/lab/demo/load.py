"""Keep a database under write load, and tell how long its writers stood still."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, Self

import pymysql

from lab.demo.ledger import Engine, Ledger, Pen, Reader, Writer, read_all
from lab.demo.writer import DATABASE, PASSWORD_VARIABLE, table_of

_SECONDS_TO_STOP: Final = 15.0
_SECONDS_BETWEEN_LOOKS: Final = 0.02
_SOURCE_ROOT: Final = Path(__file__).parents[2]


class LoadFailed(Exception):  # noqa: N818  # reads as what happened
    """The writers did not do what was asked; the message says what they noted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where the database is, and who writes."""

    host: str
    port: int
    user: str = "root"
    password: str = ""

    def connect(self) -> "pymysql.Connection[Any]":
        return pymysql.connect(
            host=self.host,
            port=self.port,
            user=self.user,
            password=self.password,
            autocommit=True,
            # Outlasts an instant in which a Service leads nowhere, as while its rules are renewed.
            connect_timeout=20,
        )


class Load:
    """Writers, a process each, so that no interpreter lock blurs their clocks.

    `ledgers` and `folder` decide what is proven: the first must be off the disk under test, the
    second (for writers of plain files) on it.
    """

    def __init__(
        self,
        server: Server,
        ledgers: Path,
        *,
        writers: int = 2,
        engines: Sequence[Engine] = (Engine.INNODB,),
        folder: Path | None = None,
        pause: float = 0.001,
    ) -> None:
        self.server = server
        self.ledgers = ledgers
        self.writers = [Writer(engine, n) for engine in engines for n in range(writers)]
        self._folder = folder
        self._pause = pause
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> Self:
        """Make the tables and the writers, and return when each has had a row acknowledged."""
        self.ledgers.mkdir(parents=True, exist_ok=True)
        for old in self.ledgers.glob("*.ledger"):
            old.unlink()
        self._create_tables()
        for writer in self.writers:
            Pen(self.ledgers / writer.file_name).close()
            self._processes.append(self._begin(writer))
        self.wait_for_rows(1)
        return self

    def stop(self) -> None:
        """Let each writer end after its row, and wait for it."""
        for process in self._processes:
            assert process.stdin
            process.stdin.close()
        for process in self._processes:
            try:
                process.wait(_SECONDS_TO_STOP)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes.clear()

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_: object) -> None:
        self.stop()

    def read(self) -> list[Ledger]:
        """Read what all writers noted so far."""
        return read_all(self.ledgers)

    def wait_for_rows(self, count: int, *, since: int = 0, seconds: float = 30) -> None:
        """Return when every writer had `count` rows acknowledged after the time `since`."""
        self._wait(lambda ledger: _after(ledger, since) >= count, seconds)

    def _wait(self, reached: Callable[[Ledger], bool], seconds: float) -> None:
        end = time.monotonic() + seconds
        readers = [Reader(self.ledgers / writer.file_name) for writer in self.writers]
        while True:
            ledgers = [reader.read() for reader in readers]
            if all(map(reached, ledgers)):
                return
            if time.monotonic() > end:
                words = "; ".join(_words(ledger) for ledger in ledgers)
                raise LoadFailed(f"Not all writers went on within {seconds:g} s: {words}")
            time.sleep(_SECONDS_BETWEEN_LOOKS)

    def _create_tables(self) -> None:
        with self.server.connect() as connection, connection.cursor() as cursor:
            # No replay of an older load: its numbers would be taken for this one's.
            cursor.execute(f"DROP DATABASE IF EXISTS {DATABASE}")
            cursor.execute(f"CREATE DATABASE {DATABASE}")
            for engine in {writer.engine for writer in self.writers} - {Engine.FILE}:
                cursor.execute(
                    f"CREATE TABLE {table_of(engine)} (writer INT, number BIGINT,"
                    " payload VARCHAR(1000) CHARACTER SET ascii NOT NULL,"
                    " checksum CHAR(64) CHARACTER SET ascii NOT NULL,"
                    f" PRIMARY KEY (writer, number)) ENGINE={engine}"
                )

    def _begin(self, writer: Writer) -> subprocess.Popen[bytes]:
        argv = [sys.executable, "-m", "lab.demo.writer", f"--engine={writer.engine}"]
        argv += [f"--number={writer.number}", f"--ledgers={self.ledgers}"]
        argv += [f"--pause={self._pause}", f"--host={self.server.host}"]
        argv += [f"--port={self.server.port}", f"--user={self.server.user}"]
        argv += [f"--folder={self._folder}"] if self._folder else []
        surroundings = os.environ | {
            PASSWORD_VARIABLE: self.server.password,
            "PYTHONPATH": str(_SOURCE_ROOT),
        }
        return subprocess.Popen(argv, stdin=subprocess.PIPE, env=surroundings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """The longest time that a writer waited for its next acknowledgement; times in ns."""

    writer: Writer
    begun: int
    ended: int

    @property
    def milliseconds(self) -> float:
        return (self.ended - self.begun) / 1e6


def longest_pause(ledger: Ledger, begun: int, ended: int) -> Pause:
    """Find the longest gap between two acknowledgements that touches the window."""
    times = sorted(ledger.acknowledged.values())
    pauses = [
        Pause(writer=ledger.writer, begun=one, ended=next_one)
        for one, next_one in _gaps(times, begun, ended)
    ]
    return max(pauses, key=lambda pause: pause.ended - pause.begun)


def _gaps(times: Sequence[int], begun: int, ended: int) -> Iterator[tuple[int, int]]:
    # A writer that was not heard of since counts as standing still until the window's end.
    edges = [min([begun, *times[:1]]), *times, max([ended, *times[-1:]])]
    return ((one, other) for one, other in pairwise(edges) if other >= begun and one <= ended)


def _after(ledger: Ledger, since: int) -> int:
    return sum(time > since for time in ledger.acknowledged.values())


def _words(ledger: Ledger) -> str:
    last = f", last failure: {ledger.failures[-1][1]}" if ledger.failures else ""
    return f"{ledger.writer} had {len(ledger.acknowledged)} rows acknowledged{last}"
