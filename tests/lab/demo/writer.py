"""One writer, a process of its own: insert row after row and note each in its ledger.

It stops when its input ends, so it can't outlive the process that started it.
"""

import hashlib
import os
import random
import sys
import threading
import time
from abc import abstractmethod
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any, Final, Protocol

import pymysql

from lab.demo.ledger import Engine, Pen, Writer

DATABASE: Final = "lab_load"
PASSWORD_VARIABLE: Final = "LAB_LOAD_PASSWORD"  # noqa: S105  # the name of a variable
_SHORTEST_PAYLOAD: Final = 100
_LONGEST_PAYLOAD: Final = 900
_SECONDS_BETWEEN_TRIES: Final = 0.05
# Longer than any hold: a pause is to be measured, not to be cut short by the client.
_SECONDS_TO_ANSWER: Final = 120


def table_of(engine: Engine) -> str:
    """Name the table that writers of this engine insert into."""
    return f"{DATABASE}.rows_{engine.lower()}"


def checksum_of(payload: str) -> str:
    return hashlib.sha256(payload.encode()).hexdigest()


class Target(Protocol):
    """A place for rows. `put` returns when the row was acknowledged."""

    @abstractmethod
    def open(self) -> None: ...

    @abstractmethod
    def put(self, number: int, payload: str, checksum: str) -> None: ...


class Table:
    """A table of the database, over TCP, one transaction a row."""

    def __init__(self, writer: Writer, server: dict[str, Any]) -> None:
        self._writer = writer
        self._server = server
        self._statement = (
            f"INSERT INTO {table_of(writer.engine)} (writer, number, payload, checksum)"  # noqa: S608  # the engine is a word of our own list
            " VALUES (%s, %s, %s, %s)"
        )
        self._connection: pymysql.Connection[Any] | None = None

    def open(self) -> None:
        if self._connection and self._connection.open:
            self._connection.close()
        self._connection = pymysql.connect(**self._server)

    def put(self, number: int, payload: str, checksum: str) -> None:
        assert self._connection
        with self._connection.cursor() as cursor:
            cursor.execute(self._statement, (self._writer.number, number, payload, checksum))


class PlainFile:
    """A file on the disk under test, one line a row, left to the page cache on purpose."""

    def __init__(self, writer: Writer, folder: Path) -> None:
        self._file = folder / f"rows-{writer.number}.txt"
        self._descriptor = -1

    def open(self) -> None:
        self._descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def put(self, number: int, payload: str, checksum: str) -> None:
        os.write(self._descriptor, f"{number}\t{checksum}\t{payload}\n".encode())


def write_rows(target: Target, pen: Pen, stop: threading.Event, pause: float) -> None:
    """Put rows until told to stop; a failed row's number is never used again."""
    number = 0
    while not stop.is_set():
        try:
            target.open()
            pen.connected(time.time_ns())
            while not stop.wait(pause):
                number += 1
                _put(target, pen, number)
        except (pymysql.Error, OSError) as error:
            pen.failed(number, time.time_ns(), str(error))
            stop.wait(_SECONDS_BETWEEN_TRIES)


def _put(target: Target, pen: Pen, number: int) -> None:
    size = random.randint(_SHORTEST_PAYLOAD, _LONGEST_PAYLOAD)
    payload = random.randbytes(size // 2).hex()
    checksum = checksum_of(payload)
    pen.sent(number, time.time_ns(), checksum)
    target.put(number, payload, checksum)
    pen.acknowledged(number, time.time_ns())


def _stop_at_end_of_input(stop: threading.Event) -> None:
    sys.stdin.buffer.read()
    stop.set()


def _parse() -> Namespace:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--engine", type=Engine, required=True)
    parser.add_argument("--number", type=int, required=True)
    parser.add_argument("--ledgers", type=Path, required=True)
    parser.add_argument("--pause", type=float, required=True, help="seconds between two rows")
    parser.add_argument("--host")
    parser.add_argument("--port", type=int)
    parser.add_argument("--user")
    parser.add_argument("--folder", type=Path, help="where plain files go")
    return parser.parse_args()


def _target(writer: Writer, args: Namespace) -> Target:
    if writer.engine is Engine.FILE:
        return PlainFile(writer, args.folder)
    server = {
        "host": args.host,
        "port": args.port,
        "user": args.user,
        "password": os.environ.get(PASSWORD_VARIABLE, ""),
        "autocommit": True,
        "connect_timeout": 5,
        "read_timeout": _SECONDS_TO_ANSWER,
    }
    return Table(writer, server)


def main() -> None:
    args = _parse()
    writer = Writer(args.engine, args.number)
    pen = Pen(args.ledgers / writer.file_name)
    stop = threading.Event()
    threading.Thread(target=_stop_at_end_of_input, args=(stop,), daemon=True).start()
    write_rows(_target(writer, args), pen, stop, args.pause)


if __name__ == "__main__":
    main()
