"""How many tables a crash can damage: told only by whoever may see all, and in time."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pymysql
import pytest

from disksnapshot.window.hold import HoldError
from disksnapshot.window.mysql import tables
from disksnapshot.window.mysql.product import Product
from disksnapshot.window.mysql.session import Session

MARIADB, MYSQL = Product("10.11.14-MariaDB"), Product("9.7.4")


def answering(*, sees_all: bool, found: Callable[[], tuple[object, ...]]) -> Session:
    def ask(question: str) -> tuple[Any, ...]:
        if question == tables.SEES_ALL:
            return (1 if sees_all else 0,)
        return ("app@%",) if "CURRENT_USER" in question else found()

    return cast("Session", SimpleNamespace(ask=ask))


def failing(number: int) -> Callable[[], tuple[object, ...]]:
    def fail() -> tuple[object, ...]:
        raise pymysql.err.OperationalError(number, "said the server")

    return fail


def test_a_count_is_told_by_whoever_sees_all_tables() -> None:
    assert tables.count(answering(sees_all=True, found=lambda: (3,)), MYSQL) == 3
    assert tables.count(answering(sees_all=False, found=lambda: (0,)), MYSQL) is None


@pytest.mark.parametrize(("product", "number"), [(MARIADB, 1969), (MYSQL, 3024)])
def test_a_count_that_takes_too_long_is_left_out(product: Product, number: int) -> None:
    assert tables.count(answering(sees_all=True, found=failing(number)), product) is None


def test_a_lost_session_is_not_taken_for_a_slow_count() -> None:
    with pytest.raises(pymysql.MySQLError):
        tables.count(answering(sees_all=True, found=failing(2013)), MYSQL)


@pytest.mark.parametrize(
    ("sees_all", "found", "reason"), [(True, 2, "LockUnsuitable"), (False, 0, "MySQLAccessDenied")]
)
def test_what_is_not_known_to_be_none_is_refused(sees_all: bool, found: int, reason: str) -> None:
    with pytest.raises(HoldError) as refused:
        tables.require_none(answering(sees_all=sees_all, found=lambda: (found,)), MYSQL)
    assert refused.value.reason == reason


def test_none_is_no_obstacle() -> None:
    tables.require_none(answering(sees_all=True, found=lambda: (0,)), MYSQL)
