"""One real database on a real disk, and the certainty that no test leaves it held."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

import disksnapshot
from disksnapshot.inpod import freezer
from disksnapshot.window.launch import prepare_server
from lab.cluster.waiting import until
from lab.database import MariaDB, Programs
from lab.disks.loop import LoopDisk
from lab.local import Local, local
from lab.mysqlserver import MySQL
from lab.program import LocalSession
from lab.thawing import Thawer
from lab.writing import Writer

PASSWORD = "secret-of-the-test"  # noqa: S105 - accounts of a throw-away server


@pytest.fixture(scope="session")
def window_server() -> Iterator[None]:
    """Start the fork server, which finds modules by the environment and not by pytest's path."""
    roots = [Path(disksnapshot.__file__).parents[1], Path(__file__).parents[1]]
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PYTHONPATH", os.pathsep.join(map(str, roots)))
        prepare_server()
        yield


@pytest.fixture(scope="session")
def mariadb(window_server: None) -> Iterator[Local]:  # noqa: ARG001 - only needed to be there
    with _everything(MariaDB()) as everything:
        yield everything


@pytest.fixture(scope="session")
def mysql(window_server: None) -> Iterator[Local]:  # noqa: ARG001 - the same
    with _everything(MySQL.ensured()) as everything:
        yield everything


@pytest.fixture(scope="session")
def running(mariadb: Local) -> Local:
    """Give the server that a module's tests use; modules for both products override this."""
    return mariadb


@contextmanager
def _everything(programs: Programs) -> Iterator[Local]:
    # Not pytest's own folder: its paths are too long for the database's socket.
    folder = Path(tempfile.mkdtemp(prefix="dsw"))
    try:
        with local(folder, programs) as everything:
            with everything.database.connect() as session, session.cursor() as cursor:
                cursor.execute("CREATE DATABASE held")
                cursor.execute("CREATE TABLE held.rows (n SERIAL) ENGINE=InnoDB")
                cursor.execute("CREATE TABLE held.old (n INT) ENGINE=MyISAM")
                cursor.execute("INSERT INTO held.old VALUES (1), (2)")
            yield everything
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def account(here: Local) -> Iterator[Callable[..., tuple[str, str]]]:
    """Give the creation of an account with certain rights."""
    with ExitStack() as stack:
        cursor = stack.enter_context(stack.enter_context(here.database.connect()).cursor())

        def create(
            name: str, rights: str, *, password: str = PASSWORD, options: str = ""
        ) -> tuple[str, str]:
            words = ("CREATE USER", f"{name}@'%%'", "IDENTIFIED BY %s", options)
            cursor.execute(" ".join(words), (password,))
            stack.callback(cursor.execute, f"DROP USER {name}@'%'")
            cursor.execute(f"GRANT {rights} ON *.* TO {name}@'%'")
            return name, password

        yield create


@pytest.fixture
def thawer() -> Iterator[Thawer]:
    thawer = Thawer()
    yield thawer
    thawer.act()


@pytest.fixture
def here(running: Local, thawer: Thawer) -> Iterator[Local]:
    """Give the database, disk and cloud in their first state, and see that nothing stays held."""
    thawer.arm(running.mount)
    running.control.clear_faults()
    running.control.settings(
        creationMilliseconds=1, visibilityDelayMilliseconds=20, replyDelayMilliseconds=0
    )
    yield running
    root = os.open(running.mount, os.O_RDONLY)
    try:
        assert not freezer.try_thaw(root), "the test left the file system frozen"
    finally:
        os.close(root)
    until(lambda: _unclaimed(running), "an end of the freezers' sessions", seconds=10)
    until(lambda: _unowned(running), "an end of the database's hold", seconds=10)
    for snapshot in running.control.snapshots():
        running.control.vanish(snapshot["id"])


def _unclaimed(here: Local) -> bool:
    """Clear the records that no session owns; tell whether that were all."""
    records = [freezer.Record(here.records, path.name) for path in here.records.iterdir()]
    free = [record for record in records if record.lock()]
    for record in free:
        record.clear()
    for record in records:
        record.close()
    return len(free) == len(records)


def _unowned(here: Local) -> bool:
    with here.database.connect() as session, session.cursor() as cursor:
        cursor.execute("SELECT IS_USED_LOCK('disksnapshot.io/hold')")
        return bool(cursor.fetchone() == (None,))


@pytest.fixture
def writer(here: Local) -> Iterator[Writer]:
    with Writer(here.database) as writer:
        yield writer


@pytest.fixture
def start(here: Local) -> Iterator[Callable[..., LocalSession]]:
    with ExitStack() as sessions:

        def start(*paths: Path, idle_seconds: float = 30.0) -> LocalSession:
            session = LocalSession(here.freezer(*paths, idle_seconds=idle_seconds))
            sessions.callback(session.close)
            return session

        yield start


@pytest.fixture
def other_mount(here: Local, thawer: Thawer) -> Iterator[Path]:
    disk = here.control.create_disk(size_gib=1)
    mount = here.kubelet / "pods" / "other"
    with LoopDisk(Path(disk["Path"])) as loop:
        loop.mount(mount)
        thawer.arm(mount)
        yield mount
        thawer.act()
    here.control.delete_disk(disk["DiskId"])


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


@pytest.fixture
def hidden(here: Local) -> None:
    """Keep every new snapshot from being listed, so that a window holds for as long as it may."""
    here.control.settings(visibilityDelayMilliseconds=60_000)


def _catches_termination(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught.split()[1], 16) & 1 << (signal.SIGTERM - 1))


@pytest.fixture
def new_watcher(here: Local) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Give the start of what is a freezer pod's main process."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        watching = subprocess.Popen(here.watcher(), stderr=subprocess.DEVNULL)
        started.append(watching)
        until(lambda: _catches_termination(watching.pid), "a watcher that runs", seconds=10)
        return watching

    yield start
    for watching in started:
        watching.terminate()
        watching.wait()


@pytest.fixture
def watcher(new_watcher: Callable[[], subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
    """Give a freezer pod's main process that runs."""
    return new_watcher()
