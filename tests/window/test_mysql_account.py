"""The way into the server: accounts, their rights, TLS, and a server that takes no more guests."""

from collections.abc import Callable

import pytest
import trustme

from disksnapshot.window.hold import MysqlTls
from lab.holding import assert_not_held, capture, refusal, with_mysql
from lab.local import DATABASE_NAME, Local
from lab.statements import SLOW_OLD_UPDATE, long_statement

Account = Callable[..., tuple[str, str]]


@pytest.fixture(scope="module", params=["mariadb", "mysql"])
def running(request: pytest.FixtureRequest) -> Local:
    server: Local = request.getfixturevalue(request.param)
    return server


@pytest.fixture
def least(here: Local) -> str:
    """Give the rights that a hold needs, and no more."""
    return f"RELOAD, {position_right(here)}, PROCESS"


def position_right(here: Local) -> str:
    return "BINLOG MONITOR" if here.database.programs.name == "mariadb" else "REPLICATION CLIENT"


def test_a_wrong_password_is_refused_and_not_repeated(here: Local) -> None:
    refused = refusal(here.order(account=("root", "wrong")))
    assert refused.reason == "MySQLAccessDenied"
    assert "1045" in refused.message
    assert "wrong" not in refused.message


def test_a_password_beyond_latin_letters_lets_in(
    here: Local, account: Account, least: str
) -> None:
    user = account("wide", least, password="пароль-é-密")  # noqa: S106 - of a throw-away account
    assert capture(here, here.order(account=user, freeze=False)).proven


@pytest.mark.parametrize("right", ["RELOAD", "position", "PROCESS"])
def test_a_missing_right_is_named_with_the_grant_that_mends_it(
    here: Local, account: Account, least: str, right: str
) -> None:
    missing = position_right(here) if right == "position" else right
    rights = ", ".join(word for word in least.split(", ") if word != missing)
    refused = refusal(here.order(account=account("lacking", rights)))
    assert refused.reason == "MySQLAccessDenied"
    assert f"GRANT {missing} ON *.* TO 'lacking'@'%'" in refused.message


def test_all_missing_rights_are_named_at_once(here: Local, account: Account, least: str) -> None:
    refused = refusal(here.order(account=account("nobody", "USAGE")))
    assert f"GRANT {least} ON *.* TO 'nobody'@'%'" in refused.message


def test_the_grant_that_is_named_is_enough(here: Local, account: Account) -> None:
    user = account("mended", "USAGE")
    refused = refusal(here.order(account=user))
    with here.database.connect() as root, root.cursor() as cursor:
        cursor.execute(refused.message.partition(": ")[2])
    assert capture(here, here.order(account=user)).proven
    assert capture(here, here.order(account=user, lock="Tables")).proven


def test_a_right_that_comes_by_a_role_counts(here: Local, account: Account, least: str) -> None:
    user = account("actor", "USAGE")
    maria = here.database.programs.name == "mariadb"
    with here.database.connect() as root, root.cursor() as cursor:
        cursor.execute("CREATE ROLE holds")
        cursor.execute(f"GRANT {least} ON *.* TO holds")
        cursor.execute("GRANT holds TO actor@'%'")
        cursor.execute(f"SET DEFAULT ROLE holds {'FOR' if maria else 'TO'} actor@'%'")
        try:
            assert capture(here, here.order(account=user, freeze=False)).proven
        finally:
            cursor.execute("DROP ROLE holds")


def test_an_account_with_the_least_rights_gives_up_in_its_budget_too(
    here: Local, account: Account, least: str
) -> None:
    with long_statement(here.database, SLOW_OLD_UPDATE):
        facts = capture(here, here.order(account=account("least", least)))
        assert facts.refusal
        assert facts.refusal.reason == "LockTimeout"
        assert_not_held(here)


def test_tables_are_counted_for_whoever_may_see_them_all(
    here: Local, account: Account, least: str
) -> None:
    blind = capture(here, here.order(account=account("blind", least), freeze=False))
    seeing = account("seeing", f"{least}, REFERENCES")
    sees = capture(here, here.order(account=seeing, freeze=False))
    assert "nonTransactionalTables" not in blind.steps[0].detail
    assert sees.steps[0].detail["nonTransactionalTables"] == 1


