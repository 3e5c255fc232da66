"""Ask a server that runs on a copy for the facts of its tables."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import pymysql
from pymysql.cursors import SSCursor

from lab.demo.facts import Database, Position, Rows, TableCheck
from lab.demo.ledger import Engine, Writer
from lab.demo.writer import checksum_of, table_of

_TABLES: Final = (
    "SELECT table_schema, table_name, engine FROM information_schema.tables"
    " WHERE table_type = 'BASE TABLE'"
    " AND table_schema NOT IN ('information_schema', 'performance_schema', 'sys')"
    " ORDER BY table_schema, table_name"
)


def ask(
    connection: "pymysql.Connection[Any]", position: Position | None, writers: Iterable[Writer]
) -> Database:
    """Gather all facts. Tables are checked before they are read: reading may repair them."""
    [version, gtid] = _one(connection, "SELECT VERSION(), @@gtid_binlog_pos")
    at_position = None
    if position:
        [at_position] = _one(
            connection, "SELECT BINLOG_GTID_POS(%s, %s)", position.file, position.size
        )
    checks = list(_checks(connection))
    rows, unreadable = _rows(connection, writers)
    return Database(
        version=version,
        gtid=gtid,
        gtid_at_position=at_position,
        checks=[*checks, *unreadable],
        rows=rows,
    )


def _one(connection: "pymysql.Connection[Any]", sql: str, *arguments: Any) -> list[Any]:
    [row] = _all(connection, sql, *arguments)
    return list(row)


def _all(
    connection: "pymysql.Connection[Any]", sql: str, *arguments: Any
) -> Iterator[tuple[Any, ...]]:
    with connection.cursor(SSCursor) as cursor:
        cursor.execute(sql, arguments or None)
        yield from cursor


def _checks(connection: "pymysql.Connection[Any]") -> Iterator[TableCheck]:
    for schema, table, engine in list(_all(connection, _TABLES)):
        answers = _all(connection, f"CHECK TABLE `{schema}`.`{table}` EXTENDED")
        complaints = [
            f"{kind}: {' '.join(words.split())}"
            for _, _, kind, words in answers
            if kind != "note" and (kind, words) != ("status", "OK")
        ]
        yield TableCheck(f"{schema}.{table}", engine, complaints)


def _rows(
    connection: "pymysql.Connection[Any]", writers: Iterable[Writer]
) -> tuple[Rows, list[TableCheck]]:
    rows: dict[Writer, dict[int, str]] = {}
    unreadable = []
    for engine in {writer.engine for writer in writers} - {Engine.FILE}:
        try:
            _read_table(connection, engine, rows)
        except pymysql.Error as error:
            unreadable.append(TableCheck(table_of(engine), engine, [str(error)]))
    return rows, unreadable


def _read_table(
    connection: "pymysql.Connection[Any]", engine: Engine, rows: dict[Writer, dict[int, str]]
) -> None:
    for writer, number, payload in _all(
        connection,
        f"SELECT writer, number, payload FROM {table_of(engine)}",  # noqa: S608  # the engine is a word of our own list
    ):
        rows.setdefault(Writer(engine, writer), {})[number] = checksum_of(payload)
