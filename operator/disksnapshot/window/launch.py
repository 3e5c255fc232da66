"""Start a window process and converse with it: order, ready, go, facts."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import socket
from typing import TYPE_CHECKING, Self

from disksnapshot.window.hold import Facts, Go, Order, Ready, Refusal

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

# A child of a fork server starts in milliseconds and inherits no thread, lock or socket of ours.
_CONTEXT = multiprocessing.get_context("forkserver")
END_SECONDS = 2.0


def prepare_server() -> None:
    """Start the fork server with the window's code loaded; call it early, before threads."""
    _CONTEXT.set_forkserver_preload(["disksnapshot.window.__main__"])
    process = _CONTEXT.Process(target=_assert_loaded)
    process.start()
    process.join()
    # The preload swallows an ImportError, which would then show as slow windows only.
    if process.exitcode != 0:
        raise RuntimeError("the window's code could not be loaded into the fork server")


def _assert_loaded() -> None:
    import sys  # noqa: PLC0415 - looks at the child's own state

    sys.exit(0 if "pymysql" in sys.modules else 1)


class WindowProcess:
    """One window, seen from the operator. Leaving the context ends it, and with it every hold."""

    def __init__(self, order: Order) -> None:
        from disksnapshot.window.__main__ import main  # noqa: PLC0415 - only windows need it

        self._conversation, theirs = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(target=main, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()  # else the end of the window would not be the end of the conversation
        self._say(order)

    @property
    def pid(self) -> int | None:
        """The window's process id."""
        return self._process.pid

    def ready(self, seconds: float) -> Ready | Refusal:
        """Wait until everything is open and armed."""
        answer = self._hear(seconds)
        if isinstance(answer, (Ready, Refusal)):
            return answer
        return Refusal(reason="HoldLost", message="the window ended before it was ready")

    def go(self, go: Go, seconds: float) -> Facts | Refusal | None:
        """Hand over the signed requests and wait for the facts; None when the window died."""
        self._say(go)
        answer = self._hear(seconds)
        return answer if isinstance(answer, (Facts, Refusal)) else None

    def let_go(self) -> None:
        """End the window's input: it lets go at once, and still answers."""
        with contextlib.suppress(OSError), _as_socket(self._conversation) as end:
            end.shutdown(socket.SHUT_WR)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.let_go()
        self._process.join(END_SECONDS)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._conversation.close()
        self._process.close()

    def _say(self, message: object) -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._conversation.send(message)

    def _hear(self, seconds: float) -> object:
        try:
            return self._conversation.recv() if self._conversation.poll(seconds) else None
        except (EOFError, ConnectionResetError):
            return None


def _as_socket(conversation: Connection[object, object]) -> socket.socket:
    return socket.socket(fileno=os.dup(conversation.fileno()))
