"""The commands by which a stranger comes to the same verdict without our code."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from lab.demo.facts import Cut, Position
from lab.demo.ledger import Engine, Writer
from lab.demo.writer import table_of


def without_this_code(copy: Path, cut: Cut, ledgers: Path, *, datadir: str = ".") -> list[str]:
    """List commands for a shell; a comment says what each must print."""
    return [
        *_on_the_disk(copy),
        *_on_the_binlog(cut.position, datadir),
        *_in_the_database(cut, sorted(ledgers.glob("*.ledger"))),
    ]


def _on_the_disk(copy: Path) -> Iterator[str]:
    yield f"dumpe2fs -h {copy} | grep -c needs_recovery    # 0: no journal to replay"
    yield f"e2fsck -fn {copy}; echo $?    # 0; or 4, if the check of the scratch copy ends with 0"
    yield f"cp --reflink=always {copy} {copy}.scratch"
    yield f"e2fsck -p {copy}.scratch    # may clear orphaned inodes, nothing else"
    yield f"e2fsck -fn {copy}.scratch; echo $?"
    yield f"mkdir -p /mnt/copy && mount -o loop {copy}.scratch /mnt/copy"


def _on_the_binlog(position: Position | None, datadir: str) -> Iterator[str]:
    if position is None:
        return
    file = Path("/mnt/copy") / datadir / position.file
    last = f"{position.file.rpartition('.')[0]}.[0-9]*"
    yield f"ls -l {file.with_name(last)}    # the last is {position.file}, {position.size} bytes"
    yield (
        f"mariadb-binlog {file} | grep -o 'GTID [0-9]*-[0-9]*-[0-9]*' | tail -n 1"
        f"    # GTID {position.gtid}"
    )


def _in_the_database(cut: Cut, files: Iterable[Path]) -> Iterator[str]:
    yield "# then, with a MariaDB on the copy behind the command `mariadb`:"
    if cut.position:
        file, size = cut.position.file, cut.position.size
        yield (
            f"mariadb -e \"SELECT @@gtid_binlog_pos, BINLOG_GTID_POS('{file}', {size})\""
            f"    # twice {cut.position.gtid}, if nothing was written since"
        )
    yield "mariadb-check --all-databases --extended    # OK for each"
    writers = [(Writer.of(file), file) for file in files]
    tables = sorted({table_of(w.engine) for w, _ in writers if w.engine is not Engine.FILE})
    for table in tables:
        sql = f"SELECT SUM(BINARY checksum <> SHA2(payload, 256)) FROM {table}"  # noqa: S608  # our own list
        yield f'mariadb -Ne "{sql}"    # 0'
    for writer, ledger in writers:
        yield _missing(writer, ledger, cut)


def _missing(writer: Writer, file: Path, cut: Cut) -> str:
    due = f"awk -F'\\t' '$1 == \"acknowledged\" && $3 < {cut.begun} {{print $2}}' {file} | sort"
    table = table_of(writer.engine)
    sql = f"SELECT number FROM {table} WHERE writer = {writer.number}"  # noqa: S608  # our own list
    found = f'mariadb -Ne "{sql}" | sort'
    if writer.engine is Engine.FILE:
        found = f"cut -f1 /mnt/copy/rows-{writer.number}.txt | sort"
    return f"comm -23 <({due}) <({found})    # nothing: no acknowledged row is missing"
