"""Write the catalogue of refusals as a page of the documentation. No I/O."""

import re
from collections.abc import Iterator, Mapping, Sequence

from lab.refusals.case import GONE
from lab.refusals.rows import Row

_HEAD = """# What bad input comes to

Made by `make refusals`, from a run on the lab; don't edit. `python -m lab.refusals run KEY` has
one case again. What each reason means and what to do about it is in [reasons.md](reasons.md);
`tests/lab/refusals` has the objects that were asked for, by the same keys.

Each DiskSnapshot is really created, and its reason waited for. Then it is asked

- what is in the **cloud**: no snapshot of the object, and none was asked for, unless the table
  says so;
- what is **held**: the kernel refuses to thaw each file system (so none is frozen), the database
  grants a backup lock at once (so none is locked), no freezer claims a freeze, and what a command
  had taken is released.
"""

_TAIL = """
## What could not be had here

- **NFS, tmpfs and overlay behind a claim of a CBS disk**: such a volume is a block device with
  ext4 or XFS. What can be had is a claim on another kind of volume (`volume-nfs`), and one that
  somebody has mounted something over, in the container or on the node (`freeze-tmpfs`,
  `freeze-overlay`, `freeze-tmpfs-node`).
- **The container's own root** as what is to be frozen takes a container whose root is the same
  disk; containerd gives it an overlay. The freezer's root is met in `freeze-root`; fsfreeze's in
  `tests/window/test_window_commands.py`.
- **A freeze with no time left** in its bound: the definition refuses steps that could take so
  long (`spec-bound-too-short`), so `tests/window` has it.
- What the **cloud** refuses, code by code, is in [cloud-errors-seen.md](cloud-errors-seen.md);
  who **dies** in a hold, in [deaths.md](deaths.md).
"""


def page(refused: Mapping[str, Sequence[Row]], denied: Mapping[str, Sequence[Row]]) -> str:
    """Return the page: groups of what the operator refuses, then of what the API server does."""
    rows = [row for group in (*refused.values(), *denied.values()) for row in group]
    parts = [_HEAD, _run(rows)]
    parts += [_group(title, group) for title, group in refused.items()]
    parts += [_denied(title, group) for title, group in denied.items()]
    return "".join((*parts, _TAIL))


def _run(rows: Sequence[Row]) -> str:
    days = sorted({row.taken[:10] for row in rows})
    when = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    kept = sum(not row.broken for row in rows)
    versions = ", ".join(sorted({row.versions for row in rows}))
    return f"\nRun on {when}, {versions}: {len(rows)} cases, {kept} as promised.\n"


def _group(title: str, rows: Sequence[Row]) -> str:
    table = "".join(map(_line, rows))
    head = "\n| key | input | message |\n|---|---|---|\n"
    return f"\n## {title}\n\n```console\n{_console(rows)}```\n{head}{table}"


def _console(rows: Sequence[Row]) -> str:
    """Return what kubectl printed of each, under one line of headings."""
    tables = [list(_cells(row.printed)) for row in rows if row.word != GONE]
    if not tables:
        return ""
    lines = [tables[0][0], *(table[-1] for table in tables)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "".join(
        "   ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        + "\n"
        for line in lines
    )


def _cells(printed: str) -> Iterator[list[str]]:
    """Cut kubectl's lines at its headings: a cell may be empty."""
    head, *lines = printed.splitlines()
    starts = [match.start() for match in re.finditer(r"\S+", head)]
    for line in (head, *lines):
        yield [line[a:b].strip() for a, b in zip(starts, [*starts[1:], None], strict=True)]


def _line(row: Row) -> str:
    said = row.message.replace("|", "\\|").replace("\n", "<br>") or "(there is no object any more)"
    left = f" ({row.left} snapshot)" if row.left else ""
    broken = "".join(f" **broken: {promise}**" for promise in row.broken)
    return f"| `{row.key}` | {row.what} | {said}{left}{broken} |\n"


def _denied(title: str, rows: Sequence[Row]) -> str:
    head = "| key | input | the API server's answer |\n|---|---|---|\n"
    return f"\n## {title}\n\n{head}{''.join(map(_line, rows))}"
