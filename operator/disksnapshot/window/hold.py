"""The contract of the window: what it is told, what a hold must do, and its facts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from disksnapshot.window.clock import HoldClock

# Of the bound, so much is for the lock to be granted; the server's wait_timeout gets the rest.
LOCK_BUDGET_SECONDS = 3.0
# A cut that is not begun so soon after it was signed is not begun: whoever was stopped for longer
# would hold writers for a request that the cloud refuses, or that another operator has settled.
BEGUN_WITHIN_SECONDS = 60.0
# A freeze with less time left than this isn't worth its risk.
SHORTEST_FREEZE_SECONDS = 0.5


class HoldError(Exception):
    """A hold could not be made ready or taken; `reason` is one of the operator's closed list."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Selectable(Protocol):
    """Something that select can watch."""

    def fileno(self) -> int:
        """Return the descriptor to watch."""


class LineSession(Protocol):
    """A conversation in lines with a program that lets go when the conversation ends."""

    def send_line(self, line: str) -> None:
        """Send one line at once."""

    def read_line(self, deadline: float) -> str:
        """Return the next line; raise ExecError when none came by `deadline` (monotonic)."""

    def fileno(self) -> int:
        """Return the descriptor that turns readable when the program may have spoken or died."""

    def spoke(self) -> bool:
        """Tell, without waiting, whether the program has said something or has ended."""

    def exit_code(self, deadline: float) -> int | None:
        """Return the program's exit status; None when it didn't exit by `deadline`."""

    def last_words(self) -> str:
        """Return the end of what the program wrote to standard error, up to now."""

    def close(self) -> None:
        """End the program's input, and the session."""


class Program(Protocol):
    """Where a line program runs; opened by the window, since sessions can't change processes."""

    def open(self, argv: list[str], deadline: float) -> LineSession:
        """Start the program and return the conversation with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MysqlTls:
    """Whom to trust: certificates in PEM, and the name that the server's must carry, if any."""

    authority: str
    server_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LongStatement:
    """From which age a statement is not waited for under the lock, and how long before it."""

    threshold_seconds: int = 5
    wait_seconds: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class MysqlOrder:
    """One database server to lock, and the account to do it with."""

    name: str
    host: str
    port: int
    username: str
    password: str = field(repr=False)
    lock: str = "Auto"
    tls: MysqlTls | None = None
    long_statement: LongStatement = field(default_factory=LongStatement)


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeTarget:
    """The file systems of one node, and the freezer there."""

    program: Program
    argv: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeOrder:
    """All file systems to freeze, grouped by node."""

    name: str
    targets: tuple[FreezeTarget, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncOrder:
    """All file systems whose dirty pages are to be written out, grouped by node."""

    name: str
    targets: tuple[FreezeTarget, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandTarget:
    """One container, and the two commands that are run in it; `where` names it for people."""

    program: Program
    where: str
    acquire: tuple[str, ...]
    release: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandOrder:
    """Commands that hold for as long as a guard beside them is told to; `kind` is the step's."""

    name: str
    kind: str
    targets: tuple[CommandTarget, ...]
    seconds: int


AnyOrder: TypeAlias = MysqlOrder | FreezeOrder | SyncOrder | CommandOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudAddress:
    """Where signed requests go."""

    host: str
    port: int
    ca_file: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What one window has to do, known before the intent is written."""

    disk_ids: tuple[str, ...]
    steps: tuple[AnyOrder, ...]
    max_hold_seconds: int
    release_when: str
    cut_without_hold: bool
    cloud: CloudAddress
    ready_seconds: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRequest:
    """One HTTP request, signed early: the bytes to send for `disk_id`."""

    disk_id: str
    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedLookUp:
    """One HTTP request, signed early, that lists the newest snapshots of these disks."""

    disk_ids: tuple[str, ...]
    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Go:
    """The intent is written: cut with these, look up with those.

    `signed` is when the cuts were, in seconds since the epoch by the cloud's clock. `zero` is that
    clock's time, in nanoseconds since the epoch, at which the monotonic one began; None while this
    machine's clock agrees with it.
    """

    cuts: tuple[SignedRequest, ...]
    lookups: tuple[SignedLookUp, ...]
    names: tuple[tuple[str, str], ...]
    signed: float
    zero: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """Everything is open, checked and armed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A hold could not be made or taken."""

    reason: str
    message: str


@dataclass(slots=True, kw_only=True)
class StepFacts:
    """What one hold did; `proven` only when it covered all the time from taking to letting go."""

    name: str
    kind: str
    acquire_milliseconds: float = 0.0
    release_milliseconds: float = 0.0
    held: bool = False
    proven: bool = False
    stops_writes: bool = True  # what stops only changes of definitions says nothing of rows
    reason: str = ""
    detail: dict[str, object] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class DiskFacts:
    """What the cloud said of one disk's cut; all empty and `sent` true means: outcome unknown."""

    disk_id: str
    sent: bool = False
    snapshot_id: str = ""
    request_id: str = ""
    code: str = ""
    message: str = ""
    visible: bool = False


@dataclass(slots=True, kw_only=True)
class Facts:
    """The window's answer: times (nanoseconds since the epoch), steps, each disk's outcome."""

    times: dict[str, int] = field(default_factory=dict)
    steps: list[StepFacts] = field(default_factory=list)
    disks: list[DiskFacts] = field(default_factory=list)
    refusal: Refusal | None = None
    cut_while_held: bool = False
    look_ups: int = 0
    look_up_code: str = ""  # the last error code that a look-up met

    @property
    def proven(self) -> bool:
        """Every step held from before the cut until after it, by its own evidence."""
        return self.cut_while_held and bool(self.steps) and all(s.proven for s in self.steps)


class Hold(Protocol):
    """Something that keeps writers still, and lets go by itself when its session ends."""

    facts: StepFacts

    def ready(self, deadline: float) -> None:
        """Open and check everything; raise HoldError with nothing held."""

    def warm(self) -> None:
        """Do what makes taking the hold quick; writers may stumble, not stop."""

    def acquire(self, clock: HoldClock) -> None:
        """Hold; on HoldError nothing is held any more."""

    def release(self, clock: HoldClock) -> None:
        """Let go, and write the evidence to `facts`; harmless when nothing is held."""

    def sockets(self) -> list[LineSession]:
        """Return the conversations whose end means that the hold is lost."""

    def close(self) -> None:
        """End all sessions."""
