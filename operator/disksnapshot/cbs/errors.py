"""The one table of error codes: what the cloud says, what we do about it, and what a person can.

Sources: SDK cbs/v20170312/errorcodes.py (all of it), and the common error codes of the API.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from disksnapshot.reasons import Reason


class Remedy(StrEnum):
    """What to do about an error code; the words are those of the documentation."""

    SEND_AGAIN = "send again, more slowly"  # throttled: not executed
    WAIT_FOR_DISK = "wait for the disk"  # not executed; or our own lost call, so look up first
    LOOK_UP = "look up what became of it"  # may have been executed
    CREDENTIALS = "read the credentials anew"  # not executed
    PERMISSION = "wait for a person"  # not executed; a right or a setting is missing
    QUOTA = "stop captures in the region"  # not executed, and no other capture would be
    FINAL = "fail"  # not executed, and waiting can't help


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one code means: our remedy, the reason to show, and what a person can do."""

    remedy: Remedy
    reason: Reason
    advice: str

    @property
    def needs_person(self) -> bool:
        """Tell whether trying often is in vain, although trying again is right."""
        return self.remedy in {Remedy.CREDENTIALS, Remedy.PERMISSION, Remedy.QUOTA, Remedy.FINAL}


_THROTTLED = Meaning(
    Remedy.SEND_AGAIN,
    Reason.CLOUD_THROTTLED,
    "Nothing to do; if it lasts, find out who else uses up the account's rate.",
)
_BUSY = Meaning(
    Remedy.WAIT_FOR_DISK,
    Reason.DISK_BUSY,
    "Nothing to do: the operator waits until the disk is free.",
)
_SCARCE = Meaning(
    Remedy.WAIT_FOR_DISK,
    Reason.CLOUD_ERROR,
    "Wait, or ask Tencent Cloud which resource is used up.",
)
_UNCLEAR = Meaning(
    Remedy.LOOK_UP,
    Reason.OUTCOME_UNKNOWN,
    "Nothing to do: the operator looks for the snapshot before it tries again.",
)
_KEYS = Meaning(
    Remedy.CREDENTIALS,
    Reason.CREDENTIALS_REFUSED,
    "Correct the account's keys in the operator's Secret; no restart is needed.",
)
_CLOCK = Meaning(
    Remedy.CREDENTIALS,
    Reason.CREDENTIALS_REFUSED,
    "Set the node's clock (NTP); from the next call on the operator follows the cloud's clock.",
)
_RIGHTS = Meaning(
    Remedy.PERMISSION,
    Reason.CLOUD_FORBIDDEN,
    "Allow the account what the message names, such as cvm:CreateSnapshot, in CAM.",
)
_SETTINGS = Meaning(
    Remedy.PERMISSION,
    Reason.CLOUD_ERROR,
    "Check the chart's values tencent.endpoint and tencent.region, or upgrade the operator.",
)
_QUOTA = Meaning(
    Remedy.QUOTA,
    Reason.SNAPSHOT_QUOTA_EXCEEDED,
    "Delete snapshots in this region, or have its quota raised; no writer is held meanwhile.",
)
_ARREARS = Meaning(
    Remedy.QUOTA,
    Reason.ACCOUNT_IN_ARREARS,
    "Pay what the account owes; no writer is held meanwhile.",
)
_DISK = Meaning(
    Remedy.FINAL,
    Reason.DISK_UNUSABLE,
    "Look at the disk in the console: it is gone, or of a kind that can't have this snapshot.",
)
_TAGS = Meaning(
    Remedy.FINAL,
    Reason.CLOUD_ERROR,
    "Create a DiskSnapshot with fewer spec.tags.",
)
_IN_USE = Meaning(
    Remedy.PERMISSION,
    Reason.DELETION_BLOCKED,
    "Stop sharing or copying the snapshot, or delete the image made from it.",
)
_LOST = Meaning(
    Remedy.FINAL,
    Reason.SNAPSHOT_LOST,
    "Somebody, or a rule in the cloud, deleted it: create a new one.",
)
_REFUSED = Meaning(
    Remedy.FINAL,
    Reason.CLOUD_ERROR,
    "Report it with the message: the operator asked for something that the cloud doesn't take.",
)