def test_a_server_that_takes_no_more_sessions_says_so(
    here: Local, account: Account, least: str
) -> None:
    with here.database.connect() as root, root.cursor() as cursor:
        cursor.execute("SELECT @@max_connections")
        (usual,) = cursor.fetchone() or (0,)
        user = account("guest", least)
        others = [here.database.connect() for _ in range(10)]
        cursor.execute("SET GLOBAL max_connections = 10")
        try:
            refused = refusal(here.order(account=user))
        finally:
            cursor.execute(f"SET GLOBAL max_connections = {usual}")
            for other in others:
                other.close()
    assert refused.reason == "TooManyConnections"


def test_an_account_that_may_have_one_session_only_is_told_so(
    here: Local, account: Account, least: str
) -> None:
    user = account("single", least, options="WITH MAX_USER_CONNECTIONS 1")
    assert refusal(here.order(account=user)).reason == "TooManyConnections"


def test_a_server_that_is_read_only_can_be_held(here: Local, account: Account, least: str) -> None:
    user = account("reader", least)
    setting = "read_only" if here.database.programs.name == "mariadb" else "super_read_only"
    with here.database.connect() as root, root.cursor() as cursor:
        cursor.execute(f"SET GLOBAL {setting} = ON")
        try:
            assert capture(here, here.order(account=user)).proven
        finally:
            cursor.execute(f"SET GLOBAL {setting} = OFF")
            cursor.execute("SET GLOBAL read_only = OFF")


def test_with_a_tls_block_the_certificate_is_verified_by_its_name(
    here: Local, account: Account, least: str
) -> None:
    # The server refuses this account without TLS: the proof is its own.
    user = account("veiled", least, options="REQUIRE SSL")
    order = with_mysql(
        here.order(account=user), tls=MysqlTls(authority=here.authority, server_name=DATABASE_NAME)
    )
    assert capture(here, order).proven


def test_with_a_tls_block_and_no_name_the_authority_is_verified(
    here: Local, account: Account, least: str
) -> None:
    user = account("veiled", least, options="REQUIRE SSL")
    order = with_mysql(here.order(account=user), tls=MysqlTls(authority=here.authority))
    assert capture(here, order).proven


def test_a_certificate_of_another_name_is_refused(here: Local) -> None:
    tls = MysqlTls(authority=here.authority, server_name="other.shop.svc")
    refused = refusal(with_mysql(here.order(), tls=tls))
    assert refused.reason == "MySQLTLSFailed"
    assert "other.shop.svc" in refused.message


def test_a_certificate_of_another_authority_is_refused(here: Local) -> None:
    stranger = trustme.CA().cert_pem.bytes().decode()
    for name in ("", DATABASE_NAME):
        tls = MysqlTls(authority=stranger, server_name=name)
        assert refusal(with_mysql(here.order(), tls=tls)).reason == "MySQLTLSFailed"


def test_an_authority_may_carry_comments_in_any_script(here: Local) -> None:
    tls = MysqlTls(authority=f"# Zertifikat für Bestellungen\n{here.authority}")
    assert capture(here, with_mysql(here.order(freeze=False), tls=tls)).proven


def test_an_authority_that_is_no_certificate_is_refused(here: Local) -> None:
    tls = MysqlTls(authority="nothing of the kind")
    assert refusal(with_mysql(here.order(), tls=tls)).reason == "MySQLTLSFailed"


def test_without_a_tls_block_there_is_no_tls(here: Local, account: Account, least: str) -> None:
    user = account("veiled", least, options="REQUIRE SSL")
    assert refusal(here.order(account=user)).reason == "MySQLAccessDenied"


def test_a_server_that_wants_tls_is_not_entered_without_it(
    here: Local, account: Account, least: str
) -> None:
    user = account("bare", least)
    with here.database.connect(ssl_disabled=False) as root, root.cursor() as cursor:
        cursor.execute("SET GLOBAL require_secure_transport = ON")
        try:
            refused = refusal(here.order(account=user))
        finally:
            cursor.execute("SET GLOBAL require_secure_transport = OFF")
    # MariaDB tells a guest no more than that it may not come in.
    maria = here.database.programs.name == "mariadb"
    assert refused.reason == ("MySQLAccessDenied" if maria else "MySQLTLSFailed")
