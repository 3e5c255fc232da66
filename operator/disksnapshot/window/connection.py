"""One TLS connection to the cloud, opened before the hold and read without blocking in it."""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
import zlib

from disksnapshot.window.hold import CloudAddress, HoldError

REPLY_LIMIT = 1 << 20
SEND_SECONDS = 1.0


class Connection:
    """One warm TLS connection to the cloud, read without blocking."""

    def __init__(self, address: CloudAddress, deadline: float) -> None:
        seconds = max(0.1, deadline - time.monotonic())
        self._buffer = b""
        self.error = ""
        try:
            plain = socket.create_connection((address.host, address.port), timeout=seconds)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            context = ssl.create_default_context(cafile=address.ca_file)
            self._socket = context.wrap_socket(plain, server_hostname=address.host)
        except OSError as error:
            raise HoldError("CloudError", f"can't reach {address.host}: {error}") from error

    def fileno(self) -> int:
        """Return the socket's descriptor, for select."""
        return self._socket.fileno()

    @property
    def idle(self) -> bool:
        """Tell whether a request can be sent; also takes what TLS itself says meanwhile."""
        return self.receive() is None and not self.error and not self._buffer

    def send(self, payload: bytes) -> None:
        """Send a request; an error shows as `error`, since part of it may have arrived."""
        try:
            self._socket.settimeout(SEND_SECONDS)
            self._socket.sendall(payload)
        except OSError as error:
            self.error = str(error) or type(error).__name__

    def receive(self) -> tuple[int, bytes] | None:
        """Return status and body when the reply is complete; None while it isn't."""
        ended = False
        try:
            self._socket.settimeout(0)
            while len(self._buffer) < REPLY_LIMIT:
                chunk = self._socket.recv(65536)
                if not chunk:
                    ended = True
                    break
                self._buffer += chunk
        except (ssl.SSLWantReadError, BlockingIOError):
            pass
        except OSError as error:
            ended, self.error = True, str(error) or type(error).__name__
        if len(self._buffer) >= REPLY_LIMIT:
            ended, self.error = True, "the reply was too long"
        reply = _parse(self._buffer, ended=ended)
        if reply is not None:
            self._buffer = b""
        elif ended:
            self.error = self.error or "the connection was closed without a reply"
        return reply

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


class _Source:
    """What http.client reads a response from: bytes that have arrived."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._content)


def _parse(content: bytes, *, ended: bool) -> tuple[int, bytes] | None:
    if b"\r\n\r\n" not in content:
        return None
    response = http.client.HTTPResponse(_Source(content))  # type: ignore[arg-type]  # has makefile
    try:
        response.begin()
        if response.length is None and not response.chunked and not ended:
            return None
        body = response.read()
        return response.status, _decoded(body, response.headers.get("Content-Encoding", ""))
    except (http.client.HTTPException, ValueError, zlib.error):
        return None


def _decoded(body: bytes, encoding: str) -> bytes:
    # The SDK's own headers, which are signed and sent as they are, allow gzip and deflate.
    if encoding.lower() not in {"gzip", "deflate"}:
        return body
    return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(body, REPLY_LIMIT)
