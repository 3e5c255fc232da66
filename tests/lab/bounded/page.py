"""Write the table of bounded holds as a page of the documentation. No I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lab.bounded.methods import MAX_HOLD_SECONDS
from lab.bounded.striking import Outcome

_HEAD: Final = """# How long writers stand still if the window dies

Made by `make bounded`; don't edit. `python -m lab.bounded "mysql: "` has some rows again. Servers
on ext4 on a loop disk, without Kubernetes: {servers}. What dies is the window, the operator's
process that holds; freezers and guards live on, as in their pods. What becomes of a hold when
these die is in [deaths.md](deaths.md).

One writer each inserts into an InnoDB and a MyISAM table and appends to a file on the same disk,
and notes its acknowledgements by its own clock. **Longest pause** is the longest gap between two
of them, of any writer, from before the lock until well after the window's end. **Bound** is
`maxHoldSeconds`; no pause may be longer. Once writers went on, the kernel was asked (it refuses to
thaw what isn't frozen), and the server (MariaDB grants a backup lock; MySQL lists no global lock
in `metadata_locks`): **still held** is their answer. A window that was stopped slept for longer
than the bound and was resumed then: it must not call its hold proven.

Longest pause in ms:

| held by | server | moment | killed | stopped | bound | still held |
|---|---|---|---:|---:|---:|---|
"""
_TAIL: Final = """
{count} ends, one run each: {kept} as promised.

How each moment is reached from outside, without a hook in the product:

- *lock pending*: an idle session has a table locked, which any global lock waits for.
- *locked*: the line that asks for the freeze is lost on its way.
- *freezing*: the answer that all is frozen is lost, so that the window waits for it.
- *frozen*: the cut's request is lost, and the cloud never sees it.
- *cut sent*: the cloud has cut, and its reply is lost.
- *thawed, not unlocked*: the answer that all is thawed is lost.

In each but the first, a writer had stood still for 100 ms when the window was killed (SIGKILL) or
stopped (SIGSTOP), and its pause went on; in the first, the server listed a lock that waits.
"""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One method on one server at one moment, killed and stopped."""

    version: str
    method: str
    moment: str
    killed: Outcome
    stopped: Outcome

    @property
    def broken(self) -> list[str]:
        named = {"killed": self.killed, "stopped": self.stopped}
        return [f"{how}: {one.broken}" for how, one in named.items() if one.broken]

    @property
    def words(self) -> str:
        """Return the line of the table."""
        cells = [self.method, self.version, self.moment]
        cells += [_pause(one) for one in (self.killed, self.stopped)]
        cells += [f"{MAX_HOLD_SECONDS * 1000:,}", "; ".join(self.broken) or "no"]
        return f"| {' | '.join(cells)} |"


def page(lines: Sequence[Line]) -> str:
    """Return the page."""
    servers = ", ".join(dict.fromkeys(line.version for line in lines))
    kept = sum(not one.broken for line in lines for one in (line.killed, line.stopped))
    table = "".join(f"{line.words}\n" for line in lines)
    return _HEAD.format(servers=servers) + table + _TAIL.format(count=2 * len(lines), kept=kept)


def _pause(outcome: Outcome) -> str:
    return f"{outcome.longest.milliseconds:,.0f}"
