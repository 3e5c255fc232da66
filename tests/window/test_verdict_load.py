"""The writers whose ledgers the verdict trusts."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.database import LocalMariaDB
from lab.demo.ledger import Engine
from lab.demo.load import Load, LoadFailed, Server, longest_pause
from lab.demo.tables import ask


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LocalMariaDB]:
    with LocalMariaDB(tmp_path / "db", tmp_path / "run") as running:
        yield running


def address(server: LocalMariaDB) -> Server:
    return Server(host="127.0.0.1", port=server.port, password=server.password)


def test_what_was_acknowledged_is_what_the_database_holds(
    server: LocalMariaDB, tmp_path: Path
) -> None:
    with Load(address(server), tmp_path / "ledgers", engines=tuple(Engine)[:3]) as load:
        load.wait_for_rows(20)
    ledgers = load.read()
    assert len(ledgers) == 6
    with server.connect() as connection:
        rows = ask(connection, None, [ledger.writer for ledger in ledgers]).rows
    for ledger in ledgers:
        assert rows[ledger.writer] == {n: ledger.sent[n].checksum for n in ledger.acknowledged}


def test_writers_go_on_after_a_crash_of_the_server_and_note_it(
    server: LocalMariaDB, tmp_path: Path
) -> None:
    with Load(address(server), tmp_path / "ledgers") as load:
        load.wait_for_rows(5)
        killed = time.time_ns()
        server.kill()
        server.start()
        load.wait_for_rows(5, since=time.time_ns())
        ledgers = load.read()
    for ledger in ledgers:
        assert ledger.failures
        assert longest_pause(ledger, killed, time.time_ns()).milliseconds > 10
        numbers = sorted(ledger.sent)
        assert numbers == list(range(1, len(numbers) + 1))


def test_writers_end_with_their_load(server: LocalMariaDB, tmp_path: Path) -> None:
    with Load(address(server), tmp_path / "ledgers") as load:
        load.wait_for_rows(5)
    names = [file.read_bytes() for file in Path("/proc").glob("[0-9]*/cmdline") if file.exists()]
    assert not [name for name in names if str(load.ledgers).encode() in name]


def test_a_load_that_stands_still_is_reported_with_the_reason(
    server: LocalMariaDB, tmp_path: Path
) -> None:
    with Load(address(server), tmp_path / "ledgers") as load:
        load.wait_for_rows(5)
        server.kill()
        with pytest.raises(LoadFailed, match=r"last failure: .*Can't connect"):
            load.wait_for_rows(1, since=time.time_ns(), seconds=1)
