"""All that a window needs, on this machine without Kubernetes: database, disk, freezer, cloud."""

import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme
from tencentcloud.common.credential import Credential

from disksnapshot.cbs.client import Cloud
from disksnapshot.cbs.limits import Limits
from disksnapshot.inpod import freezer
from disksnapshot.window.hold import (
    CloudAddress,
    FreezeOrder,
    FreezeTarget,
    Go,
    MysqlOrder,
    Order,
    SignedLookUp,
    SignedRequest,
)
from lab.cbs.control import Control
from lab.cbs.server import Emulator
from lab.cluster import mounts
from lab.cluster.errors import LabError
from lab.cluster.waiting import until
from lab.database import LocalServer, MariaDB, Programs
from lab.disks import filesystem
from lab.disks.loop import LoopDisk
from lab.disks.store import Store
from lab.program import LocalProgram

DATABASE_NAME = "orders.shop.svc"
"""What the database's certificate says; its address is not in it."""

SECRET_ID = "AKIDlab" + "x" * 29
REGION = "ap-guangzhou"
FREEZER = Path(freezer.__file__)


@dataclass(frozen=True)
class Local:
    """One database on one emulated disk, with what a window needs to hold and cut it."""

    folder: Path
    database: LocalServer
    authority: str
    disk_id: str
    loop: LoopDisk
    mount: Path
    control: Control
    cloud: Cloud
    address: CloudAddress

    @property
    def records(self) -> Path:
        """The folder of the freezers' records, a tmpfs as on a node."""
        return self.folder / "records"

    @property
    def kubelet(self) -> Path:
        """The folder below which volumes are mounted."""
        return self.folder / "kubelet"

    def freezer(self, *paths: Path, idle_seconds: float = 30.0) -> list[str]:
        """Return the command line of a freezer's session, for this disk unless paths are given."""
        argv = [*self._freezer("hold"), "--nonce", "n", "--idle-seconds", str(idle_seconds)]
        return [*argv, "--", *(str(path) for path in paths or (self.mount,))]

    def syncer(self, *paths: Path) -> list[str]:
        """Return the command line of a freezer that only syncs, for this disk unless given."""
        return [*self._freezer("sync"), "--", *(str(path) for path in paths or (self.mount,))]

    def watcher(self) -> list[str]:
        """Return the command line of a freezer pod's main process."""
        return self._freezer("watch")

    def _freezer(self, command: str) -> list[str]:
        argv = [sys.executable, "-I", str(FREEZER), command]
        return [*argv, "--records", str(self.records), "--kubelet", str(self.kubelet)]

    def order(
        self, *, mysql: bool = True, freeze: bool = True, max_hold_seconds: int = 10,
        release_when: str = "Visible", cut_without_hold: bool = False, lock: str = "Auto",
        account: tuple[str, str] | None = None,
    ) -> Order:  # fmt: skip
        """Return the order for a window that holds this database and disk."""
        steps: list[MysqlOrder | FreezeOrder] = []
        if mysql:
            steps.append(self._mysql(lock, account))
        if freeze:
            target = FreezeTarget(program=LocalProgram(), argv=tuple(self.freezer()))
            steps.append(FreezeOrder(name=f"{len(steps)}-freeze", targets=(target,)))
        return Order(
            disk_ids=(self.disk_id,),
            steps=tuple(steps),
            max_hold_seconds=max_hold_seconds,
            release_when=release_when,
            cut_without_hold=cut_without_hold,
            cloud=self.address,
        )

    def go(self, name: str | None = None, seconds_ago: float = 0) -> Go:
        """Return requests for one cut of this disk, freshly signed unless told otherwise."""
        now = datetime.now(UTC) - timedelta(seconds=seconds_ago)
        name = name or f"shop-orders-{secrets.token_hex(5)}-1"
        cut = self.cloud.sign_create(self.disk_id, name, {"team": "shop"}, now)
        lookup = self.cloud.sign_lookup([self.disk_id], now)
        return Go(
            cuts=(SignedRequest(disk_id=self.disk_id, payload=cut),),
            lookups=(SignedLookUp(disk_ids=(self.disk_id,), payload=lookup),),
            names=((self.disk_id, name),),
            signed=now.timestamp(),
        )

    def _mysql(self, lock: str, account: tuple[str, str] | None) -> MysqlOrder:
        username, password = account or ("root", self.database.password)
        return MysqlOrder(
            name="0-mysql",
            host="127.0.0.1",
            port=self.database.port,
            username=username,
            password=password,
            lock=lock,
        )


