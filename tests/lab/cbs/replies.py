"""Send an answer of the API: as it should be, or with what a fault does to it."""

import time
from http import HTTPStatus

from lab.cbs.connections import SERVER, Connection
from lab.cbs.faults import Fault, Kind
from lab.cbs.service import Answer

_SILENCE_SECONDS = 60
_CHARSET = "application/json; charset=utf-8"
_HTML = "text/html"
_PAGE = f"<html><body><center><h1>{{}}</h1></center><hr>{SERVER}</body></html>"


def send(connection: Connection, answer: Answer) -> None:
    """Answer with 200, also for an error of the API, unless a fault takes or spoils the reply."""
    if answer.fault is None:
        connection.reply(HTTPStatus.OK, answer.body)
    else:
        spoil(connection, answer.body, answer.fault)


def spoil(connection: Connection, body: bytes, fault: Fault) -> None:
    """Do to a reply what the fault stands for."""
    match fault.kind:
        case Kind.REPLY_LOST:
            connection.wait_for_end(_SILENCE_SECONDS)
        case Kind.REPLY_CUT:
            connection.wait_for_end(0)
        case Kind.RESET:
            connection.reset()
        case Kind.SLOW:
            _send_slowly(connection, body, fault.milliseconds / 1000)
        case Kind.CUT_BODY:
            connection.wfile.write(
                connection.head(HTTPStatus.OK, len(body)) + body[: len(body) // 2]
            )
            connection.close_connection = True
        case _:
            _send_otherwise(connection, body, fault)


def _send_otherwise(connection: Connection, body: bytes, fault: Fault) -> None:
    """Send a whole reply that has something wrong inside."""
    status, content_type, content = HTTPStatus.OK, "application/json", body
    match fault.kind:
        case Kind.ERROR_WITH_CHARSET:
            content_type = _CHARSET
        case Kind.BROKEN_JSON:
            content = body[: len(body) // 2]
        case Kind.HTML:
            content_type, content = _HTML, _PAGE.format("Welcome").encode()
        case Kind.BAD_GATEWAY:
            status, content_type = HTTPStatus.BAD_GATEWAY, _HTML
            content = _PAGE.format("502 Bad Gateway").encode()
        case Kind.REPLY_LATE:
            time.sleep(fault.milliseconds / 1000)
    dated = fault.kind is not Kind.NO_DATE
    connection.wfile.write(
        connection.head(status, len(content), content_type, dated=dated) + content
    )


def _send_slowly(connection: Connection, body: bytes, seconds: float) -> None:
    """Send a byte at a time, so that no read of the client's meets its time-out."""
    for byte in connection.head(HTTPStatus.OK, len(body)) + body:
        connection.wfile.write(bytes([byte]))
        connection.wfile.flush()
        time.sleep(seconds)
