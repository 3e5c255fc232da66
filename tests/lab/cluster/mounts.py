"""Mounts at and below the lab's folders: shared ones made, all of them found and undone."""

import fcntl
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from lab.cluster.commands import run, succeeds
from lab.cluster.errors import LabError

_FITHAW: Final = 0xC0045878
_OCTAL: Final = re.compile(r"\\([0-7]{3})")


def below(folder: Path) -> list[Path]:
    """Return the mount points at and below a folder, oldest first."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    points = [_unescaped(line.split()[4]) for line in lines]
    return [point for point in points if point.is_relative_to(folder)]


def share(folder: Path) -> None:
    """Make a folder a mount whose later mounts are seen inside containers, and back."""
    folder.mkdir(parents=True, exist_ok=True)
    if folder not in below(folder):
        run("mount", "--bind", str(folder), str(folder))
        # Private first: below a shared root it would else share with what it covers.
        run("mount", "--make-private", str(folder))
    run("mount", "--make-rshared", str(folder))


def thaw(folder: Path) -> None:
    """Let every file system below a folder write again; a thawed one stays so."""
    for point in below(folder):
        _thaw(point)


def undo(folder: Path) -> None:
    """Unmount everything at and below a folder, newest first."""
    for point in reversed(below(folder)):
        if not succeeds("umount", str(point)):
            # Detached, it vanishes when its last user is gone: better than half a teardown.
            run("umount", "--lazy", str(point), check=False)
    left = below(folder)
    if left:
        raise LabError(f"These mounts could not be undone: {_joined(left)}.")


def _thaw(point: Path) -> None:
    try:
        opened = os.open(point, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return
    try:
        fcntl.ioctl(opened, _FITHAW, 0)
    except OSError:
        return  # Not frozen, or a kind of file system that can't be.
    finally:
        os.close(opened)


def _unescaped(text: str) -> Path:
    return Path(_OCTAL.sub(lambda found: chr(int(found[1], 8)), text))


def _joined(paths: Sequence[Path]) -> str:
    return ", ".join(str(path) for path in paths)