# One line a group: the codes of a class, each with its details. Bare = the code without detail.
_EXACT: tuple[tuple[Meaning, str, str], ...] = (
    (_THROTTLED, "RequestLimitExceeded", "- GlobalRegionUinLimitExceeded IPLimitExceeded"),
    (_THROTTLED, "RequestLimitExceeded", "UinLimitExceeded"),
    (_BUSY, "InvalidDisk", "Busy SnapshotCreating"),
    (_BUSY, "ResourceBusy", "-"),
    (_BUSY, "ResourceInUse", "- CopySnapshotConflict DiskMigrating DiskRollbacking"),
    (_BUSY, "ResourceUnavailable", "DiskBackupCreating SnapshotCreating TooManyCreatingSnapshot"),
    (_BUSY, "TradeDealConflict", "-"),
    (_BUSY, "UnsupportedOperation", "InstanceNotStopped StateError"),
    (_SCARCE, "LimitExceeded", "-"),
    (_SCARCE, "ResourceInsufficient", "- UpgradeServiceBusy"),
    (_UNCLEAR, "FailedOperation", "-"),
    (_UNCLEAR, "InternalError", "- ComponentError FailQueryResource ResourceOpFailed"),
    (_UNCLEAR, "ResourceUnavailable", "-"),
    (_UNCLEAR, "ResponseSizeLimitExceeded", "-"),
    (_UNCLEAR, "ServiceUnavailable", "-"),
    (_KEYS, "AuthFailure", "- InvalidAuthorization InvalidSecretId SecretIdNotFound"),
    (_KEYS, "AuthFailure", "SignatureFailure TokenFailure"),
    (_KEYS, "UnauthorizedOperation", "AuthFailure InvalidToken"),
    (_CLOCK, "AuthFailure", "SignatureExpire"),
    (_RIGHTS, "AuthFailure", "MFAFailure UnauthorizedOperation"),
    (_RIGHTS, "IpInBlacklist", "-"),
    (_RIGHTS, "IpNotInWhitelist", "-"),
    (_RIGHTS, "OperationDenied", "AccountSecurityRisk"),
    (_RIGHTS, "UnauthorizedOperation", "- MFAExpired NotCertification NotHavePaymentRight"),
    (_RIGHTS, "UnauthorizedOperation", "RoleNotExists"),
    (_SETTINGS, "ActionOffline", "-"),
    (_SETTINGS, "InvalidAction", "-"),
    (_SETTINGS, "InvalidParameterValue", "InvalidAction"),
    (_SETTINGS, "NoSuchProduct", "-"),
    (_SETTINGS, "NoSuchVersion", "-"),
    (_SETTINGS, "UnsupportedProtocol", "-"),
    (_SETTINGS, "UnsupportedRegion", "-"),
    (_QUOTA, "InsufficientSnapshotQuota", "-"),
    (_QUOTA, "ResourceInsufficient", "OverQuota"),
    (_ARREARS, "InvalidAccount", "InsufficientBalance"),
    (_DISK, "InvalidDisk", "AlreadyBound Expire NotPortable NotSupportSnapshot NotSupported"),
    (_DISK, "InvalidDisk", "TypeError"),
    (_DISK, "InvalidDiskId", "NotFound"),
    (_DISK, "ResourceNotFound", "- NotFound"),
    (_DISK, "ResourceUnavailable", "Attached DiskSnapshotChainTooLarge Expire NotPortable"),
    (_DISK, "ResourceUnavailable", "NotSupportSnapshot NotSupported TypeError ZoneNotMatch"),
    (_DISK, "UnsupportedOperation", "DiskEncrypt ShareDiskNotSupportSnap"),
    (_TAGS, "LimitExceeded", "TagQuotaLimitExceeded"),
    (_IN_USE, "InvalidSnapshot", "NotSupported"),
    (_IN_USE, "UnsupportedOperation", "SnapHasShared SnapshotHasBindedImage"),
    (_IN_USE, "UnsupportedOperation", "SnapshotNotSupportCopy"),
    (_LOST, "InvalidSnapshotId", "NotFound"),
    (_REFUSED, "DryRunOperation", "-"),
    (_REFUSED, "InsufficientRefundQuota", "-"),
    (_REFUSED, "InvalidAutoSnapshotPolicyId", "NotFound"),
    (_REFUSED, "InvalidFilter", "-"),
    (_REFUSED, "InvalidInstance", "NotSupported"),
    (_REFUSED, "InvalidInstanceId", "NotFound"),
    (_REFUSED, "InvalidParameter", "- DiskConfigNotSupported DiskSizeNotMatch"),
    (_REFUSED, "InvalidParameter", "InvalidClientToken ProjectIdNotExist"),
    (_REFUSED, "InvalidParameter", "ShouldConvertSnapshotToImage"),
    (_REFUSED, "InvalidParameterValue", "- BindDiskLimitExceeded LimitExceeded"),
    (_REFUSED, "InvalidRequest", "-"),
    (_REFUSED, "LimitExceeded", "AutoSnapshotPolicyOutOfQuota InstanceAttachedDisk"),
    (_REFUSED, "MissingParameter", "-"),
    (_REFUSED, "RequestSizeLimitExceeded", "-"),
    (_REFUSED, "ResourceInsufficient", "OverRefundQuota"),
    (_REFUSED, "ResourceUnavailable", "NotSupportRefund RepeatRefund"),
    (_REFUSED, "UnknownParameter", "-"),
    (_REFUSED, "UnsupportedOperation", "- DetachPod SnapshotGroupDiskAttachMultiInstance"),
)

