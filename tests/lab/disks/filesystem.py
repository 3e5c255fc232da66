"""Mount and unmount the file systems on disks."""

import subprocess
from pathlib import Path
from typing import Final

from lab.cluster import mounts
from lab.cluster.commands import run
from lab.cluster.errors import LabError

EXT4: Final = "ext4"
XFS: Final = "xfs"
# As Kubernetes' own mounter makes them.
_MAKERS: Final = {EXT4: ("mkfs.ext4", "-q", "-F", "-m", "0"), XFS: ("mkfs.xfs", "-q", "-f")}
_NOTHING_FOUND: Final = 2  # blkid's exit status


def is_mounted(path: Path) -> bool:
    """Say whether something is mounted at exactly this path."""
    wanted = path.resolve()
    return wanted in mounts.below(wanted)


def mount(device: Path, path: Path, *, kind: str = EXT4) -> None:
    """Mount a device, with a new file system of this kind if it is blank."""
    if is_mounted(path):
        return
    if not kind_of(device):
        run(*_MAKERS[kind], str(device))
    path.mkdir(parents=True, exist_ok=True)
    # XFS refuses a copy beside its original, as both carry one UUID.
    options = ("-o", "nouuid") if kind_of(device) == XFS else ()
    run("mount", *options, str(device), str(path))


def unmount(path: Path) -> None:
    """Unmount whatever is mounted at exactly this path, as often as it is."""
    while is_mounted(path):
        run("umount", str(path))


def kind_of(device: Path) -> str:
    """Name the file system on a device; nothing if the device is blank."""
    probe = ("blkid", "--probe", "-s", "TYPE", "-o", "value", str(device))
    done = subprocess.run(probe, capture_output=True, text=True, check=False)
    # Only 2 means "nothing found". Taking an error for a blank disk would format its data away.
    if done.returncode not in {0, _NOTHING_FOUND}:
        raise LabError(f"`{' '.join(probe)}` exited {done.returncode}: {done.stderr.strip()}")
    return done.stdout.strip()
