"""A TCP proxy on loopback that drops, pauses or loses what passes through it, when told to."""

import select
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

_BLOCK = 65536


@dataclass(eq=False)
class Link:
    """One connection through the proxy: the client's end and the server's."""

    client: socket.socket
    server: socket.socket
    silent: threading.Event = field(default_factory=threading.Event)

    def close(self) -> None:
        for end in (self.client, self.server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


class Proxy:
    """Forwards to one port; `port` is where it listens.

    `before` and `after` are called with the link when a client sends their text: before that is
    forwarded, or right after.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._links: list[Link] = []
        self._before: tuple[bytes, Callable[[Link], None]] | None = None
        self._after: tuple[bytes, Callable[[Link], None]] | None = None
        self._accepting = threading.Thread(target=self._accept, daemon=True)

    def before(self, text: bytes, act: Callable[[Link], None]) -> None:
        self._before = text, act

    def after(self, text: bytes, act: Callable[[Link], None]) -> None:
        self._after = text, act

    def drop(self) -> None:
        """End every connection, for both sides."""
        for link in self._links:
            link.close()

    def pause(self) -> None:
        """Forward nothing any more, not even the end of a connection."""
        for link in self._links:
            link.silent.set()

    def __enter__(self) -> Self:
        self._accepting.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join()
        self.drop()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                link = Link(client, server)
                self._links.append(link)
                threading.Thread(target=self._forward, args=(link,), daemon=True).start()

    def _forward(self, link: Link) -> None:
        # A closed descriptor raises ValueError in select.
        with suppress(OSError, ValueError):
            while not link.silent.is_set():
                ready, _, _ = select.select([link.client, link.server], [], [])
                if link.silent.is_set():
                    return
                for end in ready:
                    block = end.recv(_BLOCK)
                    if not block:
                        link.close()
                        return
                    self._pass(link, block, from_client=end is link.client)

    def _pass(self, link: Link, block: bytes, *, from_client: bool) -> None:
        if not from_client:
            link.client.sendall(block)
            return
        if self._before and self._before[0] in block:
            self._before[1](link)
        link.server.sendall(block)
        if self._after and self._after[0] in block:
            self._after[1](link)