@contextmanager
def local(
    folder: Path, programs: Programs | None = None, *, kind: str = filesystem.EXT4,
    options: Sequence[str] = (),
) -> Iterator[Local]:  # fmt: skip
    """Start everything in `folder`, and leave nothing of it behind.

    MariaDB on ext4 if nothing is named; the options are the server's own.
    """
    with (
        _seen_everywhere(folder),
        _records(folder),
        _store(folder) as store,
        _emulator(folder, store) as cloud,
    ):
        control = Control(cloud.control_url)
        made = control.create_disk(size_gib=2)
        loop = LoopDisk(Path(made["Path"]))
        mount = folder / "kubelet" / "pods" / "mount"
        authority, certified = _certified(folder)
        database = LocalServer(
            mount / "data", folder / "run", programs=programs or MariaDB(),
            options=[*certified, *options],
        )  # fmt: skip
        with _mounted(loop, mount, kind), database:
            host, port = cloud.endpoint.split(":")
            ca_file = str(folder / "ca.pem")
            yield Local(
                folder=folder, database=database, authority=authority,
                disk_id=made["DiskId"], loop=loop, mount=mount, control=control,
                cloud=_client(cloud.endpoint, ca_file, (folder / "key").read_text()),
                address=CloudAddress(host=host, port=int(port), ca_file=ca_file),
            )  # fmt: skip


@contextmanager
def _seen_everywhere(folder: Path) -> Iterator[None]:
    """Let an unmount reach the containers that start meanwhile.

    Each begins with a copy of all mounts of the machine, and below a private mount such a copy
    keeps the disk in use until the container's own root is in place, or for as long as it lives.
    """
    mounts.share(folder)
    try:
        yield
    finally:
        mounts.undo(folder)


@contextmanager
def _records(folder: Path) -> Iterator[None]:
    records = folder / "records"
    records.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "freezer", str(records)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(records)], check=True)


@contextmanager
def _store(folder: Path) -> Iterator[Store]:
    store = Store.at(folder / "store")
    try:
        yield store
    finally:
        _once_unused(store.remove)


@contextmanager
def _mounted(loop: LoopDisk, mount: Path, kind: str) -> Iterator[None]:
    with loop:
        loop.mount(mount, kind=kind)
        try:
            yield
        finally:
            _once_unused(loop.unmount)


def _once_unused(act: Callable[[], None]) -> None:
    """Do what fails while something is in use, by an orphan or a container that just starts."""

    def done() -> bool:
        with suppress(LabError):
            act()
            return True
        return False

    until(done, "the end of a mount's use", seconds=20)


def _certified(folder: Path) -> tuple[str, list[str]]:
    """Make a certificate for the database; return whom to trust, and the server's options."""
    authority = trustme.CA()
    certificate = authority.issue_cert(DATABASE_NAME)
    key, chain = folder / "database-key.pem", folder / "database.pem"
    certificate.private_key_pem.write_to_path(key)
    for part in certificate.cert_chain_pems:
        part.write_to_path(chain, append=True)
    return authority.cert_pem.bytes().decode(), [f"--ssl-cert={chain}", f"--ssl-key={key}"]


def _emulator(folder: Path, store: Store) -> Emulator:
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    certificate.private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
    (folder / "key").write_text(secrets.token_hex(16))
    return Emulator(
        store=store.path,
        listen="127.0.0.1:0",
        cert=folder / "server.pem",
        key=folder / "server.pem",
        control="127.0.0.1:0",
        secrets={SECRET_ID: (folder / "key").read_text()},
    )


def _client(endpoint: str, ca_file: str, secret_key: str) -> Cloud:
    credential = Credential(SECRET_ID, secret_key)
    return Cloud(credential, REGION, endpoint, ca_file, Limits())
