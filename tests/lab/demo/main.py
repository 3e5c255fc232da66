"""The demo: a proven snapshot of a real database on a real cluster, its negative, two deaths."""

import secrets
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.text import Text

from lab.cluster import Lab
from lab.cluster.errors import LabError
from lab.demo import bycommands, lastact, report, restore, stage, statements, taken
from lab.demo.facts import Cut
from lab.demo.inspection import inspect
from lab.demo.ledger import Engine
from lab.demo.load import Load, Server, longest_pause
from lab.demo.opening import raise_the_lab
from lab.demo.taken import Taken
from lab.demo.timeline import Event, split, timeline
from lab.demo.verdict import Verdict

NAMESPACE = "shop"
ACCOUNT = "snapshot"  # the operator's database user
ROWS = 200
_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What all acts share."""

    lab: Lab
    console: Console
    database: stage.Database
    load: Load
    scratch: Path
    run: str

    def say(self, words: str) -> None:
        self.console.print(Text(words))

    def kubectl(self, *arguments: str) -> None:
        """Run kubectl as the reader could, showing the command."""
        self.console.print(Text(f"$ kubectl -n {NAMESPACE} {' '.join(arguments)}", style="bold"))
        printed = self.lab.kubectl("-n", NAMESPACE, *arguments)
        self.console.print(Text(printed.rstrip()), soft_wrap=True)


def main() -> None:
    """Play all acts; raise LabError unless each came to what it promises."""
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    lab = raise_the_lab(console)
    began = time.monotonic()
    with _staged(lab, console) as scene:
        results = [act(scene) for act in (_held, _unheld, _by_commands)]
        results += lastact.play(lab, console, scene.database, scene.load, scene.kubectl)
    console.rule()
    for words, good in results:
        console.print(Text(("as promised: " if good else "NOT AS PROMISED: ") + words))
    if not all(good for _, good in results):
        raise LabError("The demo did not come to what it promises; see above.")
    console.print(Text("clean", style="bold green"))
    console.print(
        f"The demo took {time.monotonic() - began:.0f} s. The lab stays up for you to look at:"
        f" export KUBECONFIG={lab.kubeconfig} PATH=$PATH:{lab.binaries}"
        " (`make lab-down` removes it)."
    )


@contextmanager
def _staged(lab: Lab, console: Console) -> Iterator[Stage]:
    console.rule("The stage")
    _clear(lab)
    folder = lab.state / "demo"
    shutil.rmtree(folder, ignore_errors=True)
    database = _timed(
        console, "A MariaDB pod on a CBS disk", lambda: stage.start_database(lab, NAMESPACE)
    )
    _timed(
        console,
        "The operator, installed by Helm from its chart and image",
        lambda: stage.install_operator(lab, [NAMESPACE]),
    )
    server = Server(host=database.address, port=3306, password=database.password)
    scratch = lab.state / "store" / "demo"
    scratch.mkdir(parents=True, exist_ok=True)
    files = stage.mount_of(lab, database) / "files"
    files.mkdir()
    engines = (Engine.INNODB, Engine.MYISAM, Engine.FILE)
    try:
        with (
            database.connect() as observer,
            Load(server, folder / "ledgers", writers=1, engines=engines, folder=files) as load,
        ):
            statements.watch(observer, ACCOUNT)
            load.wait_for_rows(ROWS)
            console.print("Writers at work: InnoDB and MyISAM rows, and plain files beside them.")
            yield Stage(
                lab=lab, console=console, database=database, load=load, scratch=scratch,
                run=secrets.token_hex(2),
            )  # fmt: skip
    finally:
        lab.cbs.clear_faults()
        shutil.rmtree(scratch, ignore_errors=True)
        _clear(lab)


def _held(scene: Stage) -> tuple[str, bool]:
    """Hold, cut and prove; then judge the restored copy."""
    scene.console.rule("Act 1: held")
    name = f"orders-{scene.run}"
    snapshot = taken.take(scene.lab, stage.disk_snapshot(scene.database, name))
    scene.kubectl("get", "dsnap", name)
    scene.kubectl("get", "events", f"--field-selector=involvedObject.name={name}")
    _show_timeline(scene, snapshot)
    scene.load.wait_for_rows(20, since=snapshot.events[Event.UNLOCKED])
    verdict = _judge(
        scene, "The restored copy, held at the cut", snapshot.snapshot_id, snapshot.cut
    )
    report.show_commands(scene.console, verdict)
    consistency = snapshot.status["consistency"]
    held = f"a held snapshot is {consistency} and its copy is clean"
    return held, verdict.clean and consistency == "ApplicationConsistent"


def _unheld(scene: Stage) -> tuple[str, bool]:
    """Cut the same load with nothing held, and let the same code judge the copy."""
    scene.console.rule("Act 2: the same load, nothing held")
    name = f"unheld-{scene.run}"
    body = stage.disk_snapshot(scene.database, name)
    del body["spec"]["quiesce"]
    snapshot = taken.take(scene.lab, body)
    scene.kubectl("get", "dsnap", name)
    cut = Cut(position=None, **taken.cut_by_the_cloud(scene.lab, snapshot.snapshot_id))
    scene.load.wait_for_rows(20, since=cut.ended)
    verdict = _judge(scene, "The restored copy, nothing held", snapshot.snapshot_id, cut)
    called = snapshot.status["consistency"]
    words = f"an unheld snapshot is called {called}, and its copy is not clean"
    return words, not verdict.clean and called == "CrashConsistent"


def _by_commands(scene: Stage) -> tuple[str, bool]:
    """Hold by commands in the database's own pod alone, and let the same code judge the copy."""
    scene.console.rule("Act 3: held by commands in the database's own pod")
    name = f"commands-{scene.run}"
    snapshot = taken.take(scene.lab, bycommands.disk_snapshot(scene.database, name))
    scene.kubectl("get", "dsnap", name)
    cut = bycommands.cut(scene.lab, scene.database, snapshot)
    scene.load.wait_for_rows(20, since=cut.ended)
    verdict = _judge(scene, "The restored copy, held by commands", snapshot.snapshot_id, cut)
    called = (snapshot.status["consistency"], snapshot.status["application"])
    words = f"a snapshot held by commands is {called[0]}, {called[1]}, and its copy is clean"
    return words, verdict.clean and called == ("ApplicationConsistent", "Claimed")


