"""A MySQL pod: held through the operator over TLS, and a copy of it that is looked at."""

import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import pymysql
import pytest

from lab.cluster.waiting import until
from lab.database import LocalServer
from lab.demo import stage, taken
from lab.demo.copy import examine, mounted_clone
from lab.demo.finding import Mark
from lab.demo.journal import judge_file_system
from lab.demo.products import MYSQL
from lab.demo.shop import Shop, condition
from lab.disks import images
from lab.mysqlserver import MySQL

AUTHORITY = "ledger-ca"


@pytest.fixture(scope="module")
def ledger(shop: Shop) -> Iterator[Shop]:
    """Give a shop whose database is MySQL, with rows that are written all the time."""
    images.ensure_mysql(shop.lab.layout)
    database = stage.start_database(shop.lab, shop.namespace, "ledger", product=MYSQL)
    with database.connect() as session, session.cursor() as cursor:
        cursor.execute("CREATE DATABASE shop")
        cursor.execute("CREATE TABLE shop.rows (n SERIAL)")
    # The certificates that MySQL made for itself, as an administrator would take them.
    made = stage.mount_of(shop.lab, database) / "data" / "ca.pem"
    metadata = {"name": AUTHORITY, "namespace": shop.namespace}
    content = {"ca.crt": made.read_text()}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": content}
    stage.apply(shop.lab, secret)
    yield Shop(shop.lab, database)
    stage.remove_database(shop.lab, database)


def over_tls(ledger: Shop, **changed: Any) -> dict[str, Any]:
    return ledger.mysql(tls={"caSecretRef": {"name": AUTHORITY}}, **changed)


@contextmanager
def written(ledger: Shop) -> Iterator[list[int]]:
    """Write rows meanwhile; give the numbers of those that were acknowledged."""
    ending, numbers = threading.Event(), list[int]()

    def write() -> None:
        with ledger.database.connect(read_timeout=30) as session, session.cursor() as cursor:
            while not ending.is_set():
                cursor.execute("INSERT INTO shop.rows VALUES ()")
                numbers.append(cursor.lastrowid)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield numbers
    finally:
        ending.set()
        writer.join()


@pytest.fixture(scope="module")
def held(ledger: Shop) -> tuple[dict[str, Any], int]:
    """One held snapshot under load, and the last row that was acknowledged before it."""
    with written(ledger) as numbers:
        until(lambda: len(numbers) > 10, "rows are written", seconds=10)
        before = numbers[-1]
        body = ledger.ready(ledger.snapshot(quiesce=over_tls(ledger)))
    return body, before


def test_a_mysql_server_is_held_over_tls_and_proven(held: tuple[dict[str, Any], int]) -> None:
    status = held[0]["status"]
    words = (status["consistency"], status["fileSystem"], status["application"])
    assert words == ("ApplicationConsistent", "Clean", "Proven")
    said = status["quiesce"]["steps"][0]["mysql"]
    assert said["lock"] == "Tables"
    assert said["nonTransactionalTables"] == 0
    assert said["serverVersion"].startswith("9.")


def test_its_copy_is_clean_and_goes_on_where_the_status_says(
    ledger: Shop, held: tuple[dict[str, Any], int]
) -> None:
    body, before = held
    said = body["status"]["quiesce"]["steps"][0]["mysql"]
    copy = taken.file_of(ledger.lab, body["status"]["snapshotID"])
    scratch = ledger.lab.layout.store / "scratch-of-mysql"
    run = ledger.lab.layout.state / "scratch" / "mysql"
    try:
        disk = examine(copy, scratch, datadir="data")
        finding = judge_file_system(disk.file_system)
        assert finding.mark is Mark.PROVEN, finding.sentence
        assert disk.binlogs[said["binlogFile"]] == said["binlogPosition"]
        with (
            mounted_clone(copy, scratch) as root,
            LocalServer(
                root / "data", run, password=ledger.database.password, programs=MySQL.ensured()
            ) as server,
        ):
            assert_whole(server, said, before)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        shutil.rmtree(run, ignore_errors=True)


def assert_whole(server: LocalServer, said: Mapping[str, Any], before: int) -> None:
    with server.connect() as session, session.cursor() as cursor:
        cursor.execute("SELECT REPLACE(@@global.gtid_executed, '\n', '')")
        assert cursor.fetchone() == (said["gtid"],)
        cursor.execute("CHECK TABLE shop.rows EXTENDED")
        assert [row[3] for row in cursor.fetchall()] == ["OK"]
        cursor.execute("SELECT MAX(n), COUNT(*) FROM shop.rows")
        last, count = cursor.fetchone() or (0, 0)
    assert last == count
    assert last >= before


def test_lock_instance_counts_as_the_freeze_alone(ledger: Shop) -> None:
    body = ledger.ready(ledger.snapshot(quiesce=over_tls(ledger, lock="Instance")))
    status = body["status"]
    words = (status["consistency"], status["fileSystem"], status["application"])
    assert words == ("FilesystemConsistent", "Clean", "None")
    assert "binlogPosition" not in status["quiesce"]["steps"][0]["mysql"]


@pytest.mark.parametrize(
    ("tls", "reason", "named"),
    [
        (None, "MySQLAccessDenied", "1045"),
        ({"caSecretRef": {"name": "absent"}}, "SecretNotFound", "absent"),
        ({"caSecretRef": {"name": "ledger-snapshot"}}, "SecretIncomplete", "ca.crt"),
        (
            {"caSecretRef": {"name": AUTHORITY}, "serverName": "ledger.shop.svc"},
            "MySQLTLSFailed",
            "ledger.shop.svc",
        ),
    ],
)
def test_what_is_wrong_with_the_way_in_is_said_before_anything_is_held(
    ledger: Shop, tls: dict[str, Any] | None, reason: str, named: str
) -> None:
    body = ledger.snapshot(quiesce=ledger.mysql(**({"tls": tls} if tls else {})))
    ledger.apply(body)
    seen = ledger.until_reason(body, reason)
    assert named in condition(seen, "Ready")["message"]
    assert ledger.in_the_cloud(body) == []


def test_a_long_statement_is_named_in_the_status_without_its_text(ledger: Shop) -> None:
    rule = {"thresholdSeconds": 1, "waitSeconds": 0}
    body = ledger.snapshot(quiesce=over_tls(ledger, longStatement=rule))
    with ledger.database.connect() as session:
        number = session.thread_id()  # type: ignore[no-untyped-call]  # half typed
        reader = threading.Thread(target=read_slowly, args=(session,))
        reader.start()
        try:
            until(lambda: age(ledger, number) >= 1, "a statement a second old", seconds=10)
            ledger.apply(body)
            seen = ledger.until_reason(body, "LongStatement")
        finally:
            with ledger.database.connect() as other, other.cursor() as cursor:
                cursor.execute(f"KILL QUERY {number}")
            reader.join()
    message = condition(seen, "Ready")["message"]
    assert f"process {number} of root has been running its SELECT statement" in message
    assert "shop.rows" not in message


def read_slowly(session: "pymysql.Connection[Any]") -> None:
    # A sleep that is killed ends the statement in order.
    with session.cursor() as cursor, suppress(pymysql.MySQLError):
        cursor.execute("SELECT SLEEP(60) FROM shop.rows LIMIT 1")


def age(ledger: Shop, number: int) -> int:
    with ledger.database.connect() as session, session.cursor() as cursor:
        cursor.execute("SHOW PROCESSLIST")
        return next((row[5] for row in cursor.fetchall() if row[0] == number and row[7]), 0)
