"""Whatever listens on the port may not be a database, or may want what we can't give."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from disksnapshot.window.hold import MysqlTls
from lab.holding import refusal, with_mysql
from lab.local import Local

SALT = bytes(range(1, 21))
CAPABILITIES = (0xF7DF, 0x00FF)  # with authentication plugins, without TLS


def packet(number: int, content: bytes) -> bytes:
    return len(content).to_bytes(3, "little") + bytes([number]) + content


def greeting(plugin: bytes) -> bytes:
    low, high = (part.to_bytes(2, "little") for part in CAPABILITIES)
    words = [b"\x0a10.11.0-MariaDB\0", b"\1\0\0\0", SALT[:8], b"\0", low, b"\x2d\2\0", high]
    words += [bytes([21]), bytes(10), SALT[8:], b"\0", plugin, b"\0"]
    return packet(0, b"".join(words))


@contextmanager
def answering(*answers: bytes) -> Iterator[int]:
    """Say one thing to whoever connects, then one to each thing that is said; give the port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            guest, _ = listener.accept()
            with guest:
                for answer in answers:
                    guest.sendall(answer)
                    guest.recv(65536)

    serving = threading.Thread(target=serve)
    serving.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        serving.join()


@pytest.mark.parametrize(
    "words",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        packet(0, b"\x0a"),
        packet(0, b"\x0a10.11\0\1"),
        packet(0, b""),
        packet(0, b"\xff\x10\x04Too many connections"),
    ],
)
def test_what_is_no_database_is_unreachable_and_nothing_worse(here: Local, words: bytes) -> None:
    with answering(words) as port:
        refused = refusal(with_mysql(here.order(freeze=False), port=port))
    busy = b"Too many" in words
    assert refused.reason == ("TooManyConnections" if busy else "MySQLUnreachable")


def test_a_method_of_authentication_that_is_not_known_here_is_said(here: Local) -> None:
    switch = packet(2, b"\xfeclient_ed25519\0" + bytes(range(32)) + b"\0")
    with answering(greeting(b"mysql_native_password"), switch) as port:
        refused = refusal(with_mysql(here.order(freeze=False), port=port))
    assert refused.reason == "MySQLAccessDenied"
    assert "ed25519" in refused.message


def test_a_server_without_tls_gets_no_password_where_tls_is_asked_for(here: Local) -> None:
    tls = MysqlTls(authority=here.authority)
    with answering(greeting(b"caching_sha2_password")) as port:
        refused = refusal(with_mysql(here.order(freeze=False), port=port, tls=tls))
    assert refused.reason == "MySQLTLSFailed"
