"""Run a line program as a child process, where the operator runs it in a pod."""

import os
import select
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass

from disksnapshot.kube.exec import ExecError

END_SECONDS = 1.0


@dataclass(frozen=True)
class LocalProgram:
    """A place to run the freezer or a guard in: this machine, instead of a pod.

    `shell` takes the place of the word `sh`.
    """

    shell: tuple[str, ...] = ("sh",)

    def open(self, argv: list[str], deadline: float) -> "LocalSession":  # noqa: ARG002 - as PodProgram
        return LocalSession([*self.shell, *argv[1:]] if argv[0] == "sh" else argv)


class LocalSession:
    """A conversation with a child process by pipes, as ExecSession has with a container's."""

    def __init__(self, argv: list[str]) -> None:
        self.process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
        assert self.process.stdin
        assert self.process.stdout
        assert self.process.stderr
        self._input, self._output = self.process.stdin, self.process.stdout
        self._errors = self.process.stderr
        self._text = self._words = b""
        self._ended = False

    def send_line(self, line: str) -> None:
        try:
            self._input.write(line.encode() + b"\n")
        except OSError as error:
            raise ExecError(str(error)) from error

    def read_line(self, deadline: float) -> str:
        while b"\n" not in self._text:
            if self._ended:
                raise ExecError(f"the program ended: {self.process.wait()}", ended=True)
            if not self._receive(max(0.0, deadline - time.monotonic())):
                raise ExecError("no answer in time")
        line, _, self._text = self._text.partition(b"\n")
        return line.decode()

    def exit_code(self, deadline: float) -> int | None:
        """Return it once nobody can write any more, which is when a container's is told."""
        with suppress(subprocess.TimeoutExpired):
            code = self.process.wait(max(0.0, deadline - time.monotonic()))
            return code if self._all_written(deadline) else None
        return None

    @property
    def error_bytes(self) -> int:
        self._all_written(time.monotonic())
        return len(self._words)

    def last_words(self) -> str:
        self._all_written(time.monotonic())
        return self._words[-4096:].decode("utf-8", "replace").strip()

    def spoke(self) -> bool:
        return bool(self._text) or self._ended or self._receive(0)

    def fileno(self) -> int:
        return self._output.fileno()

    def close(self) -> None:
        """End the program's input; like the end of a websocket, this never waits for long."""
        self._input.close()
        with suppress(subprocess.TimeoutExpired):  # it may be stopped, as a pod's may
            self.process.wait(END_SECONDS)
        self._output.close()
        self._errors.close()

    def _all_written(self, deadline: float) -> bool:
        """Take what was written to standard error; False when more may come."""
        while select.select([self._errors], [], [], max(0.0, deadline - time.monotonic()))[0]:
            chunk = os.read(self._errors.fileno(), 65536)
            if not chunk:
                return True
            self._words += chunk
        return False

    def _receive(self, seconds: float) -> bool:
        if not select.select([self._output], [], [], seconds)[0]:
            return False
        chunk = os.read(self._output.fileno(), 4096)
        self._ended = self._ended or not chunk
        self._text += chunk
        return True
