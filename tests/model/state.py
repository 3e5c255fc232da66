"""What one state of the model consists of: the object, the cloud, and its operators."""

from __future__ import annotations

from typing import NamedTuple

# Time passes in steps of one listing lag: a minute in the code, as long as the longest hold.
LAG = 1  # after it, a new snapshot is listed
VALID = 1  # so long the cloud accepts a signed request; in truth five lags, which adds nothing new
OVER = VALID + LAG + 1  # of an attempt this old, nothing new can be listed any more

OPEN, RECORDED, SETTLED = "Open", "Recorded", "Settled"
PROVEN, UNPROVEN, UNKNOWN = "Proven", "Unproven", "Unknown"
IDLE, LOOKING, DECIDED, READYING, ARMED, HOLDING, SENT = (
    "idle", "looking", "decided", "readying", "armed", "holding", "sent",
)  # fmt: skip
AWAITED, ID, REFUSAL = "", "id", "refusal"

Step = tuple[str | int, ...]


class Object(NamedTuple):
    """The DiskSnapshot as the API server has it; `age` is that of its last attempt."""

    exists: bool = True
    deleting: bool = False
    finalizer: bool = False
    attempt: int = 0
    state: str = ""
    age: int = 0
    claim: str = ""
    ready: bool = False
    failed: bool = False
    expired: bool = False  # its time is over, which was to be some day

    @property
    def finished(self) -> bool:
        return self.ready or self.failed


class Snapshot(NamedTuple):
    """A snapshot in the cloud; `hidden` is how long it may still go unlisted."""

    attempt: int
    disk: int
    complete: bool = False
    hidden: int = LAG + 1
    held: bool = False  # writers stood still, by the hold of its own attempt, when it was cut
    tagged: bool = True
    taken_away: bool = False  # deleted by somebody else


class Request(NamedTuple):
    """A request for a snapshot on its way to the cloud, or waiting there."""

    attempt: int
    disk: int
    age: int


class Memory(NamedTuple):
    """What an operator remembers of its look-ups for one attempt: every snapshot they showed."""

    attempt: int
    listed: frozenset[int]


class Operator(NamedTuple):
    """One operator with its window; it may be paused anywhere, for any time."""

    at: str = IDLE
    step: Step = ()
    view: Object | None = None  # what it read, while it asks the cloud
    fresh: bool = True  # nobody has written the object since it was read
    attempt: int = 0
    age: int = 0  # of the signature of what it is about to send
    holds: bool = False
    replies: tuple[str, ...] = ()
    result: tuple[str, int] | None = None  # of an attempt, until it is recorded
    memory: Memory | None = None


class Write(NamedTuple):
    """A write that its operator gave up, and that the API server may still do."""

    step: Step


class World(NamedTuple):
    """One state of everything."""

    object: Object = Object()
    snapshots: tuple[Snapshot, ...] = ()
    requests: tuple[Request, ...] = ()
    operators: tuple[Operator, ...] = (Operator(),)
    loose: bool = False  # a hold is in force whose owner is dead
    late: Write | None = None

    def live(self, disk: int) -> list[Snapshot]:
        """Return the snapshots of this object that the cloud has of a disk."""
        return [s for s in self.snapshots if s.disk == disk and not s.taken_away]


class Move(NamedTuple):
    """What leads from one state to the next: its name, whose it is, and of what."""

    name: str
    who: int = -1
    what: Step = ()
