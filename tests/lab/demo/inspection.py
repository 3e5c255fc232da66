"""Gather the facts of one copy in order, and judge them: disk first, then the database on it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pymysql

from lab.cluster.errors import LabError
from lab.database import DatabaseFailed, LocalServer
from lab.demo import commands
from lab.demo.copy import examine, mounted_clone
from lab.demo.facts import Cut, Database, NoDatabase
from lab.demo.ledger import Ledger, read_all
from lab.demo.tables import ask
from lab.demo.verdict import Verdict, judge

# Gives a connection to a server that runs on the copy, while the context is open.
Serve = Callable[[], AbstractContextManager["pymysql.Connection[Any]"]]
_FAILURES: Final = (DatabaseFailed, LabError, pymysql.Error, OSError)


def inspect(  # noqa: PLR0913  # each is a fact of the copy that only the caller knows
    title: str,
    copy: Path,
    cut: Cut,
    ledgers: Path,
    serve: Serve,
    *,
    scratch: Path,
    datadir: str = ".",
    folder: str = ".",
) -> Verdict:
    """Judge a copy. The file `copy` is only read, and `serve` is called after that.

    `scratch` is a folder on the same reflink store; `datadir` is where the database lies in the
    copy's file system, `folder` where plain files do.
    """
    disk = examine(copy, scratch, datadir=datadir, folder=folder)
    noted = read_all(ledgers)
    database = _database(serve, cut, noted)
    steps = commands.without_this_code(copy, cut, ledgers, datadir=datadir)
    return replace(judge(title, cut, noted, disk, database), commands=steps)


def _database(serve: Serve, cut: Cut, ledgers: Sequence[Ledger]) -> Database | NoDatabase:
    try:
        with serve() as connection:
            return ask(connection, cut.position, [ledger.writer for ledger in ledgers])
    except _FAILURES as error:
        return NoDatabase(str(error))


@contextmanager
def served_here(
    copy: Path, scratch: Path, run: Path, *, datadir: str = ".", **options: Any
) -> Iterator["pymysql.Connection[Any]"]:
    """Start a server of this machine on a clone of the copy, and connect to it.

    A MariaDB unless `programs` says otherwise; the options are LocalServer's own.
    """
    with (
        mounted_clone(copy, scratch) as root,
        LocalServer(root / datadir, run, **options) as server,
        server.connect() as connection,
    ):
        yield connection
