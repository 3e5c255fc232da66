"""What others do at the same time: their sessions, statements, holds, snapshots and scalings."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, Final

from disksnapshot.window.mysql.lock import NAMED_LOCK
from lab.cluster.waiting import until
from lab.demo import stage, taken
from lab.refusals.case import NAMESPACE, claims
from lab.statements import long_statement

if TYPE_CHECKING:
    from lab.refusals.scene import Scene

_FEWEST_SESSIONS: Final = 10  # MariaDB takes no lower max_connections
_LONG_COPY: Final = 600_000  # milliseconds
_TABLE: Final = "CREATE TABLE IF NOT EXISTS mysql.lab_slow AS SELECT 1 AS n"
_OLD: Final = "SELECT 1 FROM information_schema.PROCESSLIST WHERE INFO LIKE 'UPDATE%' AND TIME > 1"
_SLOW_WRITE: Final = "UPDATE mysql.lab_slow SET n = n + SLEEP(120)"


@contextmanager
def all_sessions_taken(scene: "Scene") -> Iterator[None]:
    """Take as many sessions as the server gives."""
    with ExitStack() as sessions, closing(scene.database.connect()) as root, root.cursor() as ask:
        ask.execute("SELECT @@max_connections")
        (usual,) = ask.fetchone() or (0,)
        for _ in range(_FEWEST_SESSIONS):
            sessions.enter_context(closing(scene.database.connect()))
        ask.execute("SET GLOBAL max_connections = %s", (_FEWEST_SESSIONS,))
        try:
            yield
        finally:
            ask.execute("SET GLOBAL max_connections = %s", (usual,))


@contextmanager
def long_write(scene: "Scene") -> Iterator[None]:
    """Let a statement write for longer than anybody waits for it."""
    with closing(scene.database.connect()) as root, root.cursor() as ask:
        ask.execute(_TABLE)
        with long_statement(scene.database, _SLOW_WRITE):
            until(lambda: bool(ask.execute(_OLD)), "A statement two seconds old")
            yield


@contextmanager
def server_held(scene: "Scene") -> Iterator[None]:
    """Hold the server as another operator's hold does."""
    with closing(scene.database.connect()) as session, session.cursor() as ask:
        ask.execute("SELECT GET_LOCK(%s, 0)", (NAMED_LOCK,))
        yield


@contextmanager
def being_copied(scene: "Scene") -> Iterator[None]:
    """Have the cloud copy another snapshot of the disk, for long."""
    scene.lab.cbs.settings(creationMilliseconds=_LONG_COPY)
    try:
        stage.apply(scene.lab, _EARLIER)
        uid = stage.get(scene.lab, NAMESPACE, "earlier", "dsnap")["metadata"]["uid"]
        until(lambda: bool(taken.in_the_cloud(scene.lab, uid)), "The other snapshot")
        yield
    finally:
        scene.lab.cbs.settings(creationMilliseconds=0)


_EARLIER: Final = {
    "apiVersion": "disksnapshot.io/v1alpha1",
    "kind": "DiskSnapshot",
    "metadata": {"name": "earlier", "namespace": NAMESPACE},
    "spec": claims("data-covered"),
}


@contextmanager
def scaled_back(scene: "Scene") -> Iterator[None]:
    """Give the workload its replica back as soon as it is at zero, as an autoscaler does."""
    over = threading.Event()

    def fight() -> None:
        until(lambda: over.is_set() or _replicas(scene, "contested") == 0, "Zero", seconds=60)
        if not over.is_set():
            scale = ("scale", "statefulset/contested", "--replicas=1")
            scene.lab.kubectl("-n", NAMESPACE, *scale)

    fighting = threading.Thread(target=fight)
    fighting.start()
    try:
        yield
    finally:
        over.set()
        fighting.join()


def _replicas(scene: "Scene", name: str) -> int:
    return int(stage.get(scene.lab, NAMESPACE, name, "statefulset")["spec"]["replicas"])
