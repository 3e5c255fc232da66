"""Where deaths happen: the operator, a database with writers on it, and one hold at a time."""

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pymysql

from lab.cluster import Lab
from lab.cluster.waiting import until
from lab.deaths import watching
from lab.demo import stage
from lab.demo.kill import container_pid
from lab.demo.ledger import Engine
from lab.demo.load import Load, Server

NAMESPACE: Final = "deaths"
MAX_HOLD_SECONDS: Final = 8
_SERVICE: Final = "orders"


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What a death may strike, and what it is measured with."""

    lab: Lab
    database: stage.Database
    load: Load

    @property
    def mount(self) -> Path:
        return stage.mount_of(self.lab, self.database)

    def kubectl(self, *arguments: str) -> str:
        return self.lab.kubectl("-n", self.database.namespace, *arguments)

    def database_pid(self) -> int:
        return container_pid(self.lab, self.get(self.database.pod, "pod"))

    def get(self, name: str, kind: str = "disksnapshot") -> dict[str, Any]:
        return stage.get(self.lab, self.database.namespace, name, kind)

    def snapshot(self, *, hold_seconds: int = MAX_HOLD_SECONDS, **mysql: Any) -> dict[str, Any]:
        """Return a new DiskSnapshot that locks and freezes, its mysql step changed as asked."""
        step = {"credentialsSecretRef": {"name": f"{self.database.pod}-snapshot"}} | mysql
        steps = [{"mysql": step}, {"freeze": {"method": "Agent"}}]
        quiesce = {"steps": steps, "maxHoldSeconds": hold_seconds}
        name = f"d-{secrets.token_hex(3)}"
        return stage.disk_snapshot(self.database, name, quiesce=quiesce)

    def release(self, name: str) -> None:
        """Take an object's finalizer off."""
        _without_finalizer(self.lab, self.database.namespace, f"dsnap/{name}")

    def with_database(self, database: stage.Database) -> "Scene":
        return replace(self, database=database)


@contextmanager
def staged(lab: Lab) -> Iterator[tuple[stage.Database, Server]]:
    """Install the operator and a database behind a Service, which outlives the database's pod."""
    stage.remove_namespace(lab, NAMESPACE)
    database = stage.start_database(lab, NAMESPACE)
    watching.list_locks(database)
    stage.install_operator(lab, [NAMESPACE])
    try:
        yield database, Server(host=_service(lab), port=3306, password=database.password)
    finally:
        lab.cbs.clear_faults()
        lab.cbs.settings(visibilityDelayMilliseconds=50, creationMilliseconds=3000)
        _release(lab)
        stage.remove_namespace(lab, NAMESPACE)


@contextmanager
def played(
    lab: Lab, database: stage.Database, server: Server, *, files: bool = True
) -> Iterator[Scene]:
    """Let writers write: two to the database, and one to a file on the disk unless told not to.

    Such a file keeps the mount busy: where the database's pod dies, there may be none.
    """
    folder = stage.mount_of(lab, database) / "files"
    folder.mkdir(exist_ok=True)
    until_answering(server)
    engines = [Engine.INNODB, Engine.MYISAM, *([Engine.FILE] if files else [])]
    with tempfile.TemporaryDirectory(prefix="deaths-") as ledgers:
        load = Load(server, Path(ledgers), writers=1, engines=engines, folder=folder, pause=0.005)
        with load:
            load.wait_for_rows(20)
            yield Scene(lab=lab, database=database, load=load)


def until_answering(server: Server) -> None:
    """Wait for the Service: it leads to a new pod only some time after that is ready."""
    until(lambda: _answers(server), "The database behind its Service", seconds=30)


def _answers(server: Server) -> bool:
    with suppress(pymysql.MySQLError, OSError):
        server.connect().close()
        return True
    return False


def _service(lab: Lab) -> str:
    spec = {"selector": {"app": _SERVICE}, "ports": [{"port": 3306}]}
    metadata = {"name": _SERVICE, "namespace": NAMESPACE}
    stage.apply(lab, {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec})
    return str(stage.get(lab, NAMESPACE, _SERVICE, "service")["spec"]["clusterIP"])


def _release(lab: Lab) -> None:
    """Take the finalizers off: an open outcome would keep its object for six minutes."""
    found = lab.kubectl("-n", NAMESPACE, "get", "dsnap", "-o", "name", check=False)
    for name in found.split():
        _without_finalizer(lab, NAMESPACE, name)


def _without_finalizer(lab: Lab, namespace: str, name: str) -> None:
    where = ("-n", namespace, "patch", name, "--type=merge")
    lab.kubectl(*where, "-p", '{"metadata": {"finalizers": null}}', check=False)
