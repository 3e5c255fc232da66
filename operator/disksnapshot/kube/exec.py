"""Run a program in a container and talk with it in lines, by the API server's exec websocket."""

from __future__ import annotations

import json
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import websocket

# Channel numbers of the remote command protocol, k8s.io/apimachinery remotecommand.
STDIN, STDOUT, STDERR, STATUS, CLOSE = 0, 1, 2, 3, 255
# v5 alone can close standard input by itself; v4 servers see the end of the whole session instead.
SUBPROTOCOLS = ["v5.channel.k8s.io", "v4.channel.k8s.io"]
OUTPUT_LIMIT = 4096


class ExecError(Exception):
    """The program could not be started, said nothing in time, or has ended."""


@dataclass(frozen=True, slots=True)
class ApiAccess:
    """How to reach the API server: a fact that can be handed to another process."""

    server: str
    ca_file: str | None
    token_file: str | None = None
    certificate_files: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class PodProgram:
    """A container of a pod, in which programs can be run."""

    access: ApiAccess
    namespace: str
    pod: str
    container: str

    def open(self, argv: list[str], deadline: float) -> ExecSession:
        """Start `argv`; raise ExecError when the session isn't open by `deadline` (monotonic)."""
        query = [("command", word) for word in argv]
        query += [("container", self.container), ("stdin", "true"), ("stdout", "true")]
        query += [("stderr", "true"), ("tty", "false")]
        base = self.access.server.replace("http", "ws", 1).rstrip("/")
        path = f"/api/v1/namespaces/{self.namespace}/pods/{self.pod}/exec"
        # The client library's stream() can't limit the time to connect, so we open it ourselves.
        try:
            connection = websocket.create_connection(
                f"{base}{path}?{urlencode(query)}",
                timeout=max(0.1, deadline - time.monotonic()),
                subprotocols=SUBPROTOCOLS,
                header=self._headers(),
                sslopt=self._tls(),
                suppress_origin=True,
                http_no_proxy=["*"],
            )
        except (websocket.WebSocketException, OSError) as error:
            raise ExecError(f"exec in pod {self.namespace}/{self.pod}: {_brief(error)}") from error
        return ExecSession(connection)

    def _headers(self) -> list[str]:
        if not self.access.token_file:
            return []
        # Read anew each time: the kubelet rotates the token.
        token = Path(self.access.token_file).read_text(encoding="ascii").strip()
        return [f"Authorization: Bearer {token}"]

    def _tls(self) -> dict[str, object]:
        options: dict[str, object] = {"cert_reqs": ssl.CERT_REQUIRED}
        if self.access.ca_file:
            options["ca_certs"] = self.access.ca_file
        if self.access.certificate_files:
            options["certfile"], options["keyfile"] = self.access.certificate_files
        return options


class ExecSession:
    """One conversation. The program's input ends when the session does, however that happens."""

    def __init__(self, connection: websocket.WebSocket) -> None:
        self._connection = connection
        self._output = b""
        self._errors = b""
        self._end: str | None = None

    def send_line(self, line: str) -> None:
        """Send one line to the program's standard input."""
        self._send(bytes([STDIN]) + line.encode() + b"\n")

    def close_input(self) -> None:
        """End the program's standard input alone; its output can still be read."""
        if self._connection.subprotocol == SUBPROTOCOLS[0]:
            self._send(bytes([CLOSE, STDIN]))

    def read_line(self, deadline: float) -> str:
        """Return the next line of output; raise ExecError at the end or at `deadline`."""
        while b"\n" not in self._output:
            if self._end is not None:
                raise ExecError(self._end)
            left = deadline - time.monotonic()
            if left <= 0:
                raise ExecError("no answer in time")
            self._receive(left)
        line, _, self._output = self._output.partition(b"\n")
        return line.decode("utf-8", "replace")

    def spoke(self) -> bool:
        """Tell, without waiting, whether the program has said something or has ended."""
        while not self._output and self._end is None:
            if not self._receive(0):
                return False
        return True

    def fileno(self) -> int:
        """Return the socket's descriptor, for select."""
        return int(self._connection.fileno())  # type: ignore[no-untyped-call]  # half typed

    def close(self) -> None:
        """End the session at once, without a closing handshake that could wait."""
        self._connection.shutdown()  # type: ignore[no-untyped-call]  # the library is half typed

    def _send(self, frame: bytes) -> None:
        try:
            self._connection.settimeout(2)
            self._connection.send_binary(frame)
        except (websocket.WebSocketException, OSError) as error:
            raise ExecError(f"the session is lost: {_brief(error)}") from error

    def _receive(self, seconds: float) -> bool:
        """Take one frame; False when none came in `seconds`."""
        try:
            self._connection.settimeout(seconds)
            opcode, frame = self._connection.recv_data()
        except (websocket.WebSocketTimeoutException, ssl.SSLWantReadError, BlockingIOError):
            return False
        except (websocket.WebSocketException, OSError) as error:
            self._end = f"the session is lost: {_brief(error)}"
            return True
        if opcode == websocket.ABNF.OPCODE_CLOSE or not frame:
            self._end = self._end or "the session was closed"
            return True
        self._take(frame[0], frame[1:])
        return True

    def _take(self, channel: int, payload: bytes) -> None:
        if channel == STDOUT:
            self._output += payload
        elif channel == STDERR:
            self._errors = (self._errors + payload)[-OUTPUT_LIMIT:]
        elif channel == STATUS:
            self._end = f"the program ended: {_status(payload)}{self._tail()}"

    def _tail(self) -> str:
        text = self._errors.decode("utf-8", "replace").strip()
        return f"; it said: {text[-300:]}" if text else ""


def _status(payload: bytes) -> str:
    """Read the outcome from the status channel: exit codes never come from text."""
    try:
        status = json.loads(payload)
    except ValueError:
        return "without a status"
    return str(status.get("message") or status.get("status"))


def _brief(error: Exception) -> str:
    return str(error)[:300] or type(error).__name__
