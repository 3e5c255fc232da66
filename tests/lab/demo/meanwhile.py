"""While Kubernetes compiles: one held and one unheld cut on this machine, by the same window."""

import tempfile
from pathlib import Path

from rich.console import Console

from disksnapshot.window.hold import Facts, Order
from disksnapshot.window.launch import WindowProcess, prepare_server
from lab.cluster.errors import LabError
from lab.demo import report
from lab.demo.facts import Cut, Position
from lab.demo.inspection import inspect, served_here
from lab.demo.ledger import Engine
from lab.demo.load import Load, Server
from lab.demo.verdict import Verdict
from lab.local import Local, local

ENGINES = (Engine.INNODB, Engine.MYISAM, Engine.FILE)
_SECONDS = 60.0


def play(console: Console) -> None:
    """Cut a local database under load twice, and judge both copies."""
    console.rule("Meanwhile, without Kubernetes")
    console.print(
        "No Kubernetes yet, so no timings: compilers share these cores. A MariaDB on a loop disk,"
        " cut by the operator's own window and freezer, on the emulated cloud."
    )
    prepare_server()
    # Sockets lie in here, and their paths may have 107 characters at most.
    with tempfile.TemporaryDirectory(prefix="dsm-") as folder, local(Path(folder)) as here:
        held, unheld = _cut_twice(here)
    for verdict in (held, unheld):
        report.show(console, verdict)
    if not held.clean or unheld.clean:
        raise LabError("The cuts without Kubernetes did not come to what they promise; see above.")
    console.rule("Back to Kubernetes")


def _cut_twice(here: Local) -> tuple[Verdict, Verdict]:
    here.control.settings(creationMilliseconds=0)  # a disk can have one snapshot in the making
    files = here.mount / "files"
    files.mkdir()
    database = here.database
    server = Server(host="127.0.0.1", port=database.port, password=database.password)
    ledgers = here.folder / "ledgers"
    with Load(server, ledgers, writers=1, engines=ENGINES, folder=files) as load:
        load.wait_for_rows(200)
        held = _window(here, here.order())
        load.wait_for_rows(20, since=held.times["unlocked"])
        nothing = here.order(mysql=False, freeze=False, cut_without_hold=True)
        unheld = _window(here, nothing)
        load.wait_for_rows(20, since=unheld.times["reply"])
    return (
        _judge(here, "The copy, held at the cut", held, _held_cut(held)),
        _judge(here, "The copy, nothing held", unheld, _unheld_cut(here, unheld)),
    )


def _window(here: Local, order: Order) -> Facts:
    with WindowProcess(order) as window:
        window.ready(_SECONDS)
        facts = window.go(here.go(), _SECONDS)
    if not isinstance(facts, Facts) or not facts.disks[0].snapshot_id:
        raise LabError(f"The window made no snapshot: {facts}")
    return facts


def _held_cut(facts: Facts) -> Cut:
    said = next(step.detail for step in facts.steps if step.kind == "mysql")
    position = Position(
        str(said["binlogFile"]), int(str(said["binlogPosition"])), str(said["gtid"])
    )
    times = facts.times
    return Cut(begun=times["lockSent"], ended=times["unlocked"], position=position)


def _unheld_cut(here: Local, facts: Facts) -> Cut:
    truth = _truth(here, facts)
    began, ended = float(truth["cutStartTime"]), float(truth["cutTime"])
    return Cut(begun=int(began * 1e9), ended=int(ended * 1e9), position=None)


def _judge(here: Local, title: str, facts: Facts, cut: Cut) -> Verdict:
    copy = Path(_truth(here, facts)["path"])
    scratch = here.folder / "store" / "scratch"
    scratch.mkdir(exist_ok=True)
    run, password = here.folder / "copy", here.database.password
    return inspect(
        title,
        copy,
        cut,
        here.folder / "ledgers",
        lambda: served_here(copy, scratch, run, datadir="data", password=password),
        scratch=scratch,
        datadir="data",
        folder="files",
    )


def _truth(here: Local, facts: Facts) -> dict[str, str]:
    wanted = facts.disks[0].snapshot_id
    return dict(next(s for s in here.control.snapshots() if s["id"] == wanted))


if __name__ == "__main__":
    play(Console())
