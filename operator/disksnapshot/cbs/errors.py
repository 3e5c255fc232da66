"""The table of error codes: what one must do when the cloud says so."""

from __future__ import annotations

from enum import Enum, auto


class Remedy(Enum):
    """What to do about an error code."""

    SEND_AGAIN = auto()  # throttled: not executed
    WAIT_FOR_DISK = auto()  # busy: not executed; or our own lost call, so look up first
    LOOK_UP = auto()  # may have been executed
    CREDENTIALS = auto()  # wrong keys, missing rights, or a wrong clock: not executed
    FINAL = auto()  # waiting can't help


# Exact codes win over prefixes. Sources: SDK cbs/v20170312/errorcodes.py, common error codes.
_EXACT = {
    "InvalidDisk.Busy": Remedy.WAIT_FOR_DISK,
    "InvalidDisk.SnapshotCreating": Remedy.WAIT_FOR_DISK,
    "ResourceBusy": Remedy.WAIT_FOR_DISK,
    "ResourceUnavailable.SnapshotCreating": Remedy.WAIT_FOR_DISK,
    "ResourceUnavailable.DiskBackupCreating": Remedy.WAIT_FOR_DISK,
    "ResourceUnavailable.TooManyCreatingSnapshot": Remedy.WAIT_FOR_DISK,
    "UnauthorizedOperation.InvalidToken": Remedy.CREDENTIALS,
    "UnauthorizedOperation.AuthFailure": Remedy.CREDENTIALS,
    "InsufficientSnapshotQuota": Remedy.SEND_AGAIN,
}
_PREFIXES = (
    ("RequestLimitExceeded", Remedy.SEND_AGAIN),
    ("ResourceInUse", Remedy.WAIT_FOR_DISK),
    ("AuthFailure", Remedy.CREDENTIALS),
    ("InvalidDisk", Remedy.FINAL),
    ("InvalidDiskId", Remedy.FINAL),
    ("InvalidAccount", Remedy.SEND_AGAIN),  # no money: somebody may pay
    ("InvalidParameter", Remedy.FINAL),
    ("InvalidParameterValue", Remedy.FINAL),
    ("MissingParameter", Remedy.FINAL),
    ("UnknownParameter", Remedy.FINAL),
    ("UnsupportedOperation", Remedy.FINAL),
    ("UnauthorizedOperation", Remedy.CREDENTIALS),  # a right is missing: somebody may give it
    ("ResourceUnavailable", Remedy.FINAL),
    ("ResourceInsufficient", Remedy.SEND_AGAIN),  # a quota: somebody may delete or raise it
    ("ResourceNotFound", Remedy.FINAL),
)


def remedy(code: str) -> Remedy:
    """Return what to do about a code; an unknown one may have been executed."""
    if code in _EXACT:
        return _EXACT[code]
    for prefix, what in _PREFIXES:
        if code == prefix or code.startswith(f"{prefix}."):
            return what
    return Remedy.LOOK_UP
