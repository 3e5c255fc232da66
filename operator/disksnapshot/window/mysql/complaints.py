"""Sort what a server or the way to it complains of by what a person has to do about it."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from disksnapshot.window.hold import HoldError

if TYPE_CHECKING:
    import pymysql

# Lock wait timeout; query interrupted; statement timeout of MariaDB and of MySQL; deadlock.
LOCK_REFUSED = frozenset({1205, 1317, 1969, 3024, 1213})
# Too many connections; of this user (two kinds of limit); a resource of this user is used up.
FULL = frozenset({1040, 1203, 1226})
# Wrong password; host not allowed; password expired (twice); account locked (both products);
# a method of authentication that is too old or not known here; a right is missing.
DENIED = frozenset({1045, 1130, 1698, 1820, 1862, 3118, 4151, 1251, 2059, 1227})
TLS_WANTED = 3159  # the server's require_secure_transport
TLS_REFUSED = 2026


def translated(error: pymysql.MySQLError) -> HoldError:
    """Return the same as a reason of the closed list."""
    return HoldError(_reason(error), said(error))


def said(error: pymysql.MySQLError) -> str:
    """Return the message with its number; what it was said to is never part of it."""
    if len(error.args) > 1:
        return f"{error.args[1]} ({error.args[0]})"
    return str(error)


def _reason(error: pymysql.MySQLError) -> str:
    number = _number(error)
    # PyMySQL keeps what broke the connection beside its own words for it.
    cause = getattr(error, "original_exception", None)
    if isinstance(cause, ssl.SSLError) or number in {TLS_WANTED, TLS_REFUSED}:
        return "MySQLTLSFailed"
    if number in FULL:
        return "TooManyConnections"
    if number in LOCK_REFUSED:
        return "LockTimeout"
    return "MySQLAccessDenied" if number in DENIED else "MySQLUnreachable"


def _number(error: pymysql.MySQLError) -> int:
    return error.args[0] if error.args and isinstance(error.args[0], int) else 0
