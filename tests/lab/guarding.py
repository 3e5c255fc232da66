"""Guards under real shells, with the words to tell them and to ask what became of them."""

import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

from disksnapshot.window.command import guarded, opened
from disksnapshot.window.hold import CommandTarget
from lab.cluster.errors import LabError
from lab.program import LocalProgram, LocalSession

# The shells of Debian, of small images, and of the Red Hat family.
SHELLS: Final = {"dash": ("dash",), "busybox": ("busybox", "sh"), "bash": ("bash",)}
READY_SECONDS = 10.0
_T = TypeVar("_T")


class Guarded:
    """One guard under one shell, in a folder in which its commands leave their marks."""

    def __init__(self, folder: Path, shell: tuple[str, ...]) -> None:
        if not shutil.which(shell[0]):
            raise LabError(f"The shell {shell[0]} is missing; `make lab-up` installs it.")
        folder.mkdir()
        self.folder = folder
        self._program = LocalProgram(shell=shell)
        self._session: LocalSession | None = None

    def start(
        self, acquire: list[str], release: list[str] | None = None, *, kind: str = "exec",
        seconds: int = 1,
    ) -> "Guarded":  # fmt: skip
        """Start the guard; unless given, release leaves the mark `released`."""
        target = CommandTarget(
            program=self._program,
            where="here",
            acquire=tuple(acquire),
            release=tuple(release or ["touch", str(self.folder / "released")]),
        )
        argv = guarded(target, kind, seconds)
        session = opened(target, argv, time.monotonic() + READY_SECONDS)
        assert isinstance(session, LocalSession)
        self._session = session
        return self

    @property
    def session(self) -> LocalSession:
        assert self._session
        return self._session

    def say(self, line: str) -> None:
        self.session.send_line(line)

    def hear(self, seconds: float = 10.0) -> str:
        return self.session.read_line(time.monotonic() + seconds)

    def exit_code(self, seconds: float = 10.0) -> int | None:
        return self.session.exit_code(time.monotonic() + seconds)

    def end_input(self) -> None:
        assert self.session.process.stdin
        self.session.process.stdin.close()

    @property
    def released(self) -> bool:
        return (self.folder / "released").exists()

    def mark(self, name: str) -> Path:
        return self.folder / name

    def close(self) -> None:
        if self._session:
            self._session.close()
            self._session.process.wait(10)


def in_each_shell(folder: Path, act: Callable[[Guarded], _T]) -> list[_T]:
    """Do the same under every shell, at the same time: most of it is waiting."""

    def alone(name: str) -> _T:
        guard = Guarded(folder / name, SHELLS[name])
        try:
            return act(guard)
        finally:
            guard.close()

    with ThreadPoolExecutor(len(SHELLS)) as pool:
        return list(pool.map(alone, SHELLS))