def _show_timeline(scene: Stage, snapshot: Taken) -> None:
    with scene.database.connect() as observer:
        lock = statements.lock_nanoseconds(statements.of_last_hold(observer))
    events = snapshot.events
    scene.console.print(
        timeline(events, split(events, lock=lock, freeze=snapshot.freeze_nanoseconds))
    )
    begun, ended = events[Event.READY], events[Event.UNLOCKED]
    scene.load.wait_for_rows(1, since=ended)
    ledgers = scene.load.read()
    report.show_pauses(scene.console, [longest_pause(ledger, begun, ended) for ledger in ledgers])


def _judge(scene: Stage, title: str, snapshot_id: str, cut: Cut) -> Verdict:
    verdict = inspect(
        title,
        taken.file_of(scene.lab, snapshot_id),
        cut,
        scene.load.ledgers,
        lambda: restore.restored(
            scene.lab,
            NAMESPACE,
            f"copy-{secrets.token_hex(2)}",
            snapshot_id,
            scene.database.password,
        ),
        scratch=scene.scratch,
        folder="files",
    )
    report.show(scene.console, verdict)
    return verdict


def _clear(lab: Lab) -> None:
    """Remove what this or an earlier demo left in its namespace; the cloud's snapshots stay."""
    lab.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait", "--timeout=120s")
    stage.remove_volumes(lab, NAMESPACE)


def _timed(console: Console, words: str, act: Callable[[], _T]) -> _T:
    began = time.monotonic()
    done = act()
    console.print(Text(f"{words}: {time.monotonic() - began:.1f} s"))
    return done


def _ms(nanoseconds: int) -> str:
    return f"{nanoseconds / 1e6:,.0f}"
