"""While Kubernetes compiles: one held and one unheld cut on this machine, by the same window."""

import tempfile
from pathlib import Path

from rich.console import Console

from disksnapshot.window.hold import Facts
from disksnapshot.window.launch import prepare_server
from lab.cluster.errors import LabError
from lab.demo import report
from lab.demo.ledger import Engine
from lab.demo.load import Load, Server
from lab.demo.localcut import as_cut, cut_once, judge_copy, truth_of
from lab.demo.verdict import Verdict
from lab.local import Local, local

ENGINES = (Engine.INNODB, Engine.MYISAM, Engine.FILE)


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
        held = cut_once(here, here.order())
        load.wait_for_rows(20, since=held.times["unlocked"])
        nothing = here.order(mysql=False, freeze=False, cut_without_hold=True)
        unheld = cut_once(here, nothing)
        load.wait_for_rows(20, since=unheld.times["reply"])
    return (
        _verdict(here, "The copy, held at the cut", held),
        _verdict(here, "The copy, nothing held", unheld),
    )


def _verdict(here: Local, title: str, facts: Facts) -> Verdict:
    truth = truth_of(here, facts.disks[0].snapshot_id)
    return judge_copy(here, title, Path(truth["path"]), as_cut(facts, truth))


if __name__ == "__main__":
    play(Console())
