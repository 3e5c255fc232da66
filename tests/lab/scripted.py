"""A TLS server that answers each request with bytes that a test has written down."""

import socket
import ssl
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Self

import trustme

CLOSE = object()
Answer = bytes | object


def reply(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """Return an HTTP reply with its length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class ScriptedCloud:
    """Each connection waits for a request, then sends the next answer, piece by piece.

    CLOSE ends the connection; silence is the end of the script.
    """

    def __init__(self, folder: Path, *script: Iterable[Answer]) -> None:
        authority = trustme.CA()
        self.ca_file = str(folder / "ca.pem")
        authority.cert_pem.write_to_path(self.ca_file)
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(self._tls)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._script = list(script)
        self._lock = threading.Lock()
        self._connections: list[socket.socket] = []
        self.requests: list[bytes] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def say(self, answer: bytes) -> None:
        """Send an answer late, on the connection that was opened first."""
        with self._lock:
            self._connections[0].sendall(answer)

    def close_connections(self) -> None:
        """Close what is open, as a server does with connections that say nothing."""
        with self._lock:
            while self._connections:
                _end(self._connections.pop())

    def _accept(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return  # the end
            try:
                secure = self._tls.wrap_socket(plain, server_side=True)
            except OSError:
                continue  # the client didn't like the certificate
            with self._lock:
                self._connections.append(secure)
            threading.Thread(target=self._serve, args=(secure,), daemon=True).start()

    def _serve(self, secure: socket.socket) -> None:
        try:
            while request := secure.recv(65536):
                with self._lock:
                    self.requests.append(request)
                    pieces = self._script.pop(0) if self._script else ()
                for piece in pieces:
                    if not isinstance(piece, bytes):
                        _end(secure)
                        return
                    secure.sendall(piece)
        except OSError:
            return

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # Closing alone doesn't wake a thread that waits in accept.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        self.close_connections()


def _end(connection: socket.socket) -> None:
    with suppress(OSError):  # it may have ended already
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
