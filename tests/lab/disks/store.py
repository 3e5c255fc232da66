"""The reflink store: one sparse file that holds every disk and snapshot of the lab."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from lab.cluster.commands import run
from lab.disks import filesystem


@dataclass(frozen=True, slots=True)
class Store:
    """An XFS file system with reflinks, mounted at `path` from the sparse file beside it."""

    path: Path

    @classmethod
    def at(cls, path: Path, *, size_gib: int = 64) -> Self:
        """Make the store if there is none, mount it if it is not, and return it."""
        store = cls(path)
        store._make(size_gib)
        store._mount()
        return store

    @property
    def file(self) -> Path:
        """The sparse file that carries the store."""
        return self.path.with_name(f"{self.path.name}.xfs")

    def unmount(self) -> None:
        """Unmount; the content stays in the sparse file."""
        filesystem.unmount(self.path)

    def remove(self) -> None:
        """Unmount and forget everything in the store."""
        self.unmount()
        self.file.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def _make(self, size_gib: int) -> None:
        if self.file.exists():
            return
        self.file.parent.mkdir(parents=True, exist_ok=True)
        # Named otherwise until it is whole: a crash in here leaves no half-made store behind.
        unfinished = self.file.with_suffix(".unfinished")
        unfinished.unlink(missing_ok=True)
        with unfinished.open("wb") as sparse:
            os.truncate(sparse.fileno(), size_gib << 30)
        run("mkfs.xfs", "-q", "-m", "reflink=1", "-l", "size=64m", str(unfinished))
        unfinished.rename(self.file)

    def _mount(self) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        if not filesystem.is_mounted(self.path):
            # `loop` ties the loop device to the mount: unmounting frees both.
            run("mount", "-o", "loop,noatime", str(self.file), str(self.path))
