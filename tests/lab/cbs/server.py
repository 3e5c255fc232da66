"""Start and stop the emulator: the API over TLS and the control port on loopback."""

import fcntl
import ssl
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from lab.cbs import replies
from lab.cbs.calls import Calls
from lab.cbs.cloud import Cloud
from lab.cbs.connections import Connection, HttpServer
from lab.cbs.controlport import ControlPort
from lab.cbs.errors import StartError
from lab.cbs.faults import Faults
from lab.cbs.service import Service
from lab.cbs.settings import Settings

REGION = "ap-guangzhou"


class ApiServer(HttpServer):
    """The API's endpoint."""

    def __init__(self, listen: str, tls: ssl.SSLContext, service: Service) -> None:
        self.service = service
        super().__init__(_address(listen), ApiConnection, tls)


class ApiConnection(Connection):
    """One client of the API."""

    server: ApiServer

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Show the cloud's clock, not the host's."""
        return super().date_time_string(timestamp or self.server.service.cloud.now())

    def do_POST(self) -> None:  # noqa: N802 - the base class finds methods by this name
        """Answer a call, unless a fault takes the reply."""
        headers = {name.lower(): value for name, value in self.headers.items()}
        service = self.server.service
        answer = service.answer(headers, self.body())
        time.sleep(service.cloud.settings.reply_delay_milliseconds / 1000)
        replies.send(self, answer)


class Emulator:
    """The emulated cloud as a context manager. Port 0 takes any free port."""

    def __init__(  # noqa: PLR0913 - one for each flag of the program
        self,
        store: Path,
        listen: str,
        cert: Path,
        key: Path,
        control: str,
        secrets: Mapping[str, str],
        log: Path | None = None,
        *,
        region: str = REGION,
        settings: Settings | None = None,
    ) -> None:
        self._store = store
        self._listen = listen
        self._control_address = _address(control)
        self._secrets = secrets
        self._region = region
        self._settings = settings or Settings()
        self._calls = Calls(log)
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(cert, key)
        self._running = ExitStack()
        self.endpoint = ""
        self.control_url = ""

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._lock_store(stack)
            cloud = Cloud(self._store, self._settings)
            stack.callback(cloud.close)
            faults = Faults()
            service = Service(cloud, self._secrets, faults, self._calls, self._region)
            api = stack.enter_context(ApiServer(self._listen, self._tls, service))
            control = stack.enter_context(ControlPort(self._control_address, service))
            self.endpoint, self.control_url = api.address, f"http://{control.address}"
            self._running = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def _lock_store(self, stack: ExitStack) -> None:
        self._store.mkdir(parents=True, exist_ok=True)
        lock = stack.enter_context((self._store / "cbs.lock").open("w"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StartError(f"Another emulator runs on {self._store}.") from error


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)
