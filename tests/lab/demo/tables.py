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
    [version] = _one(connection, "SELECT VERSION()")
    gtids = _mariadb if "mariadb" in version.lower() else _mysql
    gtid, at_position = gtids(connection, position)
    checks = list(_checks(connection))
    rows, unreadable = _rows(connection, writers)
    return Database(
        version=version,
        gtid=gtid,
        gtid_at_position=at_position,
        checks=[*checks, *unreadable],
        rows=rows,
    )


def _mariadb(
    connection: "pymysql.Connection[Any]", position: Position | None
) -> tuple[str, str | None]:
    [gtid] = _one(connection, "SELECT @@gtid_binlog_pos")
    if not position:
        return gtid, None
    asked = (position.file, position.size)
    return gtid, _one(connection, "SELECT BINLOG_GTID_POS(%s, %s)", *asked)[0]


def _mysql(
    connection: "pymysql.Connection[Any]", position: Position | None
) -> tuple[str, str | None]:
    [gtid] = _one(connection, "SELECT REPLACE(@@global.gtid_executed, '\n', '')")
    if not position:
        return gtid, None
    # The file that this start has begun says first which transactions are in those before it.
    base, _, number = position.file.rpartition(".")
    following = f"{base}.{int(number) + 1:0{len(number)}d}"
    events = _all(connection, f"SHOW BINLOG EVENTS IN '{following}' LIMIT 2")
    said = [event[5] for event in events if event[2] == "Previous_gtids"]
    return gtid, said[0].replace("\n", "") if said else None


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
