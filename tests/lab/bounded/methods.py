"""The methods to hold by, each with its freezer or guard behind a way that can lose a line."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from disksnapshot.window.hold import FreezeOrder, FreezeTarget, Order
from lab.bounded import relay
from lab.commanding import freeze_by_command, lock_by_command
from lab.local import Local
from lab.program import LocalProgram

MAX_HOLD_SECONDS: Final = 6
"""As short as these steps may be held, so that a row takes little time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """What the freezer, or the guard of fsfreeze, is told and says (regular expressions)."""

    freeze: str
    frozen: str
    thawed: str


@dataclass(frozen=True, slots=True)
class Loss:
    """Which line is lost: the way it goes, and what is in it."""

    way: str = "none"
    word: str = "."


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One method on the servers that have it; `order` takes the words that run a relay."""

    words: str
    servers: Sequence[str]
    lines: Lines
    order: Callable[[Local, list[str]], Order]

    def ordered(self, here: Local, folder: Path, loss: Loss) -> Order:
        """Return the order for a window whose freeze goes through a relay in `folder`."""
        words = [str(folder), loss.way, loss.word, self.lines.frozen]
        return self.order(here, [sys.executable, "-I", relay.__file__, *words])


def _by_agent(lock: str) -> Callable[[Local, list[str]], Order]:
    def order(here: Local, through: list[str]) -> Order:
        usual = here.order(lock=lock, freeze=False, max_hold_seconds=MAX_HOLD_SECONDS)
        argv = (*through, *here.freezer())
        target = FreezeTarget(program=LocalProgram(), argv=argv)
        freeze = FreezeOrder(name="1-freeze", targets=(target,))
        return replace(usual, steps=(*usual.steps, freeze))

    return order


def _by_commands(here: Local, through: list[str]) -> Order:
    usual = here.order(mysql=False, freeze=False, max_hold_seconds=MAX_HOLD_SECONDS)
    freeze = freeze_by_command(here.mount, shell=(*through, "sh"))  # noqa: S604  # a path of ours
    return replace(usual, steps=(lock_by_command(here, here.folder), freeze))


_FREEZER: Final = Lines(
    freeze="^freeze ", frozen='"event": ?"frozen"', thawed='"event": ?"thawed"'
)
_GUARD: Final = Lines(freeze="^[0-9]+$", frozen="^acquired 0", thawed="^released 0")

METHODS: Final = (
    Method(
        words="`mysql` (BACKUP STAGE), `freeze` (Agent)",
        servers=("mariadb",),
        lines=_FREEZER,
        order=_by_agent("Auto"),
    ),
    Method(
        words="`mysql` (FLUSH TABLES), `freeze` (Agent)",
        servers=("mariadb", "mysql"),
        lines=_FREEZER,
        order=_by_agent("Tables"),
    ),
    Method(
        words="`exec`, `freeze` (Exec)",
        servers=("mariadb", "mysql"),
        lines=_GUARD,
        order=_by_commands,
    ),
)
STAGES, TABLES, COMMANDS = METHODS
