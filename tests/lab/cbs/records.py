"""What the emulated cloud remembers: facts only, from which every state is derived."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class SnapshotState(StrEnum):
    """The states of a snapshot that this emulator derives; it can be told to show any other."""

    CREATING = "CREATING"
    NORMAL = "NORMAL"


class DiskState(StrEnum):
    """The states of a disk; the emulator derives the first four and can be told to show any."""

    UNATTACHED = "UNATTACHED"
    ATTACHING = "ATTACHING"
    ATTACHED = "ATTACHED"
    DETACHING = "DETACHING"
    EXPANDING = "EXPANDING"
    ROLLBACKING = "ROLLBACKING"
    TORECYCLE = "TORECYCLE"
    DUMPING = "DUMPING"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """One cloud disk; times are seconds of the emulated cloud's clock."""

    id: str
    name: str
    size_gib: int
    zone: str
    created: float
    type: str = "CLOUD_PREMIUM"
    usage: str = "DATA_DISK"
    charge_type: str = "POSTPAID_BY_HOUR"
    tags: Mapping[str, str] = field(default_factory=dict)
    encrypted: bool = False
    shareable: bool = False
    migrating: bool = False
    snapshot_ability: bool = True
    source_snapshot_id: str = ""
    instance_id: str = ""
    last_instance_id: str = ""
    attached_from: float = 0.0  # ATTACHING until then
    detached_from: float | None = None  # asked to be detached; DETACHING until then
    visible_from: float | None = None  # None: its content isn't made yet
    shown_state: str = ""  # what it shows instead of what it is

    def holder(self, now: float) -> str:
        """Return the instance that has it; empty if none has."""
        gone = self.detached_from is not None and self.detached_from <= now
        return "" if gone else self.instance_id

    def state(self, now: float) -> str:
        """Derive the state that the cloud shows."""
        if self.shown_state:
            return self.shown_state
        if not self.holder(now):
            return DiskState.UNATTACHED
        if self.detached_from is not None:
            return DiskState.DETACHING
        return DiskState.ATTACHING if now < self.attached_from else DiskState.ATTACHED

    def is_visible(self, now: float) -> bool:
        """Tell if DescribeDisks lists it."""
        return self.visible_from is not None and self.visible_from <= now


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One snapshot. Kept before its cut, so that no crash can leave a copy that nobody knows."""

    id: str
    disk_id: str
    name: str
    size_gib: int
    zone: str
    began: float
    creation_seconds: float
    visibility_seconds: float
    tags: Mapping[str, str] = field(default_factory=dict)
    encrypted: bool = False
    usage: str = "DATA_DISK"
    deadline: float | None = None
    # The cut by the host's clock, which the lab shares with the disk's writers.
    cut_started: float | None = None
    cut_ended: float | None = None
    accepted: float | None = None  # the cloud's clock after the cut; None: not acted
    # Asked for and answered, its cut due at this time of the cloud's clock; None: cut at once.
    due: float | None = None
    visible_before_cut: bool = False
    gone_from: float | None = None  # asked to be deleted; listed until then
    # What it shows instead of what it is; a state that nobody documents is possible.
    shown_state: str = ""
    shown_percent: int | None = None
    # What keeps it from being deleted.
    images: Sequence[str] = ()  # made from it
    shares: int = 0  # accounts that it is shared with
    locked: bool = False
    modified: float | None = None

    def is_visible(self, now: float) -> bool:
        """Tell if DescribeSnapshots lists it."""
        early = self.due is not None and self.visible_before_cut
        since = self.began if early else self.accepted
        return since is not None and since + self.visibility_seconds <= now

    @property
    def known(self) -> bool:
        """Tell if the cloud has acted on it: cut it, or promised to."""
        return self.accepted is not None or self.due is not None

    def is_gone(self, now: float) -> bool:
        """Tell if it was deleted, or its deadline has passed."""
        deleted = self.gone_from is not None and self.gone_from <= now
        return deleted or (self.deadline is not None and self.deadline <= now)

    def percent(self, now: float) -> int:
        """Grow while it is being created, and never say 100 before it is NORMAL."""
        if self.shown_percent is not None:
            return self.shown_percent
        if self.accepted is None:
            return 0
        elapsed = max(0.0, now - self.accepted)
        if elapsed >= self.creation_seconds:
            return 100
        return min(99, int(100 * elapsed / self.creation_seconds))

    def state(self, now: float) -> str:
        """Derive the state that the cloud shows."""
        if self.shown_state:
            return self.shown_state
        return SnapshotState.NORMAL if self.percent(now) == 100 else SnapshotState.CREATING


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A ClientToken of CreateDisks, with what was asked and what came of it."""

    id: str
    request: str
    disk_ids: list[str]


Record = Disk | Snapshot | Token
