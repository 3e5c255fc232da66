"""What is proven of disks that no pod mounts: nothing could write to them over the cut."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from disksnapshot.snapshot.disks import DETACHED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from disksnapshot.cbs.listed import Disk
    from disksnapshot.snapshot.prepare import Target

# Attaching and detaching take the cloud some seconds each, and a pod between them starts and ends;
# shorter is no use of a disk. A look-up after the cut waits for up to 10 s.
ATTACHED_AT_LEAST = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Stillness:
    """Of the claims that no pod mounts; `everywhere`: that is all claims. `why` if not proven."""

    everywhere: bool
    why: str = ""

    @property
    def proven(self) -> bool:
        """Nothing was attached to any of their disks, before the cut and after it."""
        return not self.why


def judge(
    unmounted: Sequence[Target], after: Mapping[str, Disk], *, everywhere: bool, apart: timedelta
) -> Stillness:
    """Compare each disk as it was before the cut with what the cloud said after it.

    `apart` is the time between the two: a machine that attaches a disk again that it had last, and
    detaches it, leaves no trace but that it takes its time.
    """
    whys = [_why_not(target, after.get(target.disk.id)) for target in unmounted]
    if apart >= ATTACHED_AT_LEAST:
        seconds = apart.total_seconds()
        whys.append(
            f"its disks were looked at {seconds:.0f} s apart, so others may have used them"
        )
    return Stillness(everywhere, next((why for why in whys if why), ""))


def covered(proven: Sequence[str], stillness: Stillness | None) -> list[str]:
    """Return the kinds of holds that cover all claims: to be attached to nothing is to be frozen.

    What was frozen or synced of those that are mounted covers all only if the others stood still.
    """
    kinds = list(proven)
    if stillness is None:
        return kinds
    if not stillness.proven:
        return [kind for kind in kinds if kind not in {"freeze", "sync", "offline"}]
    return [*kinds, "freeze"] if stillness.everywhere else kinds


def _why_not(target: Target, after: Disk | None) -> str:
    before, name = target.disk, target.claim.name
    if target.claim.is_block:
        return f"claim {name} is a raw block device, without a file system that could be clean"
    for disk in (before, after):
        if disk is None:
            return f"disk {before.id} of claim {name} could not be looked at after the cut"
        if disk.state != DETACHED:
            return f"disk {disk.id} of claim {name} was {disk.state} although no pod mounts it"
    if after and after.last_instance_id != before.last_instance_id:
        return f"disk {before.id} of claim {name} was attached meanwhile"
    return ""
