"""Write the table of deaths as a page of the documentation. No I/O."""

from collections.abc import Sequence

from lab.deaths.rows import Row
from lab.deaths.storm import Storm, told

_HEAD = """# Who may die in the middle of a hold

Made by `make deaths`, from a run on the lab; don't edit. `python -m lab.deaths run KEY` has one
row again, and the tests in `tests/faults` have each of them and fail where a promise is broken.

Writers insert into InnoDB and MyISAM tables, and (where the database's pod lives) write to a file
on the same disk. Each notes its acknowledgements by its own clock. The table says:

- **longest pause**: the longest gap between two acknowledgements of any writer around the death;
- **free after**: milliseconds from the death until neither the server listed a lock of ours
  (`METADATA_LOCK_INFO`, `PROCESSLIST`) nor the node had a freeze claimed, looked at every 10 ms.
  At the end of each row the kernel was asked as well (it refuses to thaw: nothing is frozen), and
  the server (it grants a backup lock at once: nothing is locked);
- **bound**: the object's `maxHoldSeconds`. Pause and hold have to be shorter;
- **snapshots**: what the cloud really has of the object, listed or not, and what the object calls
  it. `Unknown` is what may be said of a snapshot that is there though nobody could prove its
  hold.

| who dies | when | bound s | longest pause ms | free after ms | snapshots | object says | key |
|---|---|---:|---:|---:|---:|---|---|
"""

_TAIL = """
What makes it so is in [how-it-holds.md](how-it-holds.md). How each moment is reached from
outside, without a hook in the product:

- *frozen*: the cloud acts and loses its reply, so that the hold lasts; then the death, some 0.1 s
  later.
- *lock pending*: a long update keeps the global read lock waiting (`lock: Tables`), and every
  writer behind it.
- *locked*, *thawed, not unlocked*: a proxy in the pod's own network holds back the window's next
  statement, as a slow network would; then the window is stopped.

A stopped window is resumed once nothing is held any more: it must find that its hold is over.
"""


def page(rows: Sequence[Row], storm: Storm) -> str:
    """Return the page."""
    return _HEAD + "".join(map(_line, rows)) + _notes(rows) + _TAIL + _storm(storm)


def _storm(storm: Storm) -> str:
    text = f"""
## At random moments

`python -m lab.deaths storm` (seed {storm.seed}, {storm.taken[:10]}, {storm.seconds} s) asks for
one DiskSnapshot of a database after the other, and kills by SIGKILL at random moments meanwhile:

| | |
|---|---|
| kills | {sum(storm.kills.values())}: {told(storm.kills)} |
| objects, by what they came to | {sum(storm.ends.values())}: {told(storm.ends)} |
| snapshots in the cloud at the end | {storm.snapshots} |
| longest pause of any writer | {storm.pause:,.0f} ms, of {storm.pause_of} |
| promises that were broken | {len(storm.broken)} |

Promised: of each object that is Ready the cloud has the one snapshot that it names, and of any
other none; no writer stands still for longer than `maxHoldSeconds`; every object comes to an end;
at the end kernel and server are asked, and nothing is held.
"""
    return text + "".join(f"- **broken: {promise}**\n" for promise in storm.broken)


def _line(row: Row) -> str:
    pause = "no writers" if row.pause is None else f"{row.pause:,.0f}"
    if not row.database_lives and row.pause is not None:
        pause += " [1]"
    says = f"`{row.end}`" + "".join(f"; **broken: {promise}**" for promise in row.broken)
    cells = [row.who, row.when, str(row.hold_seconds), pause, f"{row.free:,.0f}"]
    return f"| {' | '.join([*cells, str(row.snapshots), says, f'`{row.key}`'])} |\n"


def _notes(rows: Sequence[Row]) -> str:
    days = sorted({row.taken[:10] for row in rows})
    when = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    return (
        "\n[1] The database itself was gone: the pause is its shutdown and its new start.\n"
        f"\nRun on {when}; {len(rows)} deaths, one run each:"
        f" {sum(not row.broken for row in rows)} as promised.\n"
    )
