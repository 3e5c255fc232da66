"""Answer the kubelet: alive while the watch and the work go on, ready when objects are seen."""

from __future__ import annotations

import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Probes:
    """A small HTTP server: each path has a question, and 200 or 503 is the answer."""

    def __init__(self, port: int, questions: Mapping[str, Callable[[], bool]]) -> None:
        class Handler(BaseHTTPRequestHandler):
            timeout = 5  # a half-open client must not hold a thread

            def do_GET(self) -> None:
                question = questions.get(self.path)
                well = question() if question else False
                code = HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE
                self.send_response(code if question else HTTPStatus.NOT_FOUND)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing: the kubelet asks often."""

        self._server = ThreadingHTTPServer(("", port), Handler)
        self._server.daemon_threads = True

    def start(self) -> None:
        """Answer from now on."""
        threading.Thread(target=self._server.serve_forever, name="probes", daemon=True).start()

    def stop(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()
