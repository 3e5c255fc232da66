"""Where the keys of the Tencent Cloud account come from: one place, named, never guessed.

The SDK's own chain of providers would take a machine's role before a pod's, and waits for the
metadata address without a limit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from tencentcloud.common.credential import Credential

from disksnapshot.cbs.cvmrole import MachineRole
from disksnapshot.cbs.podidentity import PodIdentity
from disksnapshot.cbs.temporary import TemporaryCredential
from disksnapshot.errors import CloudUnavailable
from disksnapshot.settings import KeysFromFiles, KeysFromPodIdentity, KeysFromRole

if TYPE_CHECKING:
    from pathlib import Path

    from disksnapshot.cbs.clock import CloudClock
    from disksnapshot.settings import Keys


def opened(keys: Keys, ca_file: str | None, clock: CloudClock) -> Credential:
    """Return the account's keys, by the mode that the settings name; nothing is fetched yet.

    Temporary keys end on the cloud's clock. Who gives them tells it: on a node whose own is hours
    ahead, new keys would seem to have ended, and no request would ever be made that told it.
    """
    match keys:
        case KeysFromFiles(folder):
            return FileCredential(folder)
        case KeysFromPodIdentity():
            return TemporaryCredential("STS", PodIdentity(keys, ca_file, clock).fetch, clock.now)
        case KeysFromRole(address, role):
            fetch = MachineRole(address, role, clock).fetch
            return TemporaryCredential("the machine's CAM role", fetch, clock.now)
        case _:
            assert_never(keys)


class FileCredential(Credential):  # type: ignore[misc]  # the SDK has no types
    """Keys in the files of a mounted Secret, read for each request: rotating needs no restart."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get_credential_info(self) -> tuple[str, str, str | None]:
        """Return id, key and token of one moment (the SDK calls it for each request)."""
        try:
            try:
                return (*self._read_once(), None)
            except FileNotFoundError:
                # Swapped in between: the old folder is gone, the new one is there.
                return (*self._read_once(), None)
        except (OSError, ValueError) as error:
            # Only the kind of error: a file that is no ASCII would be quoted.
            why = getattr(error, "strerror", None) or type(error).__name__
            message = f"the account's keys can't be read from {self._folder}: {why}"
            raise CloudUnavailable(message) from None

    def __repr__(self) -> str:
        return f"FileCredential({str(self._folder)!r})"

    def _read_once(self) -> tuple[str, str]:
        # The kubelet swaps the folder behind ..data at once: resolve it once for both files.
        published = self._folder / "..data"
        source = published.resolve() if published.exists() else self._folder
        return _text(source / "secretId"), _text(source / "secretKey")


def _text(path: Path) -> str:
    text = path.read_text(encoding="ascii").strip()
    if not text:
        raise ValueError("empty")
    return text
