"""An API server in trouble: each request meets what a test has written down for it."""

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from typing import Any

import trustme

Fate = Callable[[BaseHTTPRequestHandler], None]


def say(status: int, content: Any = None, **headers: str) -> Fate:
    """Answer with a status; a header Retry-After is written `Retry_After`."""
    body = content if isinstance(content, bytes) else json.dumps(content or {}).encode()

    def befall(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in ({"Content_Type": "application/json"} | headers).items():
            request.send_header(name.replace("_", "-"), value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    return befall


def hang_up(request: BaseHTTPRequestHandler) -> None:
    """End the connection without a word."""
    request.close_connection = True


def break_off(request: BaseHTTPRequestHandler) -> None:
    """Send half of an answer."""
    request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
    request.close_connection = True


def garble(request: BaseHTTPRequestHandler) -> None:
    """Send what is no TLS where TLS is spoken, as a broken load balancer does."""
    with socket.socket(fileno=os.dup(request.connection.fileno())) as beneath:
        beneath.sendall(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")
    request.close_connection = True


class Troubled:
    """A server on loopback, under TLS; what nothing is written down for is answered by `usual`."""

    def __init__(self, folder: Path, usual: Fate) -> None:
        self.asked: list[str] = []
        self.askers: list[str] = []  # by what they gave as their proof
        self.fates: list[Fate] = []
        self.usual = usual
        self.over = threading.Event()  # when silence ends
        self.ca_file = str(folder / "ca.pem")
        authority = trustme.CA()
        authority.cert_pem.write_to_path(self.ca_file)
        tls = SSLContext(PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(tls)
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._server.socket = tls.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.url = f"https://127.0.0.1:{self._server.server_port}"

    def fall_silent(self, _request: BaseHTTPRequestHandler) -> None:
        """Take a request, and say nothing to it until the end."""
        self.over.wait()

    def befall(self, request: BaseHTTPRequestHandler) -> None:
        """Let a request meet its fate."""
        length = int(request.headers.get("Content-Length") or 0)
        request.rfile.read(length)
        self.asked.append(f"{request.command} {request.path}")
        self.askers.append(str(request.headers.get("Authorization")))
        fate = self.fates.pop(0) if self.fates else self.usual
        with suppress(OSError):  # who asked may have gone
            fate(request)

    @contextmanager
    def serving(self) -> Iterator["Troubled"]:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield self
        finally:
            self.over.set()
            self._server.shutdown()
            self._server.server_close()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_: Any) -> None:
        """Say nothing: whoever asks goes away in the middle, on purpose."""


def _handler(troubled: Troubled) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            self.do_GET = self.do_PATCH = self.do_POST = lambda: troubled.befall(self)
            super().handle_one_request()

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
