"""Measure a hundred holds on the cluster, and write docs/figures.md and docs/timeline.svg."""

import os
import platform
import shutil
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.progress import track
from rich.table import Table
from rich.text import Text

from lab.cluster import Lab
from lab.demo import drawing, stage, statements, taken
from lab.demo.costs import Cost, Row, rows, typical
from lab.demo.ledger import Engine, Ledger
from lab.demo.load import Load, Server, longest_pause
from lab.demo.taken import Taken
from lab.demo.timeline import Event, Split, split, timeline

if TYPE_CHECKING:
    import pymysql

NAMESPACE: Final = "figures"
ACCOUNT: Final = "snapshot"
_DOCS: Final = Path(__file__).parents[3] / "docs"
_ENGINES: Final = (Engine.INNODB, Engine.MYISAM, Engine.FILE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One hold, before the writers are asked."""

    taken: Taken
    parts: Split
    flush: int


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", type=int, default=100)
    parser.add_argument("--into", type=Path, default=_DOCS, help="the folder for both files")
    asked = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    lab = Lab.running()
    # Before this run adds its own: what else wants the cores blurs the figures.
    busy = os.getloadavg()[0]
    with _staged(lab) as (database, load):
        with database.connect() as observer:
            statements.watch(observer, ACCOUNT)
            server = _version(observer)
            began = time.monotonic()
            numbers = track(range(asked.cuts), "Cutting", console=console, disable=_quiet())
            holds = [_hold(lab, database, observer, number) for number in numbers]
            seconds = time.monotonic() - began
        load.wait_for_rows(1, since=holds[-1].taken.events[Event.UNLOCKED])
        ledgers = load.read()
        for hold in holds:
            lab.cbs.vanish(hold.taken.snapshot_id)
    costs = [_cost(hold, ledgers) for hold in holds]
    _show(console, costs)
    _write(asked.into, costs, ledgers, _surroundings(server, seconds, busy))


def _quiet() -> bool:
    return not sys.stdout.isatty()


@contextmanager
def _staged(lab: Lab) -> Iterator[tuple[stage.Database, Load]]:
    _clear(lab)
    try:
        database = stage.start_database(lab, NAMESPACE)
        stage.install_operator(lab, [NAMESPACE])
        # Only so that the next hold may begin at once: it plays no part in a hold.
        lab.cbs.settings(creationMilliseconds=0)
        files = stage.mount_of(lab, database) / "files"
        files.mkdir()
        server = Server(host=database.address, port=3306, password=database.password)
        ledgers = lab.state / "figures"
        with Load(server, ledgers, writers=1, engines=_ENGINES, folder=files) as load:
            load.wait_for_rows(200)
            yield database, load
    finally:
        lab.cbs.settings(creationMilliseconds=3000)
        _clear(lab)


def _clear(lab: Lab) -> None:
    stage.remove_namespace(lab, NAMESPACE)
    shutil.rmtree(lab.state / "figures", ignore_errors=True)


def _hold(
    lab: Lab, database: stage.Database, observer: "pymysql.Connection[Any]", number: int
) -> Measured:
    body = stage.disk_snapshot(database, f"cut-{number:03}")
    # The hold is over then; nobody waits for the cloud to copy.
    made = taken.take(lab, body, condition="SnapshotTaken")
    if made.status["consistency"] != "ApplicationConsistent":
        raise RuntimeError(f"The hold {number} was not proven: {made.status}")
    lock = statements.lock_nanoseconds(statements.of_last_hold(observer))
    parts = split(made.events, lock=lock, freeze=made.freeze_nanoseconds)
    return Measured(taken=made, parts=parts, flush=statements.flush_nanoseconds(observer))


def _cost(hold: Measured, ledgers: Sequence[Ledger]) -> Cost:
    events = hold.taken.events
    begun, ended = events[Event.READY], events[Event.UNLOCKED]
    return Cost(
        name=hold.taken.body["metadata"]["name"],
        events={name: at for name, at in events.items() if name != Event.NORMAL},
        parts=hold.parts,
        flush=hold.flush,
        pauses=[longest_pause(ledger, begun, ended) for ledger in ledgers],
    )


def _show(console: Console, costs: Sequence[Cost]) -> None:
    table = Table("ms", "median", "p90", "worst", "budget", box=None, padding=(0, 2, 0, 0))
    for row in rows(costs):
        cells = (f"{row.median:.1f}", f"{row.p90:.1f}", f"{row.worst:.1f}", row.judged)
        table.add_row(row.words, *cells)
    console.print(f"{len(costs)} holds under load:")
    console.print(table)
    middle = typical(costs)
    console.print(Text(f"The hold with the median of what is ours ({middle.name}):"))
    console.print(timeline(middle.events, middle.parts))


def _write(
    into: Path, costs: Sequence[Cost], ledgers: Sequence[Ledger], surroundings: str
) -> None:
    middle = typical(costs)
    lanes = [
        drawing.Lane(
            pause=pause,
            acknowledged=sorted(ledger.acknowledged.values()),
        )
        for pause, ledger in zip(middle.pauses, ledgers, strict=True)
    ]
    title = f"One hold of {len(costs)}, the median by what is ours, to scale"
    (into / "timeline.svg").write_text(drawing.svg(middle.events, lanes, title), "utf-8")
    (into / "figures.md").write_text(_page(costs, surroundings), "utf-8")


def _page(costs: Sequence[Cost], surroundings: str) -> str:
    lines = "\n".join(_line(row) for row in rows(costs))
    middle = typical(costs)
    return f"""\
# What a hold costs

Made by `make figures` on a running lab; run it again to see your own. {surroundings}

| {len(costs)} holds, milliseconds | median | p90 | worst | budget |
|---|---|---|---|---|
{lines}

- Each hold is a DiskSnapshot with a `mysql` and a `freeze` step and `releaseWhen: Visible`, taken
  one after the other, while an InnoDB writer, a MyISAM writer and a writer of a plain file on the
  same disk write row after row.
- *Lock* is what the database's own timer (performance_schema) says of the locking statements,
  *freeze* what the freezer measures around the two ioctls, *cloud* the time from sending
  CreateSnapshot until DescribeSnapshots listed the snapshot. *Ours* is the rest of the hold: round
  trips, our processes, the proof, and a flush of the engines' logs that has to be under the lock.
- *Cloud* is an emulator's time, chosen and not measured: how long the real service takes is not
  known here. It is therefore taken off the pause, and nothing here depends on it.
- *Budget* is what the design grants, and whether this run kept it. No run fails for it, as times
  depend on the machine; `make bench` asserts ratios to a bare loop in the same run, and counts.
- A pause is the longest time between two acknowledged rows of one writer around the hold; of the
  three writers the worst counts.

![A hold to scale](timeline.svg)

The hold in the picture: {middle.parts.formula}.
"""


def _line(row: Row) -> str:
    figures = f"{row.median:.1f} | {row.p90:.1f} | {row.worst:.1f}"
    return f"| {row.words} | {figures} | {row.judged} |"


def _surroundings(server: str, seconds: float, busy: float) -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"This run: {time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, {memory:.0f} GiB, Linux"
        f" {platform.release()}, MariaDB {server}, the whole cluster on one machine, load average"
        f" {busy:.1f} before it, {seconds:.0f} s for all."
    )


def _version(observer: "pymysql.Connection[Any]") -> str:
    with observer.cursor() as cursor:
        cursor.execute("SELECT VERSION()")
        [version] = cursor.fetchone() or ("",)
    return str(version).partition("-")[0]


if __name__ == "__main__":
    main()
