"""Windows as the operator starts them, caught in the middle of a hold."""

import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from disksnapshot.window.hold import Facts, Go, MysqlOrder, Order, Ready, Refusal
from disksnapshot.window.launch import WindowProcess, prepare_server
from lab.local import Local
from lab.writing import AT_ONCE, FileWrite, Writer

Answer = Facts | Refusal | None


class Holding:
    """A window that was told to go, watched from another thread."""

    def __init__(self, here: Local, window: WindowProcess, pool: ThreadPoolExecutor) -> None:
        self._here = here
        self._window = window
        self._pool = pool
        self.sent_at = 0

    @property
    def pid(self) -> int:
        assert self._window.pid
        return self._window.pid

    def until_cut(self, go: Go) -> Future[Answer]:
        """Go, and return when the cut has acted, its reply lost: all is locked and frozen."""
        self._here.control.fault("CreateSnapshot", "ReplyLostAfterAct")
        return self._until("CreateSnapshot", go)

    def until_looked_up(self, go: Go) -> Future[Answer]:
        """Go, and return when the reply has come and the window looks for its snapshot."""
        return self._until("DescribeSnapshots", go)

    def _until(self, action: str, go: Go) -> Future[Answer]:
        _, since = self._here.control.calls()
        self.sent_at = time.time_ns()
        answer = self._pool.submit(self._window.go, go, 30)
        self._here.control.wait_call(action, since)
        return answer

    def programs(self) -> list[int]:
        """Return the freezers and guards that the window has started and that still run."""
        return [pid for pid in children_of(self.pid) if not is_zombie(pid)]

    def freezer_pid(self) -> int:
        """Return the first freezer that the window has started."""
        return self.programs()[0]


def children_of(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_zombie(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def opened(order: Order) -> WindowProcess:
    window = WindowProcess(order)
    assert window.ready(20) == Ready()
    return window


def with_mysql(order: Order, **changed: Any) -> Order:
    """Return the order with its mysql step changed."""
    step, *others = order.steps
    assert isinstance(step, MysqlOrder)
    return replace(order, steps=(replace(step, **changed), *others))


def refusal(order: Order) -> Refusal:
    """Return why a window doesn't get ready."""
    with WindowProcess(order) as window:
        answer = window.ready(20)
    assert isinstance(answer, Refusal), answer
    return answer


def capture(here: Local, order: Order) -> Facts:
    """Let a window do the whole of its work."""
    with opened(order) as window:
        facts = window.go(here.go(), 30)
    assert isinstance(facts, Facts), facts
    return facts


def assert_not_held(here: Local) -> None:
    """A write to a table that nothing but a global lock can block is quick, and so is DDL."""
    with here.database.connect(read_timeout=5) as session, session.cursor() as cursor:
        start = time.monotonic()
        cursor.execute("INSERT INTO held.rows VALUES ()")
        assert time.monotonic() - start < 1
        cursor.execute("CREATE TABLE held.fresh (n INT)")
        cursor.execute("DROP TABLE held.fresh")


def in_process_list(here: Local, state: str) -> bool:
    with here.database.connect() as session, session.cursor() as cursor:
        cursor.execute("SHOW PROCESSLIST")
        return any(state in str(row[6]) for row in cursor.fetchall())


def operate(order: Order, go: Go) -> None:
    """Be an operator that does nothing but one hold; for a process of its own."""
    prepare_server()
    with opened(order) as window:
        window.go(go, 30)


def assert_free(here: Local, writer: Writer, since: int) -> None:
    """Writers go on, and the kernel and the server know of no hold; asked at teardown again."""
    assert writer.seconds_until_acknowledged(after=since) < AT_ONCE
    assert FileWrite(here.mount).ended()
