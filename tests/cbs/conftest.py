"""An emulated cloud for each test, on a store with reflinks, called by the real SDK."""

import json
import os
import secrets
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme

import disksnapshot
from disksnapshot.window.launch import prepare_server
from lab.cbs.caller import Caller, client
from lab.cbs.control import Control
from lab.cbs.server import Emulator
from lab.disks.store import Store
from lab.lives.life import Life, NewLife, clean

ANY_PORT = "127.0.0.1:0"
SECRET_ID = "AKIDtest" + "x" * 28
SECRET_KEY = secrets.token_urlsafe(24)


@dataclass(frozen=True, slots=True)
class Files:
    """The files that an emulator and its clients need."""

    store: Path
    ca: Path
    cert: Path
    key: Path
    secrets: Path


@pytest.fixture(scope="session", autouse=True)
def without_proxy() -> Iterator[None]:
    """Reach loopback directly: the SDK's NO_PROXY takes host:port as one word."""
    with pytest.MonkeyPatch.context() as environment:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
            environment.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session")
def reflink_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with Store.at(tmp_path_factory.mktemp("reflinks") / "store", size_gib=8) as store:
        yield store.path


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("authority")
    ca = trustme.CA()
    server = ca.issue_cert("127.0.0.1")
    ca.cert_pem.write_to_path(folder / "ca.pem")
    server.private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
    (folder / "secrets.json").write_text(json.dumps({SECRET_ID: SECRET_KEY}))
    return folder


@pytest.fixture
def files(reflink_store: Path, authority: Path) -> Files:
    return Files(
        store=Path(tempfile.mkdtemp(dir=reflink_store)),
        ca=authority / "ca.pem",
        cert=authority / "server.pem",
        key=authority / "server.pem",
        secrets=authority / "secrets.json",
    )


@pytest.fixture
def emulator(files: Files) -> Iterator[Emulator]:
    pairs = json.loads(files.secrets.read_text())
    with Emulator(files.store, ANY_PORT, files.cert, files.key, ANY_PORT, pairs) as running:
        yield running


@pytest.fixture
def control(emulator: Emulator) -> Control:
    return Control(emulator.control_url)


@pytest.fixture
def sdk(emulator: Emulator, files: Files) -> Any:
    return client(emulator.endpoint, SECRET_ID, SECRET_KEY, files.ca)


@pytest.fixture
def cloud(sdk: Any) -> Caller:
    return Caller(sdk)


@pytest.fixture
def new_caller(emulator: Emulator, files: Files) -> Callable[[], Caller]:
    """Give callers that share nothing, each with a connection of its own."""
    return lambda: Caller(client(emulator.endpoint, SECRET_ID, SECRET_KEY, files.ca))


@pytest.fixture
def disk_id(control: Control) -> str:
    """Give a disk of 1 GiB that is attached to an instance."""
    disk_id = str(control.create_disk()["DiskId"])
    control.attach(disk_id, "ins-lab00001")
    return disk_id


@pytest.fixture(scope="session")
def window_server() -> Iterator[None]:
    """Start the fork server of the windows, which finds modules by the environment alone."""
    roots = [Path(disksnapshot.__file__).parents[1], Path(__file__).parents[1]]
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PYTHONPATH", os.pathsep.join(map(str, roots)))
        prepare_server()
        yield


@pytest.fixture
def life(
    emulator: Emulator, files: Files, sdk: Any, control: Control, disk_id: str,
    window_server: None,  # noqa: ARG001 - only needed to be there
) -> Iterator[NewLife]:  # fmt: skip
    """Give lives of an object on one disk, in a cloud without any delay."""
    secret = (sdk.credential.secret_id, sdk.credential.secret_key)
    control.settings(creationMilliseconds=0, visibilityDelayMilliseconds=0)

    def begin(disk_ids: Sequence[str] = (disk_id,), **spec: Any) -> Life:
        return Life(control, emulator.endpoint, str(files.ca), secret, [*disk_ids], **spec)

    with clean(control):
        yield begin


@pytest.fixture
def environment() -> dict[str, str]:
    """Give the environment in which `python -m lab.cbs` finds its code."""
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
