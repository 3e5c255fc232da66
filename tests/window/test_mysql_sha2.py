"""MySQL's own way to log in, caching_sha2_password, with and without TLS."""

from collections.abc import Callable

import pytest

from disksnapshot.window.hold import MysqlTls
from lab.holding import capture, refusal, with_mysql
from lab.local import DATABASE_NAME, Local

RIGHTS = "RELOAD, REPLICATION CLIENT, PROCESS"
Account = Callable[..., tuple[str, str]]


@pytest.fixture(scope="module")
def running(mysql: Local) -> Local:
    return mysql


@pytest.fixture
def user(here: Local, account: Account) -> tuple[str, str]:
    """Give an account whose password the server doesn't have in its cache."""
    name, password = account("sha", RIGHTS)
    with here.database.connect() as root, root.cursor() as cursor:
        cursor.execute("SELECT plugin FROM mysql.user WHERE user = 'sha'")
        assert cursor.fetchone() == ("caching_sha2_password",)
        cursor.execute("FLUSH PRIVILEGES")  # it empties that cache
    return name, password


def test_without_tls_the_password_goes_under_the_servers_key(
    here: Local, user: tuple[str, str]
) -> None:
    assert capture(here, here.order(account=user, freeze=False)).proven
    # And from the cache.
    assert capture(here, here.order(account=user, freeze=False)).proven


def test_with_tls_it_goes_through_the_verified_channel(here: Local, user: tuple[str, str]) -> None:
    tls = MysqlTls(authority=here.authority, server_name=DATABASE_NAME)
    assert capture(here, with_mysql(here.order(account=user, freeze=False), tls=tls)).proven


def test_a_wrong_password_is_denied_without_the_cache_too(
    here: Local, user: tuple[str, str]
) -> None:
    refused = refusal(here.order(account=(user[0], "wrong"), freeze=False))
    assert refused.reason == "MySQLAccessDenied"
