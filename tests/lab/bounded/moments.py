"""The moments of a hold at which its window dies, each reached from outside."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from disksnapshot.window.hold import Order
from disksnapshot.window.launch import WindowProcess
from lab.bounded.methods import Lines, Loss
from lab.cluster.waiting import until
from lab.holding import Answer, in_process_list, opened
from lab.local import Local
from lab.proxy import Proxy

_SECONDS: Final = 10.0
_HIDDEN_MILLISECONDS: Final = 60_000
_LISTED_MILLISECONDS: Final = 20


@dataclass(frozen=True, kw_only=True)
class Reached:
    """A window at its moment; `undo` ends what is in its lock's way."""

    pid: int
    answer: "Future[Answer]"
    undo: Callable[[], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When a window dies, and what has to be lost on the way to the freeze for that."""

    words: str
    loss: Callable[[Lines], Loss] = lambda _: Loss()
    reached: Callable[[Local, Path, int], object]
    blocked: bool = False
    silent_cloud: bool = False
    listed: bool = False


def _waits(here: Local, _folder: Path, _since: int) -> None:
    until(lambda: in_process_list(here, "Waiting for"), "a lock that waits", seconds=_SECONDS)


def _lost(_: Local, folder: Path, _since: int) -> None:
    until((folder / "lost").exists, "the line that is lost", seconds=_SECONDS)


def _frozen(_: Local, folder: Path, _since: int) -> None:
    until((folder / "frozen").exists, "the freeze", seconds=_SECONDS)


def _sent(here: Local, _folder: Path, since: int) -> None:
    here.control.wait_call("CreateSnapshot", since)


PENDING: Final = Moment(words="lock pending", blocked=True, reached=_waits)
LOCKED: Final = Moment(words="locked", loss=lambda lines: Loss("in", lines.freeze), reached=_lost)
FREEZING: Final = Moment(
    words="freezing", loss=lambda lines: Loss("out", lines.frozen), reached=_lost
)
FROZEN: Final = Moment(words="frozen", silent_cloud=True, reached=_frozen)
SENT: Final = Moment(words="cut sent", reached=_sent)
THAWED: Final = Moment(
    words="thawed, not unlocked",
    loss=lambda lines: Loss("out", lines.thawed),
    listed=True,
    reached=_lost,
)
MOMENTS: Final = (PENDING, LOCKED, FREEZING, FROZEN, SENT, THAWED)


@contextmanager
def at(here: Local, order: Order, moment: Moment, folder: Path) -> Iterator[Reached]:
    """Let a window hold by this order until the moment."""
    hidden = _LISTED_MILLISECONDS if moment.listed else _HIDDEN_MILLISECONDS
    here.control.settings(visibilityDelayMilliseconds=hidden, creationMilliseconds=1)
    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(1))
        between = stack.enter_context(Proxy(order.cloud.port))
        undo = stack.enter_context(_in_the_way(here)) if moment.blocked else _nothing
        through = replace(order, cloud=replace(order.cloud, port=between.port))
        window = stack.enter_context(opened(through))
        if moment.silent_cloud:
            between.pause()
        (folder / "armed").touch()
        yield _gone(here, window, moment, folder, pool, undo)


def _gone(
    here: Local, window: WindowProcess, moment: Moment, folder: Path, pool: ThreadPoolExecutor,
    undo: Callable[[], object],
) -> Reached:  # fmt: skip
    _, since = here.control.calls()
    if moment is SENT:
        here.control.fault("CreateSnapshot", "ReplyLostAfterAct")
    assert window.pid
    answer = pool.submit(window.go, here.go(), 60)
    moment.reached(here, folder, since)
    return Reached(pid=window.pid, answer=answer, undo=undo)


def _nothing() -> None:
    """Nothing was in the way."""


@contextmanager
def _in_the_way(here: Local) -> Iterator[Callable[[], object]]:
    """Keep a table locked, which every global lock has to wait for and nobody can see before."""
    with here.database.connect() as other, other.cursor() as cursor:
        cursor.execute("LOCK TABLES held.old WRITE")
        yield lambda: cursor.execute("UNLOCK TABLES")
