"""Stand between a client and a server, and let everything hang: nothing refused, nothing said."""

import socket
import threading
from contextlib import suppress
from typing import Final, Self

_BLOCK: Final = 65536


class StallingProxy:
    """Passes bytes both ways until told to stall; then it still accepts, and no byte moves."""

    def __init__(self, server: tuple[str, int]) -> None:
        self._server = server
        # On the server's own address, so that its certificate still fits.
        self._listening = socket.create_server((server[0], 0))
        self._flowing = threading.Event()
        self._flowing.set()
        self._open: list[socket.socket] = []

    @property
    def address(self) -> str:
        host, port = self._listening.getsockname()
        return f"{host}:{port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._flowing.set()
        for connection in (self._listening, *self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def stall(self) -> None:
        self._flowing.clear()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(self._server)
                self._open += [client, server]
                for ends in ((client, server), (server, client)):
                    threading.Thread(target=self._pass, args=ends, daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while received := source.recv(_BLOCK):
                self._flowing.wait()
                target.sendall(received)
            target.shutdown(socket.SHUT_WR)
