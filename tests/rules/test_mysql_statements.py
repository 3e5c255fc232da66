"""Which running statements a lock would have to wait for."""

import pytest

from disksnapshot.window.hold import HoldError
from disksnapshot.window.mysql import position
from disksnapshot.window.mysql.product import INSTANCE, STAGES, TABLES, Lock, Product
from disksnapshot.window.mysql.statements import Running, in_the_way

MARIADB, MYSQL = Product("10.11.14-MariaDB-0+deb12u2-log"), Product("9.7.4-2")
LONG = 60


def stops(text: str, lock: Lock, product: Product, seconds: int = LONG) -> bool:
    running = Running(number=7, user="app", seconds=seconds, text=text)
    return bool(in_the_way([running], lock, product, threshold_seconds=5))


@pytest.mark.parametrize(
    "text",
    [
        "UPDATE t SET a = 1",
        "  insert into t values (1)",
        "/* app:shop */ DELETE FROM t",
        "-- nightly\nLOAD DATA INFILE 'x' INTO TABLE t",
        "CALL tidy()",
        "COMMIT",
        "/* a comment that hides all of what is listed of a statement, which is a hundred letters"
        * 2,
        "CREATE TEMPORARY TABLE x AS SELECT * FROM t",
    ],
)
def test_flush_tables_waits_for_whoever_may_write(text: str) -> None:
    assert stops(text, TABLES, MYSQL)
    assert stops(text, TABLES, MARIADB)
    assert not stops(text, STAGES, MARIADB)
    assert not stops(text, INSTANCE, MYSQL)


@pytest.mark.parametrize(
    "text",
    ["SELECT * FROM t", "(SELECT a FROM t) UNION SELECT 1", "WITH x AS (SELECT 1) SELECT 2"],
)
def test_flush_tables_waits_for_readers_on_mysql_alone(text: str) -> None:
    assert stops(text, TABLES, MYSQL)
    assert not stops(text, TABLES, MARIADB)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT GET_LOCK('queue', 60)",
        "SELECT SLEEP(100)",
        "DO SLEEP(9)",
        "SHOW TABLES",
        "SET @a=1",
    ],
)
def test_what_touches_no_table_stops_no_lock(text: str) -> None:
    assert not stops(text, TABLES, MYSQL)


@pytest.mark.parametrize(
    "text",
    ["ALTER TABLE t ADD x INT", "CREATE TABLE x AS SELECT 1", "OPTIMIZE TABLE t", "drop table t"],
)
@pytest.mark.parametrize(
    ("lock", "product"), [(TABLES, MYSQL), (TABLES, MARIADB), (STAGES, MARIADB), (INSTANCE, MYSQL)]
)
def test_every_lock_is_stopped_by_a_change_of_definitions_from_a_second_on(
    text: str, lock: Lock, product: Product
) -> None:
    assert stops(text, lock, product, seconds=1)
    assert not stops(text, lock, product, seconds=0)


def test_what_is_younger_than_the_threshold_is_left_to_the_locks_own_budget() -> None:
    assert not stops("UPDATE t SET a = 1", TABLES, MYSQL, seconds=4)
    assert stops("UPDATE t SET a = 1", TABLES, MYSQL, seconds=5)


def test_a_statement_is_told_by_process_user_and_age_and_not_by_its_text() -> None:
    said = str(Running(number=7, user="app", seconds=60, text="UPDATE t SET card = '4111'"))
    assert said == "process 7 of app has been running its UPDATE statement for 60 s"


@pytest.mark.parametrize(
    ("version", "wanted", "lock"),
    [
        ("10.11.14-MariaDB", "Auto", STAGES),
        ("5.5.5-10.6.2-MariaDB", "Auto", STAGES),
        ("10.3.39-MariaDB", "Auto", TABLES),
        ("10.11.14-MariaDB", "Tables", TABLES),
        ("9.7.4", "Auto", TABLES),
        ("8.0.36", "Instance", INSTANCE),
    ],
)
def test_each_product_has_its_own_lock(version: str, wanted: str, lock: Lock) -> None:
    assert Product(version).lock(wanted) is lock


@pytest.mark.parametrize(
    ("version", "question", "right"),
    [
        ("10.11.14-MariaDB", "SHOW MASTER STATUS", "BINLOG MONITOR"),
        ("10.4.34-MariaDB", "SHOW MASTER STATUS", "REPLICATION CLIENT"),
        ("8.0.36", "SHOW MASTER STATUS", "REPLICATION CLIENT"),
        ("8.4.0", "SHOW BINARY LOG STATUS", "REPLICATION CLIENT"),
    ],
)
def test_each_product_is_asked_for_its_position_in_its_own_words(
    version: str, question: str, right: str
) -> None:
    assert position.question(Product(version)) == question
    assert position.right(Product(version)) == right


@pytest.mark.parametrize("version", ["10.11.14-MariaDB", "5.7.44"])
def test_where_there_is_no_instance_lock_none_is_taken_instead(version: str) -> None:
    with pytest.raises(HoldError) as refused:
        Product(version).lock("Instance")
    assert refused.value.reason == "LockUnsuitable"
