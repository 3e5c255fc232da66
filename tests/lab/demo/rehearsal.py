"""The whole story without a cluster: a local database under load, and its disk cut twice."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lab.database import LocalMariaDB
from lab.demo import statements
from lab.demo.by_hand import cut_held, cut_unheld
from lab.demo.facts import Cut
from lab.demo.inspection import inspect, served_here
from lab.demo.ledger import Engine
from lab.demo.load import Load, Server
from lab.demo.statements import Statement
from lab.demo.verdict import Verdict
from lab.disks.loop import LoopDisk, blank
from lab.disks.store import Store

if TYPE_CHECKING:
    import pymysql

PASSWORD: Final = "root-of-the-lab"  # noqa: S105  # a throw-away server on loopback
_USER: Final = "snapshot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What is left of the load: two copies, when they were cut, and what the writers noted."""

    folder: Path
    held: Path
    held_cut: Cut
    unheld: Path
    unheld_cut: Cut
    statements: list[Statement]

    @property
    def ledgers(self) -> Path:
        return self.folder / "ledgers"

    @property
    def scratch(self) -> Path:
        return self.held.parent / "scratch"

    def judge(self, copy: Path, cut: Cut) -> Verdict:
        return inspect(
            "a copy",
            copy,
            cut,
            self.ledgers,
            lambda: served_here(copy, self.scratch, self.folder / "copy", datadir="db"),
            scratch=self.scratch,
            datadir="db",
            folder="files",
        )


@contextmanager
def rehearsed(folder: Path) -> Iterator[Scene]:
    """Play it in an empty folder, whose disks are gone at the end."""
    with Store.at(folder / "store", size_gib=8) as store:
        yield _play(folder, store.path)


def _play(folder: Path, store: Path) -> Scene:
    disk_file = store / "disk.img"
    blank(disk_file, size_gib=1)
    root = folder / "mount"
    with LoopDisk(disk_file) as disk:
        disk.mount(root)
        (root / "files").mkdir()
        with LocalMariaDB(root / "db", folder / "run", password=PASSWORD) as server:
            return _cut_twice(folder, store, disk_file, root, server)


def _cut_twice(
    folder: Path, store: Path, disk_file: Path, root: Path, server: LocalMariaDB
) -> Scene:
    address = Server(host="127.0.0.1", port=server.port, password=server.password)
    held, unheld = store / "held.img", store / "unheld.img"
    with server.connect() as observer:
        _create_user(observer)
        statements.watch(observer, _USER)
        engines = (Engine.INNODB, Engine.MYISAM, Engine.ARIA, Engine.FILE)
        with Load(address, folder / "ledgers", engines=engines, folder=root / "files") as load:
            load.wait_for_rows(100)
            with server.connect(user=_USER, password=_USER) as session:
                held_cut = cut_held(session, root, disk_file, held)
            load.wait_for_rows(50, since=held_cut.ended)
            unheld_cut = cut_unheld(disk_file, unheld)
            load.wait_for_rows(5, since=unheld_cut.ended)
        locks = statements.of_last_hold(observer)
    return Scene(
        folder=folder,
        held=held,
        held_cut=held_cut,
        unheld=unheld,
        unheld_cut=unheld_cut,
        statements=locks,
    )


def _create_user(root: "pymysql.Connection[Any]") -> None:
    with root.cursor() as cursor:
        cursor.execute("CREATE USER %s@'127.0.0.1' IDENTIFIED BY %s", (_USER, _USER))
        cursor.execute("GRANT RELOAD, BINLOG MONITOR, PROCESS ON *.* TO %s@'127.0.0.1'", (_USER,))
