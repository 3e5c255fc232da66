"""Start and stop the emulator: its services over TLS, and the control port on loopback."""

import fcntl
import ssl
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from lab.cbs import replies
from lab.cbs.actions import CBS
from lab.cbs.calls import Calls
from lab.cbs.cloud import Cloud
from lab.cbs.connections import Connection, HttpServer
from lab.cbs.controlport import ControlPort
from lab.cbs.errors import StartError
from lab.cbs.faults import Faults
from lab.cbs.keys import Keys
from lab.cbs.metadata import MetadataServer
from lab.cbs.service import Service
from lab.cbs.settings import Settings
from lab.cbs.sts import api as sts_api

REGION = "ap-guangzhou"


class ApiServer(HttpServer):
    """The endpoint of one service."""

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
        sts: str = "",
        metadata: str = "",
    ) -> None:
        self._store = store
        self._listen = listen
        self._control_address = _address(control)
        self._keys = Keys(secrets)
        self._sts = sts
        self._metadata = metadata
        self._region = region
        self._settings = settings or Settings()
        self._calls = Calls(log)
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(cert, key)
        self._running = ExitStack()
        self.endpoint = ""
        self.control_url = ""
        self.sts_endpoint = ""  # host and port, for HTTPS; empty unless it was asked for
        self.metadata_url = ""  # up to /latest/meta-data/, as the SDK writes it

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._lock_store(stack)
            cloud = Cloud(self._store, self._settings)
            stack.callback(cloud.close)
            cbs = Service(cloud, self._keys, Faults(), self._calls, self._region, CBS)
            api = stack.enter_context(ApiServer(self._listen, self._tls, cbs))
            control = stack.enter_context(ControlPort(self._control_address, cbs))
            self.endpoint, self.control_url = api.address, f"http://{control.address}"
            self._issue_keys(stack, cbs)
            self._running = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def _issue_keys(self, stack: ExitStack, cbs: Service) -> None:
        """Serve the two places that give temporary keys, where they are asked for."""
        if self._sts:
            api = sts_api(self._keys)
            service = Service(cbs.cloud, self._keys, cbs.faults, self._calls, self._region, api)
            server = stack.enter_context(ApiServer(self._sts, self._tls, service))
            self.sts_endpoint = server.address
        if self._metadata:
            address = _address(self._metadata)
            metadata = stack.enter_context(MetadataServer(address, cbs, self._keys))
            self.metadata_url = f"http://{metadata.address}/latest/meta-data/"

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
