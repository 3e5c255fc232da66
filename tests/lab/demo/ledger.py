"""What a writer sent and what was acknowledged to it, in a file off the disk under test.

One line an event, fields parted by tabs, times in nanoseconds of the wall clock:

    sent          number  time  checksum
    acknowledged  number  time
    failed        number  time  words
    connected     0       time
"""

import os
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final, Self

SUFFIX: Final = ".ledger"


class Engine(StrEnum):
    """What keeps the rows: a storage engine of the database, or a plain file beside it."""

    INNODB = "InnoDB"
    MYISAM = "MyISAM"
    ARIA = "Aria"
    FILE = "File"


@dataclass(frozen=True, slots=True)
class Writer:
    """One writer: the engine that it writes to, and its number among that engine's writers."""

    engine: Engine
    number: int

    @property
    def file_name(self) -> str:
        return f"{self.engine}-{self.number}{SUFFIX}"

    @classmethod
    def of(cls, file: Path) -> Self:
        engine, _, number = file.name.removesuffix(SUFFIX).rpartition("-")
        return cls(Engine(engine), int(number))

    def __str__(self) -> str:
        return f"{self.engine} writer {self.number}"


@dataclass(frozen=True, slots=True)
class Sent:
    """A row as it left the writer."""

    checksum: str
    time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """All that one writer noted. A row that was sent and not acknowledged may or may not exist."""

    writer: Writer
    sent: dict[int, Sent] = field(default_factory=dict)
    acknowledged: dict[int, int] = field(default_factory=dict)
    failures: list[tuple[int, str]] = field(default_factory=list)

    def note(self, line: str) -> None:
        match line.split("\t"):
            case ["sent", number, time, checksum]:
                self.sent[int(number)] = Sent(checksum, int(time))
            case ["acknowledged", number, time]:
                self.acknowledged[int(number)] = int(time)
            case ["failed", _, time, words]:
                self.failures.append((int(time), words))
            case ["connected", *_] | [""]:
                pass
            case _:
                # Nothing may be proven by a ledger that can't be read.
                raise ValueError(f"{self.writer} noted what can't be read: {line!r}")


class Reader:
    """Reads a ledger on from where it stopped, so that watching one costs the writers little."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._offset = 0
        self._ledger = Ledger(writer=Writer.of(file))

    def read(self) -> Ledger:
        """Read what is noted so far; a line still being written waits for the next time."""
        with self._file.open("rb") as noted:
            noted.seek(self._offset)
            whole, end, _ = noted.read().rpartition(b"\n")
        self._offset += len(whole) + len(end)
        for line in whole.decode(errors="replace").split("\n"):
            self._ledger.note(line)
        return self._ledger


def read_all(folder: Path) -> list[Ledger]:
    """Read the ledgers of all writers."""
    return [Reader(file).read() for file in sorted(folder.glob(f"*{SUFFIX}"))]


class Pen:
    """Appends events to a ledger; what it wrote survives a kill of the writer."""

    def __init__(self, file: Path) -> None:
        # No buffer of our own: a line is with the kernel before the row is with the server.
        self._file = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def sent(self, number: int, time: int, checksum: str) -> None:
        self._append("sent", number, time, checksum)

    def acknowledged(self, number: int, time: int) -> None:
        self._append("acknowledged", number, time)

    def failed(self, number: int, time: int, words: str) -> None:
        self._append("failed", number, time, " ".join(words.split()))

    def connected(self, time: int) -> None:
        self._append("connected", 0, time)

    def close(self) -> None:
        os.close(self._file)

    def _append(self, *fields: object) -> None:
        os.write(self._file, ("\t".join(map(str, fields)) + "\n").encode())
