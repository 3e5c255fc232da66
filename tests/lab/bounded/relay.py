"""A way to a freezer or guard that loses one line: a program that runs another, and passes on.

    relay.py FOLDER WAY WORD FROZEN PROGRAM...

Once the file `armed` is in FOLDER, the first line that goes WAY (`in`, `out`, or `none`) and that
the expression WORD finds is lost, and so is all behind it; the file `lost` tells. An answer that
FROZEN finds leaves the file `frozen`. The end of the input is passed on at all times, as the end
of an exec session is.
"""

import os
import re
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO


class Way:
    """One direction; what comes after a loss is lost too."""

    def __init__(self, folder: Path, word: str) -> None:
        self._folder = folder
        self._word = re.compile(word.encode(), re.MULTILINE)
        self.lost = False

    def passes(self, chunk: bytes) -> bool:
        armed = (self._folder / "armed").exists()
        if armed and not self.lost and self._word.search(chunk):
            self.lost = True
            (self._folder / "lost").touch()
        return not self.lost


def _copy(source: int, target: int, way: Way) -> None:
    """Pass on what may pass until the source ends."""
    while chunk := os.read(source, 65536):
        if way.passes(chunk):
            with suppress(BrokenPipeError):
                os.write(target, chunk)


def main(folder: Path, way: str, word: str, frozen: str, argv: list[str]) -> int:
    """Run the program; end as it does."""
    never = r"(?!)"
    inward = Way(folder, word if way == "in" else never)
    outward = Outward(folder, word if way == "out" else never, frozen)
    program = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    assert program.stdin
    assert program.stdout
    asking = threading.Thread(target=_ask, args=(program.stdin, inward), daemon=True)
    asking.start()
    # When the program ends, so does the session, whoever still has something to say to it.
    _copy(program.stdout.fileno(), 1, outward)
    if outward.lost:
        asking.join()  # that it has ended is lost too
    return program.wait()


def _ask(asked: IO[bytes], way: Way) -> None:
    _copy(0, asked.fileno(), way)
    asked.close()


class Outward(Way):
    """The way of the answers."""

    def __init__(self, folder: Path, word: str, frozen: str) -> None:
        super().__init__(folder, word)
        self._frozen = re.compile(frozen.encode(), re.MULTILINE)

    def passes(self, chunk: bytes) -> bool:
        if (self._folder / "armed").exists() and self._frozen.search(chunk):
            (self._folder / "frozen").touch()
        return super().passes(chunk)


if __name__ == "__main__":
    folder, way, word, frozen, *argv = sys.argv[1:]
    sys.exit(main(Path(folder), way, word, frozen, argv))
