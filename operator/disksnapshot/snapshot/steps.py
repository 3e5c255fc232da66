"""What is observed of one DiskSnapshot, and the steps that can follow from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from disksnapshot.snapshot.down import Down, Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A snapshot of this object that the cloud lists; `ours` only by its tags, never by name."""

    id: str
    disk_id: str
    attempt: int
    state: str
    percent: int
    ours: bool

    @property
    def complete(self) -> bool:
        """It can be restored from."""
        return self.state == "NORMAL" and self.percent == 100  # noqa: PLR2004 - per cent


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was observed in the cloud, and of the workload that is scaled to zero.

    Of look-ups, `absent_since` is when they began to find nothing new, and `listed` is every id
    that one of them has ever shown; of sweeps, it is when a recorded snapshot was first missing,
    and `trouble` is why they see nothing (reason and message) until a person helps.
    """

    snapshots: tuple[Found, ...] = ()
    looked: bool = False
    absent_since: datetime | None = None
    listed: frozenset[str] = frozenset()
    workload: Workload | None = None
    trouble: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Rest:
    """Nothing to do until the object changes, or until then."""

    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class LookUp:
    """Ask the cloud which snapshots of this object exist."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Say why, and look again at `until`."""

    until: datetime
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Capture:
    """Hold, cut, let go, record: the one compound step."""

    attempt: int


@dataclass(frozen=True, slots=True)
class Adopt:
    """Record snapshots that were found after their reply was lost."""

    snapshots: Mapping[str, str] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Settle:
    """Write down that the attempt left nothing."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Discard:
    """Delete a snapshot of ours."""

    snapshot_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Follow:
    """Write progress, or what keeps it from being seen, and look again."""

    states: Mapping[str, tuple[str, int]] = field(hash=False)
    trouble: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Finish:
    """The snapshot can be used."""

    states: Mapping[str, tuple[str, int]] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Fail:
    """This object will not become Ready."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Write down that a changed spec was seen; nothing else follows from it."""


@dataclass(frozen=True, slots=True)
class AddFinalizer:
    """Something of a finished object is to be cleaned when it is deleted."""


@dataclass(frozen=True, slots=True)
class DropFinalizer:
    """Nothing of this object is to be cleaned, or can appear in the cloud, any more."""


@dataclass(frozen=True, slots=True)
class Retire:
    """Say that it is Ready no more, before what it names is deleted."""

    message: str


@dataclass(frozen=True, slots=True)
class Expire:
    """Its time is over and nothing of it is left: say so for good."""

    message: str


@dataclass(frozen=True, slots=True)
class SetDeadline:
    """Have the cloud delete it by itself then, should we not; None: never."""

    deadline: datetime | None


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Let a deleted object go although something of it may be left, as its owner demands."""

    message: str


@dataclass(frozen=True, slots=True)
class Reopen:
    """Part of what the status says of an attempt was lost: call its outcome unknown."""


@dataclass(frozen=True, slots=True)
class LookAtWorkload:
    """See how far a workload is that goes to zero, or comes back."""


@dataclass(frozen=True, slots=True)
class TakeDown:
    """Find out whether the workload may go to zero, and write down its replicas."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Have the workload so many replicas, if it is still as it was seen."""

    replicas: int
    version: str


@dataclass(frozen=True, slots=True)
class Note:
    """Write down what was seen of the workload."""

    down: Down


Scaling = LookAtWorkload | TakeDown | Scale | Note
Keeping = (
    Acknowledge | AddFinalizer | DropFinalizer | GiveUp | Retire | Expire | SetDeadline | Reopen
)
Step = (
    Rest | LookUp | Wait | Capture | Adopt | Settle | Discard | Follow | Finish | Fail | Keeping
    | Scaling
)  # fmt: skip
