"""A proxy before the database that holds one statement back: a slow network, at a chosen moment.

It runs in the pod's own network, as a program of its own. When the statements named have passed in
their order, the last of them is held back, `held` is printed, and it goes on at the next line of
the input.
"""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

_ROOT = Path(__file__).parents[2]


class Gate:
    """The proxy, seen from outside."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def wait_held(self) -> None:
        """Return when the statement has come and is held back."""
        assert self._process.stdout
        assert self._process.stdout.readline() == "held\n", "the gate ended before its time"

    def go_on(self) -> None:
        """Let the statement pass; once is enough."""
        assert self._process.stdin
        with suppress(OSError, ValueError):
            self._process.stdin.write("\n")
            self._process.stdin.flush()


@contextmanager
def before(pid: int, address: str, port: int, statements: Sequence[str]) -> Iterator[Gate]:
    """Listen on `port` in the network of a process, and pass everything on to MySQL's port."""
    argv = ["nsenter", f"--net=/proc/{pid}/ns/net", sys.executable, "-m", __name__]
    argv += [address, str(port), *statements]
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, stdin=pipe, stdout=pipe, text=True, cwd=_ROOT) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "listening\n", "the gate did not start"
            yield Gate(process)
        finally:
            process.kill()


class _Sequence:
    """Which statement comes next; it is the last one that is held back."""

    def __init__(self, statements: Sequence[str]) -> None:
        self._left = [statement.encode() for statement in statements]
        self._lock = threading.Lock()

    def passes(self, chunk: bytes) -> bool:
        """Tell whether a client's words may pass at once."""
        with self._lock:
            if not self._left or self._left[0] not in chunk:
                return True
            del self._left[0]
            return bool(self._left)


def _main(address: str, port: int, statements: Sequence[str]) -> None:
    sequence = _Sequence(statements)
    listener = socket.create_server((address, port))
    print("listening", flush=True)
    while True:
        client, _ = listener.accept()
        server = socket.create_connection((address, 3306))
        for argument in ((client, server, sequence), (server, client, None)):
            threading.Thread(target=_pass_on, args=argument, daemon=True).start()


def _pass_on(source: socket.socket, target: socket.socket, sequence: _Sequence | None) -> None:
    with suppress(OSError):
        while chunk := source.recv(65536):
            if sequence and not sequence.passes(chunk):
                print("held", flush=True)
                sys.stdin.readline()
            target.sendall(chunk)
    # The end of one side is the end of the other, as with a connection.
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
