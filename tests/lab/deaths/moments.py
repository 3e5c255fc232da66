"""The moments of a hold at which somebody dies, each reached from outside."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

import pymysql

from lab.deaths import gate, programs
from lab.deaths.scene import MAX_HOLD_SECONDS, Scene
from lab.deaths.watching import Watch
from lab.demo import stage, taken

GATE_PORT: Final = 3307
# Longer than a hold may be, but not so long that the snapshot isn't found soon after.
_HIDDEN_MILLISECONDS: Final = 4000


@dataclass(frozen=True, kw_only=True)
class Hold:
    """A hold at its moment. `undo` makes what brought the moment about go on."""

    scene: Scene
    body: Mapping[str, Any]
    undo: Callable[[], None] = field(default=lambda: None)

    @property
    def name(self) -> str:
        return str(self.body["metadata"]["name"])

    @property
    def window(self) -> int:
        return programs.window(self.scene.lab)


Moment = Callable[[Scene, Watch], AbstractContextManager[Hold]]


@contextmanager
def frozen(scene: Scene, watch: Watch, hold_seconds: int = MAX_HOLD_SECONDS) -> Iterator[Hold]:
    """All is locked and frozen: the cut has acted, and its reply was lost on the way."""
    cbs = scene.lab.cbs
    cbs.settings(visibilityDelayMilliseconds=_HIDDEN_MILLISECONDS, creationMilliseconds=0)
    _, since = cbs.calls()
    cbs.fault("CreateSnapshot", "ReplyLostAfterAct")
    body = scene.snapshot(hold_seconds=hold_seconds)
    stage.apply(scene.lab, body)
    cbs.wait_call("CreateSnapshot", since=since, timeout=taken.NET)
    watch.until_held(lambda sample: sample.locked and sample.frozen, "a lock and a freeze")
    yield Hold(scene=scene, body=body)


@contextmanager
def frozen_for_long(scene: Scene, watch: Watch) -> Iterator[Hold]:
    """Wait for the same with two seconds more, for what takes the cluster its time."""
    with frozen(scene, watch, MAX_HOLD_SECONDS + 2) as hold:
        yield hold


@contextmanager
def lock_pending(scene: Scene, watch: Watch) -> Iterator[Hold]:
    """The global read lock waits behind a long statement, and every writer behind the lock."""
    _usual(scene)
    with _long_statement(scene) as end:
        body = scene.snapshot(lock="Tables")
        stage.apply(scene.lab, body)
        watch.until_held(lambda sample: sample.locked, "a pending lock")
        yield Hold(scene=scene, body=body, undo=end)


@contextmanager
def locked(scene: Scene, watch: Watch) -> Iterator[Hold]:
    """The database is locked, nothing is frozen yet: the statement in between is held back."""
    with _gated(scene, watch, "FLUSH LOCAL ENGINE LOGS") as hold:
        yield hold


@contextmanager
def thawed(scene: Scene, watch: Watch) -> Iterator[Hold]:
    """The cut is made and the freeze is over: the first statement after it is held back."""
    with _gated(scene, watch, "SET SESSION wait_timeout = 1") as hold:
        yield hold


@contextmanager
def _gated(scene: Scene, watch: Watch, statement: str) -> Iterator[Hold]:
    _usual(scene)
    words = ["BACKUP STAGE BLOCK_COMMIT", statement]
    with gate.before(scene.database_pid(), scene.database.address, GATE_PORT, words) as held:
        body = scene.snapshot(port=GATE_PORT)
        stage.apply(scene.lab, body)
        held.wait_held()
        watch.until_held(lambda sample: sample.locked, "a lock")
        yield Hold(scene=scene, body=body, undo=held.go_on)


@contextmanager
def _long_statement(scene: Scene) -> Iterator[Callable[[], None]]:
    """Update a MyISAM table for 20 s, or until told to end."""
    session = scene.database.connect()
    number = session.thread_id()  # type: ignore[no-untyped-call]  # half typed

    def run() -> None:
        with suppress(pymysql.MySQLError), session.cursor() as cursor:
            cursor.execute("UPDATE lab_load.slow SET n = n + SLEEP(20)")

    def end() -> None:
        with (
            scene.database.connect() as other,
            other.cursor() as cursor,
            suppress(pymysql.MySQLError),  # it has ended already
        ):
            cursor.execute(f"KILL {number}")

    with session.cursor() as cursor:
        cursor.execute("CREATE OR REPLACE TABLE lab_load.slow (n INT) ENGINE=MyISAM")
        cursor.execute("INSERT INTO lab_load.slow VALUES (1)")
    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield end
    finally:
        end()
        thread.join()
        session.close()


def _usual(scene: Scene) -> None:
    scene.lab.cbs.settings(visibilityDelayMilliseconds=50, creationMilliseconds=0)
