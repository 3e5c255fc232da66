"""`python -m lab.bounded [WORD]`: end windows at every moment, write docs/bounded.md.

With a word, only rows that have it in them are had, and no page is written.
"""

import shutil
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from disksnapshot.window.launch import prepare_server
from lab.bounded.methods import METHODS
from lab.bounded.moments import MOMENTS
from lab.bounded.page import Line, page
from lab.bounded.striking import strike
from lab.cluster.errors import LabError
from lab.database import MariaDB, Programs
from lab.local import Local, local
from lab.mysqlserver import MySQL

_PAGE: Final = Path(__file__).parents[3] / "docs" / "bounded.md"
_SERVERS: Final[Mapping[str, Callable[[], Programs]]] = {
    "mariadb": MariaDB,
    "mysql": MySQL.ensured,
}


def main() -> int:
    """Do what the command line says; 1 if a row broke a promise."""
    parser = ArgumentParser(prog="python -m lab.bounded", description=__doc__)
    parser.add_argument("word", nargs="?", default="")
    word = parser.parse_args().word
    prepare_server()
    lines = [line for name in _SERVERS for line in _lines(name, word)]
    if not word:
        _PAGE.write_text(page(lines))
        print(_PAGE.read_text())
    return 1 if any(line.broken for line in lines) else 0


def _lines(name: str, word: str) -> Iterator[Line]:
    wanted = [
        (method, moment)
        for method in METHODS
        for moment in MOMENTS
        if name in method.servers and word in f"{name}: {method.words}, {moment.words}"
    ]
    if not wanted:
        return
    with _served(name) as here:
        version = _version(here)
        for method, moment in wanted:
            line = Line(
                version=version,
                method=method.words,
                moment=moment.words,
                killed=strike(here, method, moment, stop=False),
                stopped=strike(here, method, moment, stop=True),
            )
            print(line.words, file=sys.stderr, flush=True)
            yield line


@contextmanager
def _served(name: str) -> Iterator[Local]:
    folder = Path(tempfile.mkdtemp(prefix="bnd-"))
    try:
        with local(folder, _SERVERS[name]()) as here:
            with here.database.connect() as session, session.cursor() as cursor:
                cursor.execute("CREATE DATABASE held")
                cursor.execute("CREATE TABLE held.old (n INT) ENGINE=MyISAM")
            yield here
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _version(here: Local) -> str:
    with here.database.connect() as session, session.cursor() as cursor:
        cursor.execute("SELECT VERSION()")
        [version] = cursor.fetchone() or ("",)
        product = "MariaDB" if here.database.programs.name == "mariadb" else "MySQL"
        return f"{product} {str(version).partition('-')[0]}"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LabError as error:
        sys.exit(str(error))
