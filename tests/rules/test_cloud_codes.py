"""What an error code asks for; a code that nobody knows may have been executed."""

import pytest

from disksnapshot.cbs.errors import Remedy, remedy


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("RequestLimitExceeded", Remedy.SEND_AGAIN),
        ("RequestLimitExceeded.UinLimitExceeded", Remedy.SEND_AGAIN),
        ("InsufficientSnapshotQuota", Remedy.SEND_AGAIN),
        ("ResourceInsufficient.OverQuota", Remedy.SEND_AGAIN),
        ("InvalidAccount.InsufficientBalance", Remedy.SEND_AGAIN),
        ("InvalidDisk.SnapshotCreating", Remedy.WAIT_FOR_DISK),
        ("InvalidDisk.Busy", Remedy.WAIT_FOR_DISK),
        ("ResourceInUse.DiskMigrating", Remedy.WAIT_FOR_DISK),
        ("ResourceUnavailable.TooManyCreatingSnapshot", Remedy.WAIT_FOR_DISK),
        ("AuthFailure.SignatureExpire", Remedy.CREDENTIALS),
        ("UnauthorizedOperation.InvalidToken", Remedy.CREDENTIALS),
        ("UnauthorizedOperation", Remedy.CREDENTIALS),
        ("InvalidDisk.NotSupportSnapshot", Remedy.FINAL),
        ("InvalidDiskId.NotFound", Remedy.FINAL),
        ("InvalidParameterValue", Remedy.FINAL),
        ("InvalidParameterValue.LimitExceeded", Remedy.FINAL),
        ("ResourceUnavailable.DiskSnapshotChainTooLarge", Remedy.FINAL),
        ("ResourceNotFound.NotFound", Remedy.FINAL),
        ("InternalError", Remedy.LOOK_UP),
        ("InternalError.ResourceOpFailed", Remedy.LOOK_UP),
        ("ServiceUnavailable", Remedy.LOOK_UP),
        ("FailedOperation", Remedy.LOOK_UP),
        ("InvalidDiskette", Remedy.LOOK_UP),
        ("", Remedy.LOOK_UP),
    ],
)
def test_each_code_has_one_remedy(code: str, what: Remedy) -> None:
    assert remedy(code) is what
