"""Run a program in a container and talk with it in lines, by the API server's exec websocket."""

from __future__ import annotations

import json
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import HTTPSHandler, ProxyHandler, Request, build_opener

import websocket

# Channel numbers of the remote command protocol, k8s.io/apimachinery remotecommand.
STDIN, STDOUT, STDERR, STATUS = range(4)
# v5 alone can close standard input by itself; v4 servers see the end of the whole session instead.
SUBPROTOCOLS = ["v5.channel.k8s.io", "v4.channel.k8s.io"]
OUTPUT_LIMIT = 4096
NOT_FOUND = 404
LINE_LIMIT = 1 << 16  # a program that never ends its line must not fill our memory


class ExecError(Exception):
    """The program could not be started, said nothing in time, or has ended.

    `status` is the API server's HTTP status where that refused the session; `ended` tells that the
    node said how the program ended, or that it could not be started.
    """

    def __init__(self, message: str, status: int | None = None, *, ended: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.ended = ended


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
    uid: str = ""

    def open(self, argv: list[str], deadline: float) -> ExecSession:
        """Start `argv`; raise ExecError when the session isn't open by `deadline` (monotonic).

        With a `uid`, also when the session may lead into another pod of the same name.
        """
        session = self._connect(argv, deadline)
        if self.uid:
            try:
                # Only now: a session that was opened before the answer leads into that pod.
                self._require_same_pod(deadline)
            except ExecError:
                session.close()
                raise
        return session

    def _require_same_pod(self, deadline: float) -> None:
        """Ask by a list of one: that is the right which the operator has on pods."""
        query = urlencode({"fieldSelector": f"metadata.name={self.pod}"})
        path = f"/api/v1/namespaces/{self.namespace}/pods?{query}"
        request = Request(self.access.server.rstrip("/") + path)  # noqa: S310 - our API server
        for header in self._headers():
            request.add_header(*header.split(": ", 1))
        seconds = max(0.1, deadline - time.monotonic())
        try:
            opener = build_opener(ProxyHandler({}), HTTPSHandler(context=self._context()))
            with opener.open(request, timeout=seconds) as reply:
                uids = [pod["metadata"]["uid"] for pod in json.load(reply)["items"]]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ExecError(f"can't look up pod {self.pod}: {_brief(error)}") from error
        if uids != [self.uid]:
            message = (
                f"pod {self.namespace}/{self.pod} is gone, or replaced by another of its name"
            )
            raise ExecError(message, NOT_FOUND)

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.access.ca_file)
        if self.access.certificate_files:
            context.load_cert_chain(*self.access.certificate_files)
        return context

    def _connect(self, argv: list[str], deadline: float) -> ExecSession:
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
            status = getattr(error, "status_code", None)  # of a refused handshake
            message = f"exec in pod {self.namespace}/{self.pod}: {_brief(error)}"
            raise ExecError(message, status) from error
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
        self._ended = False
        self._exit_code: int | None = None

    def send_line(self, line: str) -> None:
        """Send one line to the program's standard input."""
        self._send(bytes([STDIN]) + line.encode() + b"\n")

    def read_line(self, deadline: float) -> str:
        """Return the next line of output; raise ExecError at the end or at `deadline`."""
        while b"\n" not in self._output:
            if self._end is not None:
                raise ExecError(self._end, ended=self._ended)
            left = deadline - time.monotonic()
            if left <= 0:
                raise ExecError("no answer in time")
            self._receive(left)
        line, _, self._output = self._output.partition(b"\n")
        return line.decode("utf-8", "replace")

    def exit_code(self, deadline: float) -> int | None:
        """Return the program's exit status; None when it didn't exit by `deadline`."""
        while self._end is None:
            left = deadline - time.monotonic()
            if left <= 0 or not self._receive(left):
                return None
        return self._exit_code

    def last_words(self) -> str:
        """Return the end of what the program wrote to standard error, up to now."""
        return self._errors.decode("utf-8", "replace").strip()

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
            if len(self._output) > LINE_LIMIT and b"\n" not in self._output:
                self._output, self._end = b"", "the program's line has no end"
        elif channel == STDERR:
            self._errors = (self._errors + payload)[-OUTPUT_LIMIT:]
        elif channel == STATUS:
            self._ended = True
            words, self._exit_code = _outcome(payload)
            self._end = f"the program ended: {words}"


def _outcome(payload: bytes) -> tuple[str, int | None]:
    """Read the outcome from the status channel: exit codes never come from text."""
    try:
        status = json.loads(payload)
        words = str(status.get("message") or status.get("status"))
        if status.get("status") == "Success":
            return words, 0
        causes = (status.get("details") or {}).get("causes") or []
        codes = [int(cause["message"]) for cause in causes if cause.get("reason") == "ExitCode"]
    except (ValueError, TypeError, AttributeError, KeyError):
        return "without a status", None
    return words, codes[0] if codes else None


def _brief(error: Exception) -> str:
    return str(error)[:300] or type(error).__name__
