"""The client of the emulator's control port."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

_ANSWER_SECONDS = 30.0


class ControlError(Exception):
    """The control port refused; the message is its own."""


class Control:
    """Ask the emulated cloud what really happened, and tell it what to do next.

    Each question has a connection of its own, so a Control may be shared by threads and outlives
    the emulator's restarts. Disks and snapshots outlive them too; settings, faults and the calls
    with their numbers start anew.
    """

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url).netloc

    def health(self) -> dict[str, Any]:
        """Raise OSError unless the emulator answers."""
        return self._ask("GET", "/health")

    def create_disk(
        self,
        size_gib: int = 1,
        name: str = "",
        zone: str = "",
        *,
        snapshot_ability: bool = True,
    ) -> dict[str, Any]:
        """Make a blank disk; returns its DiskId and the Path of its file."""
        asked = {
            "SizeGiB": size_gib,
            "DiskName": name,
            "Zone": zone,
            "SnapshotAbility": snapshot_ability,
        }
        return self._ask("POST", "/disks", asked)

    def disks(self) -> list[dict[str, Any]]:
        """List all disks as the API shows them, with the Path of each."""
        return list(self._ask("GET", "/disks")["disks"])

    def disk(self, disk_id: str) -> dict[str, Any]:
        """Show a disk as the API does, with its Path."""
        return self._ask("GET", f"/disks/{disk_id}")

    def change_disk(self, disk_id: str, **changes: Any) -> dict[str, Any]:
        """Change what a disk is, by the names of DescribeDisks; those of lab.cbs.retouch."""
        return self._ask("POST", f"/disks/{disk_id}", changes)

    def attach(self, disk_id: str, instance_id: str) -> dict[str, Any]:
        """Give a disk to an instance."""
        return self._ask("POST", f"/disks/{disk_id}/attach", {"InstanceId": instance_id})

    def detach(self, disk_id: str) -> dict[str, Any]:
        """Take a disk from its instance; nothing happens if it has none."""
        return self._ask("POST", f"/disks/{disk_id}/detach")

    def delete_disk(self, disk_id: str) -> None:
        """Delete a disk that isn't attached; its snapshots stay."""
        self._ask("DELETE", f"/disks/{disk_id}")

    def snapshots(self) -> list[dict[str, Any]]:
        """List every snapshot that was cut, visible or not: the truth."""
        return list(self._ask("GET", "/snapshots")["snapshots"])

    def change_snapshot(self, snapshot_id: str, **changes: Any) -> dict[str, Any]:
        """Change what a snapshot shows or what keeps it, by the names of lab.cbs.retouch."""
        return self._ask("POST", f"/snapshots/{snapshot_id}", changes)

    def add_snapshots(
        self,
        count: int,
        disk_id: str,
        name: str = "foreign",
        tags: Mapping[str, str] | None = None,
    ) -> list[str]:
        """Add NORMAL snapshots that others made, without content; returns their ids."""
        asked = {"count": count, "disk": disk_id, "name": name, "tags": dict(tags or {})}
        return list(self._ask("POST", "/snapshots", asked)["ids"])

    def vanish(self, snapshot_id: str) -> None:
        """Lose a snapshot at once, without the API."""
        self._ask("DELETE", f"/snapshots/{snapshot_id}")

    def calls(self, since: int = 0) -> tuple[list[dict[str, Any]], int]:
        """Return the calls from a number on, and the number that the next call will get."""
        found = self._ask("GET", f"/calls?{urlencode({'since': since})}")
        return list(found["calls"]), int(found["next"])

    def wait_call(self, action: str, since: int = 0, timeout: float = 30.0) -> dict[str, Any]:
        """Wait for a call that acted, from a number on; its reply may still be under way."""
        query = urlencode({"action": action, "since": since, "timeout": timeout})
        return self._ask("GET", f"/calls/wait?{query}", patience=timeout + _ANSWER_SECONDS)

    def fault(  # noqa: PLR0913 - a fault's fields, most of them left out
        self,
        action: str,
        kind: str,
        times: int = 1,
        *,
        seconds: float | None = None,
        code: str = "",
        message: str = "",
        state: str = "",
        milliseconds: int = 0,
    ) -> None:
        """Let the next calls of an action (`*`: of any) meet a fault, or all calls for a time.

        The kinds are in lab.cbs.faults.
        """
        asked = {"action": action, "kind": kind, "times": times, "seconds": seconds}
        words = {"code": code, "message": message, "state": state, "milliseconds": milliseconds}
        self._ask("POST", "/faults", asked | words)

    def error(
        self,
        action: str,
        code: str,
        message: str = "",
        *,
        times: int = 1,
        seconds: float | None = None,
        acted: bool = False,
    ) -> None:
        """Answer the next calls, or all for a time, with an error; they act only if told so."""
        kind = "ErrorAfterAct" if acted else "ErrorBeforeAct"
        self.fault(action, kind, times, seconds=seconds, code=code, message=message)

    def clear_faults(self) -> None:
        """Forget the faults that hit nothing yet."""
        self._ask("DELETE", "/faults")

    def issue_key(self, seconds: int) -> dict[str, Any]:
        """Make a temporary key: its secretId, secretKey, token, and when it expires."""
        return self._ask("POST", "/keys", {"seconds": seconds})

    def revoke_temporary_keys(self) -> None:
        """Forget every temporary key."""
        self._ask("DELETE", "/keys")

    def limit_as_documented(self) -> None:
        """Set the limits that the service documents; without this, there are none."""
        self.settings(callsPerSecond=20, describeDisksPerSecond=100, quota=64, quotaPerDisk=64)

    def skew(self, seconds: int) -> None:
        """Let the cloud's clock be wrong: for signatures, the Date header, and all that ages."""
        self.settings(clockOffsetSeconds=seconds)

    def settings(self, **wanted: int | bool | str) -> dict[str, Any]:
        """Change settings, given in the control port's names; returns all of them."""
        return self._ask("POST", "/settings", wanted)

    def _ask(
        self,
        method: str,
        path: str,
        asked: Mapping[str, Any] | None = None,
        patience: float = _ANSWER_SECONDS,
    ) -> dict[str, Any]:
        connection = HTTPConnection(self._address, timeout=patience)
        try:
            body = None if asked is None else json.dumps(asked)
            connection.request(method, path, body, {"Connection": "close"})
            response = connection.getresponse()
            answer: dict[str, Any] = json.loads(response.read())
        finally:
            connection.close()
        if response.status == HTTPStatus.REQUEST_TIMEOUT:
            raise TimeoutError(answer["error"])
        if response.status != HTTPStatus.OK:
            raise ControlError(answer["error"])
        return answer
