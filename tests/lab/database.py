"""A database server on this machine, without Kubernetes, on a data folder of one's choice."""

import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Protocol, Self

import pymysql

_SECONDS_TO_START: Final = 60.0
_SECONDS_TO_STOP: Final = 60.0
_SECONDS_BETWEEN_TRIES: Final = 0.05
# The kernel's limit for the path of a Unix socket.
_LONGEST_SOCKET_PATH: Final = 107
_HOSTS: Final = ("localhost", "127.0.0.1")
_DEFAULT_PASSWORD: Final = "root-of-the-lab"  # noqa: S105  # a throw-away server on loopback


class DatabaseFailed(Exception):  # noqa: N818  # reads as what happened
    """The server did not do what was asked; the message ends with its own last words."""


class Programs(Protocol):
    """What tells one product from another: how its server is called, and what it starts with."""

    @property
    def name(self) -> str:
        """The product, in small letters."""

    def make_data(self, server: "LocalServer") -> None:
        """Fill an empty data folder; root may come in by the socket, without a password."""

    def command(self, server: "LocalServer") -> list[str]:
        """The call of the server without what all products take."""

    def users(self, password: str) -> list[str]:
        """Statements that let root in over TCP."""


class MariaDB:
    """The MariaDB that is installed on this machine."""

    name = "mariadb"

    def make_data(self, server: "LocalServer") -> None:
        run_quietly(
            "mariadb-install-db",
            "--no-defaults",
            f"--datadir={server.datadir}",
            f"--tmpdir={server.run / 'tmp'}",
            "--user=root",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            "--skip-log-bin",
        )

    def command(self, server: "LocalServer") -> list[str]:  # noqa: ARG002  # the same for all
        return [
            "mariadbd",
            "--no-defaults",
            "--performance-schema=ON",
            "--ignore-db-dirs=lost+found",
        ]

    def users(self, password: str) -> list[str]:
        return [
            statement
            for host in _HOSTS
            for statement in (
                f"CREATE OR REPLACE USER root@'{host}' IDENTIFIED BY '{password}'",
                f"GRANT ALL ON *.* TO root@'{host}' WITH GRANT OPTION",
            )
        ]


_MARIADB: Final = MariaDB()


class LocalServer:
    """A server with its data in `datadir` and everything else that it writes in `run`.

    The split matters: an error log, a socket or temporary tables on the disk under test would
    hang with it when it is frozen, and leave orphaned inodes in its copies.
    """

    def __init__(
        self, datadir: Path, run: Path, *, password: str = _DEFAULT_PASSWORD, server_id: int = 1,
        programs: Programs = _MARIADB, options: Sequence[str] = (),
    ) -> None:  # fmt: skip
        self.programs = programs
        self.options = options
        self.datadir = datadir
        self.run = run
        self.password = password
        self.server_id = server_id
        self.port = _free_port()
        self.socket = run / f"{programs.name}.sock"
        self.error_log = run / "error.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The server's process, while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> Self:
        """Start the server on new or existing data, and return when it takes connections."""
        if len(str(self.socket)) > _LONGEST_SOCKET_PATH:
            raise DatabaseFailed(f"The path {self.socket} is too long for a socket.")
        (self.run / "tmp").mkdir(parents=True, exist_ok=True)
        if not (self.datadir / "mysql").is_dir():
            self.datadir.mkdir(parents=True, exist_ok=True)
            self.datadir.chmod(0o700)
            self.programs.make_data(self)
        with (self.run / "output.log").open("ab") as output:
            self._process = subprocess.Popen(
                self._command(), stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        try:
            self._wait_until_it_answers()
        except DatabaseFailed:
            self.kill()
            raise
        return self

    def stop(self) -> None:
        """Shut the server down in order, and wait for its end."""
        if self._process:
            self._process.terminate()
            self._process.wait(_SECONDS_TO_STOP)
            self._process = None

    def kill(self) -> None:
        """End the server as a crash would, and wait for its end."""
        if self._process:
            self._process.kill()
            self._process.wait(_SECONDS_TO_STOP)
            self._process = None

    def connect(self, **options: Any) -> "pymysql.Connection[Any]":
        """Open a connection as root over TCP; PyMySQL's own options may be given."""
        chosen: dict[str, Any] = {
            "host": "127.0.0.1",
            "port": self.port,
            "user": "root",
            "password": self.password,
            "autocommit": True,
            "connect_timeout": 5,
            # Else PyMySQL tries TLS first, which tests of latency would have to pay for.
            "ssl_disabled": True,
        }
        return pymysql.connect(**(chosen | options))

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.kill()

    def _command(self) -> list[str]:
        return [
            *self.programs.command(self),
            "--user=root",
            f"--datadir={self.datadir}",
            f"--tmpdir={self.run / 'tmp'}",
            f"--socket={self.socket}",
            f"--pid-file={self.run / 'server.pid'}",
            f"--log-error={self.error_log}",
            f"--port={self.port}",
            "--bind-address=127.0.0.1",
            "--skip-name-resolve",
            f"--server-id={self.server_id}",
            "--log-bin=binlog",
            "--sync-binlog=1",
            "--innodb-flush-log-at-trx-commit=1",
            "--innodb-buffer-pool-size=64M",
            *self.options,
        ]

    def _wait_until_it_answers(self) -> None:
        end = time.monotonic() + _SECONDS_TO_START
        while time.monotonic() < end:
            try:
                self.connect().close()
            except pymysql.err.OperationalError as error:
                self._react(error)
            else:
                return
        raise DatabaseFailed(f"{self.programs.name} did not answer in time: {self._last_words()}")

    def _react(self, error: pymysql.err.OperationalError) -> None:
        if error.args[0] in {pymysql.constants.ER.ACCESS_DENIED_ERROR, _HOST_NOT_PRIVILEGED}:
            self._set_password()
            return
        assert self._process
        try:
            # Waiting for its end is also the pause between two tries.
            self._process.wait(_SECONDS_BETWEEN_TRIES)
        except subprocess.TimeoutExpired:
            return
        raise DatabaseFailed(f"{self.programs.name} ended by itself: {self._last_words()}")

    def _set_password(self) -> None:
        """Let root in over TCP; without a binlog entry, which a copy would be compared by."""
        with (
            pymysql.connect(unix_socket=str(self.socket), user="root") as fresh,
            fresh.cursor() as cursor,
        ):
            cursor.execute("SET sql_log_bin = 0")
            for statement in self.programs.users(self.password):
                cursor.execute(statement)

    def _last_words(self) -> str:
        said = self.error_log.read_text(errors="replace") if self.error_log.exists() else ""
        return " / ".join(said.splitlines()[-5:])


def run_quietly(*argv: str) -> None:
    """Run a program that prepares a server; raise with its words if it fails."""
    made = subprocess.run(argv, capture_output=True, text=True, check=False)
    if made.returncode:
        raise DatabaseFailed(f"{argv[0]} failed: {made.stdout}{made.stderr}")


_HOST_NOT_PRIVILEGED: Final = 1130
LocalMariaDB = LocalServer
"""A server of the product that is meant where none is named."""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
