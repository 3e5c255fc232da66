"""Read a reply within a time: all of it, however its bytes come.

A time-out of requests is for each read of the socket, so that a reply whose head or body trickles
never meets it.
"""

from __future__ import annotations

import io
import time
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any, ClassVar

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping

    import requests
    from urllib3 import PoolManager

BODY_LIMIT = 16 << 20
_CHUNK = 1 << 16


def limit(session: requests.Session) -> None:
    """Let the time-outs of a session's calls be for all of a reply, which is read at once."""
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter())
    session.hooks["response"].append(_read)


def _read(response: requests.Response, **_: object) -> None:
    body = b""
    # One read of the socket at a time; reading a number of bytes would wait for all of them.
    while chunk := response.raw.read1(_CHUNK, decode_content=True):
        body += chunk
        if len(body) > BODY_LIMIT:
            response.raw.close()  # what is left of it must not be taken for the next reply
            raise OSError("the reply is too long")
    response._content, response._content_consumed = body, True  # noqa: SLF001 - as requests does


class _InTime(io.RawIOBase):
    """What comes from a socket until a deadline."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, deadline: float) -> None:
        self._raw = raw
        self._sock = sock
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the reply was too slow")
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Reply(HTTPResponse):
    """A reply that takes no longer in all than the socket's time-out, from head to end."""

    def __init__(self, sock: socket.socket, *arguments: Any, **named: Any) -> None:
        super().__init__(sock, *arguments, **named)
        seconds = sock.gettimeout()
        if seconds is not None:
            raw = _InTime(self.fp.detach(), sock, time.monotonic() + seconds)
            self.fp = io.BufferedReader(raw)


class _Connection(HTTPConnection):
    response_class = _Reply


class _TlsConnection(HTTPSConnection):
    response_class = _Reply


class HttpPool(HTTPConnectionPool):
    """Our connections to one host; errors show this class's name."""

    ConnectionCls = _Connection


class HttpsPool(HTTPSConnectionPool):
    """The same over TLS."""

    ConnectionCls = _TlsConnection


class _Adapter(HTTPAdapter):
    """What requests uses as a rule, with our connections, also to and through a proxy."""

    _pools: ClassVar[Mapping[str, type]] = {"http": HttpPool, "https": HttpsPool}

    def init_poolmanager(self, *arguments: Any, **named: Any) -> None:
        super().init_poolmanager(*arguments, **named)
        self.poolmanager.pool_classes_by_scheme = dict(self._pools)

    def proxy_manager_for(self, proxy: str, **named: Any) -> PoolManager:
        manager: PoolManager = super().proxy_manager_for(proxy, **named)
        manager.pool_classes_by_scheme = dict(self._pools)
        return manager