TABLE = {
    code if detail == "-" else f"{code}.{detail}": meaning
    for meaning, code, details in _EXACT
    for detail in details.split()
}

# New details of a class come without notice. Only classes are here whose members all mean the
# same; ResourceUnavailable, InvalidDisk, LimitExceeded and others hold members of several, so
# their unknown details are looked up, like any unknown code.
PREFIXES = {
    "RequestLimitExceeded": _THROTTLED,
    "ResourceInUse": _BUSY,
    "AuthFailure": _KEYS,
    "UnauthorizedOperation": _RIGHTS,
    "OperationDenied": _RIGHTS,
    "InvalidAccount": _RIGHTS,
    "InvalidDiskId": _DISK,
    "InvalidParameter": _REFUSED,
    "InvalidParameterValue": _REFUSED,
    "MissingParameter": _REFUSED,
    "ResourceNotFound": _DISK,
    "UnknownParameter": _REFUSED,
    "UnsupportedOperation": _REFUSED,
}


def meaning(code: str) -> Meaning:
    """Return what a code means: exact codes win over prefixes, an unknown one may have acted."""
    known = TABLE.get(code) or PREFIXES.get(code.partition(".")[0])
    return known or _UNCLEAR


def page() -> str:
    """Return the page of the documentation that lists all codes."""
    head = [
        "# What the cloud may answer, and what the operator does",
        "",
        "Every error code that Tencent Cloud documents for CBS, and what follows from it. The",
        "message of the Ready condition has the code, STATUS in `kubectl get dsnap` the reason.",
        "A code that isn't here may have acted: the operator looks the snapshot up before it does",
        "anything else, as after silence, a broken reply or one without an id. Where it answers a",
        "question, not a request for a snapshot, the reason is `CloudError`. What came of each",
        "code in a run (`make cloud-errors`) is in [cloud-errors-seen.md](cloud-errors-seen.md).",
        "This page is made by `make crds`.",
        "",
        "| code | the operator will | reason | what you can do |",
        "|---|---|---|---|",
    ]
    rows = [_row(f"`{code}`", TABLE[code]) for code in sorted(TABLE)]
    others = [_row(f"`{code}.` and anything new", PREFIXES[code]) for code in sorted(PREFIXES)]
    rest = [_row("anything else", _UNCLEAR)]
    return "\n".join([*head, *rows, *others, *rest, ""])


def _row(code: str, known: Meaning) -> str:
    return f"| {code} | {known.remedy} | `{known.reason}` | {known.advice} |"


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201 - a program that writes the page
