"""Hold a loaded database by the operator's window and by a bare loop in turn; print both as JSON.

Each pair shares its second of the machine's noise, so their ratio says more than either.
"""

import json
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from disksnapshot.window.hold import Facts
from disksnapshot.window.launch import WindowProcess, prepare_server
from lab.bench import bare
from lab.demo import statements
from lab.demo.load import Load, Server, longest_pause
from lab.demo.timeline import Event, Split, split
from lab.local import Local, local

if TYPE_CHECKING:
    import pymysql

_ACCOUNT: Final = ("snapshot", "of-the-lab")
_SECONDS: Final = 60.0
# Between ready and go the operator writes its intent: long enough for the kernel to cool down.
_INTENT_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One hold: when, and whose time it was."""

    by: str
    moments: dict[str, int]
    parts: Split
    freeze: int  # its own; of the bare loop, that of a kernel kept warm to the last


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=20)
    pairs = parser.parse_args().pairs
    prepare_server()
    # Sockets lie in here, and their paths may have 107 characters at most.
    with tempfile.TemporaryDirectory(prefix="dsb-") as folder, local(Path(folder)) as here:
        print(json.dumps({"holds": list(_measure(here, pairs))}))


def _measure(here: Local, pairs: int) -> Iterator[dict[str, Any]]:
    here.control.settings(creationMilliseconds=0, visibilityDelayMilliseconds=50)
    with _loaded(here) as load, here.database.connect() as observer:
        _make_account(observer)
        statements.watch(observer, _ACCOUNT[0])
        holds: list[Held] = []
        for _ in range(pairs):
            for hold in (_by_window, _by_bare_loop):
                holds.append(hold(here, observer))
                load.wait_for_rows(20, since=holds[-1].moments[Event.UNLOCKED])
    ledgers = load.read()
    for held in holds:
        begun, ended = held.moments[Event.LOCK_SENT], held.moments[Event.UNLOCKED]
        pauses = [longest_pause(ledger, begun, ended) for ledger in ledgers]
        pause = max(pause.ended - pause.begun for pause in pauses)
        yield {
            "by": held.by,
            "overhead": held.parts.ours / 1e6,
            "freeze": held.freeze / 1e6,
            "pause": (pause - held.parts.cloud) / 1e6,
        }


def _by_window(here: Local, observer: "pymysql.Connection[Any]") -> Held:
    with WindowProcess(here.order(account=_ACCOUNT)) as window:
        window.ready(_SECONDS)
        time.sleep(_INTENT_SECONDS)
        facts = window.go(here.go(), _SECONDS)
    if not isinstance(facts, Facts) or not facts.proven:
        raise RuntimeError(f"The window proved nothing: {facts}")
    detail: dict[str, Any] = next(step.detail for step in facts.steps if step.kind == "freeze")
    [frozen], [thawed] = detail["frozen"], detail["thawed"]
    freeze = max(frozen["freezeMilliseconds"]) + thawed["thawMilliseconds"]
    parts = _parted(facts.times, int(freeze * 1e6), observer)
    return Held(by="window", moments=facts.times, parts=parts, freeze=parts.freeze)


def _by_bare_loop(here: Local, observer: "pymysql.Connection[Any]") -> Held:
    go = here.go()
    address = here.address
    cloud = bare.Cloud(address.host, address.port, str(address.ca_file))
    with closing(cloud), _session(here) as locking, _session(here) as flushing:
        moments, freeze = bare.hold(
            (locking, flushing), here.mount, cloud, go.cuts[0].payload, go.lookups[0].payload
        )
    parts = _parted(moments, freeze, observer)
    return Held(by="bare", moments=moments, parts=parts, freeze=bare.warm_freeze(here.mount))


def _parted(moments: dict[str, int], freeze: int, observer: "pymysql.Connection[Any]") -> Split:
    lock = statements.lock_nanoseconds(statements.of_last_hold(observer))
    return split(moments, lock=lock, freeze=freeze)


@contextmanager
def _loaded(here: Local) -> Iterator[Load]:
    database = here.database
    server = Server(host="127.0.0.1", port=database.port, password=database.password)
    with Load(server, here.folder / "ledgers", writers=2, pause=0.002) as load:
        load.wait_for_rows(100)
        yield load


def _session(here: Local) -> "pymysql.Connection[Any]":
    user, password = _ACCOUNT
    return here.database.connect(user=user, password=password)


def _make_account(root: "pymysql.Connection[Any]") -> None:
    with root.cursor() as cursor:
        cursor.execute("CREATE USER %s@'%%' IDENTIFIED BY %s", _ACCOUNT)
        cursor.execute("GRANT RELOAD, BINLOG MONITOR, PROCESS ON *.* TO %s@'%%'", _ACCOUNT[:1])


if __name__ == "__main__":
    main()
