"""Serve HTTP/1.1 with keep-alive, a thread a connection, and close every connection at the end."""

import os
import socket
import socketserver
import ssl
import struct
import sys
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any, Self

from lab.cbs.errors import StartError

_HANDSHAKE_SECONDS = 10
SERVER = "nginx"


class HttpServer(socketserver.ThreadingTCPServer):
    """A listening socket, with or without TLS."""

    allow_reuse_address = True
    request_queue_size = 128
    # Joined at the end, not left behind: their connections are cut first.
    daemon_threads = False

    def __init__(
        self,
        address: tuple[str, int],
        handler: type[BaseHTTPRequestHandler],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._tls = tls
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__(address, handler)
        self._loop = threading.Thread(target=self.serve_forever, args=(0.05,), name="accept")

    @property
    def address(self) -> str:
        """Host and port, as a client writes them."""
        host, port = self.server_address[:2]
        return f"{host!s}:{port}"

    def __enter__(self) -> Self:
        """Serve in the background."""
        self._loop.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop serving, cut every connection and wait for their threads."""
        self.shutdown()
        self._loop.join()
        with self._open_lock:
            for connection in self._open:
                _cut(connection)
        self.server_close()

    def server_bind(self) -> None:
        """Take the address, or say which one is taken."""
        try:
            super().server_bind()
        except OSError as error:
            host, port = self.server_address[:2]
            raise StartError(f"Can't listen on {host!s}:{port}: {error.strerror}.") from error

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept; the handshake comes later, in the connection's own thread."""
        connection, address = super().get_request()
        if self._tls is not None:
            connection = self._tls.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        with self._open_lock:
            self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        """Forget a connection when it ends."""
        if isinstance(request, socket.socket):
            with self._open_lock:
                self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep silent about clients that go away; that is what killed clients do."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class Connection(BaseHTTPRequestHandler):
    """One keep-alive connection."""

    protocol_version = "HTTP/1.1"
    timeout = 75  # seconds of silence between requests, as nginx has it
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave in one segment

    def setup(self) -> None:
        """Shake hands in this thread, so that a slow client delays nobody else."""
        if isinstance(self.request, ssl.SSLSocket):
            self.request.settimeout(_HANDSHAKE_SECONDS)
            self.request.do_handshake()
        super().setup()

    def version_string(self) -> str:
        """Name the server that the real service shows."""
        return SERVER

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Write no access log: the calls are noted where they act."""

    def body(self) -> bytes:
        """Read the request's body; without a length there is none."""
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def reply(self, status: int, content: bytes) -> None:
        """Send JSON, with the exact content type that the real service sends."""
        self.wfile.write(self.head(status, len(content)) + content)

    def head(
        self,
        status: int,
        length: int,
        content_type: str = "application/json",
        *,
        dated: bool = True,
    ) -> bytes:
        """Lay out a reply's head, for a body of this length."""
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", f"Server: {SERVER}"]
        if dated:
            lines.append(f"Date: {self.date_time_string()}")
        lines += [f"Content-Type: {content_type}", f"Content-Length: {length}", "", ""]
        return "\r\n".join(lines).encode()

    def reset(self) -> None:
        """Break the connection off so that the client gets a reset and not an end."""
        self.close_connection = True
        linger = struct.pack("ii", 1, 0)  # on, for no time: close sends RST
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        # Past TLS and past the server, which would both say goodbye first.
        os.close(self.connection.detach())

    def wait_for_end(self, seconds: float) -> None:
        """Say nothing until the client goes away, at most this long; then close."""
        self.close_connection = True
        self.connection.settimeout(seconds)
        try:
            while self.connection.recv(4096):
                pass
        except OSError:
            return


def _cut(connection: socket.socket) -> None:
    try:
        # The plain socket's method: an SSLSocket's own would pull TLS from under its thread.
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
    except OSError:
        return  # it ended by itself meanwhile
