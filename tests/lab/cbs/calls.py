"""Remember every call of the API, and let others wait for one."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call, noted when it has acted or was refused, before any reply."""

    time: float  # when it was read, by the host's clock
    seconds: float
    action: str
    params: Mapping[str, Any]
    code: str | None  # the error that was answered, if any
    request_id: str
    acted: bool
    snapshot_id: str | None = None
    fault: str | None = None


class Calls:
    """The calls since the start, numbered from 0."""

    def __init__(self, log: Path | None = None) -> None:
        self._noted = threading.Condition()
        self._calls: list[Call] = []
        # Opened for each line: the file may be moved away while the emulator runs.
        self._log = log

    def note(self, call: Call) -> None:
        """Add a call and wake who waits for it."""
        with self._noted:
            number = len(self._calls)
            self._calls.append(call)
            if self._log is not None:
                with self._log.open("a") as log:
                    log.write(json.dumps(_document(number, call)) + "\n")
            self._noted.notify_all()

    def since(self, number: int) -> list[dict[str, Any]]:
        """List the calls from this number on."""
        with self._noted:
            later = self._calls[max(0, number) :]
            return [_document(max(0, number) + index, call) for index, call in enumerate(later)]

    def wait(self, action: str, since: int, timeout: float) -> dict[str, Any] | None:
        """Return the first call of an action, from a number on, that acted; None if too late."""
        with self._noted:
            self._noted.wait_for(lambda: self._acted(action, since) is not None, timeout)
            number = self._acted(action, since)
            return None if number is None else _document(number, self._calls[number])

    def _acted(self, action: str, since: int) -> int | None:
        for number in range(max(0, since), len(self._calls)):
            call = self._calls[number]
            if call.action == action and call.acted:
                return number
        return None


def _document(number: int, call: Call) -> dict[str, Any]:
    return {
        "n": number,
        "time": call.time,
        "seconds": call.seconds,
        "action": call.action,
        "params": call.params,
        "code": call.code,
        "acted": call.acted,
        "requestId": call.request_id,
        "snapshotId": call.snapshot_id,
        "fault": call.fault,
    }
