"""One named part of the lab: started, found again, stopped or killed by its name."""

import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lab.cluster import process
from lab.cluster.errors import LabError
from lab.cluster.waiting import until

_LOG_LINES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A program that runs in a session of its own and survives the command that started it."""

    name: str
    argv: tuple[str, ...]
    run: Path
    """The folder of the pid file."""
    logs: Path
    ready: Callable[[], bool]
    """True once others can rely on it, for example once its socket answers."""
    ready_seconds: float = 60
    environment: Mapping[str, str] = field(default_factory=dict)
    """Added to the environment of the starter (less its proxies)."""

    @property
    def pid_file(self) -> Path:
        return self.run / f"{self.name}.pid"

    @property
    def log(self) -> Path:
        return self.logs / f"{self.name}.log"

    @property
    def pid(self) -> int | None:
        found = process.find(self.pid_file)
        return found.pid if found else None

    @property
    def alive(self) -> bool:
        return process.find(self.pid_file) is not None

    def launch(self) -> None:
        """Start it unless it runs already as asked; don't wait until it is ready."""
        if self._runs_as_asked():
            self.resume()  # A test that paused it may have died.
            return
        self.stop()
        self.run.mkdir(parents=True, exist_ok=True)
        self.logs.mkdir(parents=True, exist_ok=True)
        if self.log.exists():
            self.log.replace(self.log.with_suffix(".log.1"))
        process.spawn(
            self.argv, pid_file=self.pid_file, log=self.log, environment=self.environment
        )
        until(self.pid_file.exists, f"The start of {self.name}", seconds=10)

    def start(self) -> None:
        """Start it unless it runs already, and wait until it is ready."""
        self.launch()
        self.wait_ready()

    def wait_ready(self) -> None:
        until(self._ready_or_dead, f"{self.name} (log: {self.log})", seconds=self.ready_seconds)

    def stop(self, *, seconds: float = 15) -> None:
        """Ask it to end; kill it when it doesn't."""
        found = process.find(self.pid_file)
        if found is not None:
            process.send(found, signal.SIGTERM)
            process.send(found, signal.SIGCONT)  # A paused process does not see the first.
            if not process.wait_gone(found, seconds=seconds):
                self.kill()
        self.pid_file.unlink(missing_ok=True)

    def kill(self) -> None:
        """End it by SIGKILL and wait until it is gone."""
        found = process.find(self.pid_file)
        if found is None:
            return
        process.send(found, signal.SIGKILL)
        if not process.wait_gone(found, seconds=30):
            raise LabError(f"{self.name} (pid {found.pid}) could not be killed.")

    def pause(self) -> None:
        """Stand it still (SIGSTOP) until `resume`."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def _runs_as_asked(self) -> bool:
        found = process.find(self.pid_file)
        # Another version or other flags, from before a change to the lab: start it anew.
        return found is not None and process.command_line(found.pid) == self.argv

    def _signal(self, number: signal.Signals) -> None:
        found = process.find(self.pid_file)
        if found is None:
            raise LabError(f"{self.name} does not run.")
        process.send(found, number)

    def _ready_or_dead(self) -> bool:
        if self.ready():
            return True
        if not self.alive:
            raise LabError(f"{self.name} ended right after its start: {self._last_words()}")
        return False

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return " | ".join(lines[-_LOG_LINES:]) or "without a word"
