"""What is known of a cut and of its copy: facts only, judged in `verdict`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lab.demo.ledger import Writer


@dataclass(frozen=True, slots=True)
class Position:
    """What the operator recorded while the hold covered the cut."""

    file: str
    size: int
    gtid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """The two moments that decide which rows a copy must and must not hold, in ns.

    For a hold: the lock was sent, all was unlocked. For a cut with nothing held: the request was
    sent, its reply came.
    """

    begun: int
    ended: int
    position: Position | None

    @property
    def held(self) -> bool:
        return self.position is not None

    @property
    def begin_words(self) -> str:
        return "the lock was sent" if self.held else "the cut was sent"

    @property
    def end_words(self) -> str:
        return "all was unlocked" if self.held else "the cut was answered"


@dataclass(frozen=True, slots=True)
class Run:
    """A program that ended: its exit status and all it printed."""

    status: int
    output: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSystem:
    """The copy's file system before any mount: the words of ext4's tools, or of XFS's."""

    superblock: str  # dumpe2fs -h; xfs_logprint -t
    check: Run  # e2fsck -fn; xfs_repair -n
    kind: str = "ext4"
    # ext4, only where the check ended with 4: orphans cleared in a scratch copy, and that checked.
    # XFS: a scratch copy mounted and unmounted, and that checked.
    clearing: Run | None = None
    # XFS: for inodes in the log, the number of the record that each was written to disk after.
    written: Mapping[int, int] = field(default_factory=dict)
    check_after: Run | None = None


@dataclass(frozen=True, slots=True)
class TableCheck:
    """The answer to CHECK TABLE; `complaints` is empty for a whole table."""

    table: str
    engine: str
    complaints: Sequence[str]


# The rows found in a copy: for each writer, number -> checksum of the payload as it is there.
Rows = Mapping[Writer, Mapping[int, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """The copy's disk, read without a database; `unreadable` says what kept us from it."""

    file_system: FileSystem
    binlogs: Mapping[str, int] = field(default_factory=dict)  # name -> bytes
    plain_rows: Rows = field(default_factory=dict)
    unreadable: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """What a server that was started on the copy answered."""

    version: str
    gtid: str  # of the copy's last transaction
    gtid_at_position: str | None  # of the recorded position; None where nothing was recorded
    checks: Sequence[TableCheck]
    rows: Rows


@dataclass(frozen=True, slots=True)
class NoDatabase:
    """No server could be started on the copy."""

    reason: str
