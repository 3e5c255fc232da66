"""What an error code means: each documented one has a row, an unknown one may have acted."""

from pathlib import Path

import pytest
from tencentcloud.cbs.v20170312 import errorcodes

from disksnapshot.cbs import errors
from disksnapshot.cbs.errors import Remedy, meaning
from lab.cbs.codes import COMMON

PAGE = Path(__file__).resolve().parents[2] / "docs" / "cloud-errors.md"
DOCUMENTED = {value for name, value in vars(errorcodes).items() if name.isupper()} | set(COMMON)


def test_every_documented_code_has_a_row_and_there_is_no_other() -> None:
    assert set(errors.TABLE) == DOCUMENTED


def test_every_row_says_what_a_person_can_do_in_a_whole_sentence() -> None:
    rows = [*errors.TABLE.values(), *errors.PREFIXES.values()]
    assert [row for row in rows if not row.advice.endswith(".")] == []


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("RequestLimitExceeded", Remedy.SEND_AGAIN),
        ("RequestLimitExceeded.UinLimitExceeded", Remedy.SEND_AGAIN),
        ("RequestLimitExceeded.OfTomorrow", Remedy.SEND_AGAIN),
        ("InsufficientSnapshotQuota", Remedy.QUOTA),
        ("ResourceInsufficient.OverQuota", Remedy.QUOTA),
        ("ResourceInsufficient.OverRefundQuota", Remedy.FINAL),
        ("InvalidAccount.InsufficientBalance", Remedy.QUOTA),
        ("InvalidDisk.SnapshotCreating", Remedy.WAIT_FOR_DISK),
        ("InvalidDisk.Busy", Remedy.WAIT_FOR_DISK),
        ("InvalidDisk.NotSupportSnapshot", Remedy.FINAL),
        ("ResourceInUse.DiskMigrating", Remedy.WAIT_FOR_DISK),
        ("ResourceUnavailable.TooManyCreatingSnapshot", Remedy.WAIT_FOR_DISK),
        ("ResourceUnavailable.DiskSnapshotChainTooLarge", Remedy.FINAL),
        ("ResourceUnavailable", Remedy.LOOK_UP),
        ("ResourceUnavailable.OfTomorrow", Remedy.LOOK_UP),
        ("AuthFailure.SignatureExpire", Remedy.CREDENTIALS),
        ("AuthFailure.UnauthorizedOperation", Remedy.PERMISSION),
        ("AuthFailure.OfTomorrow", Remedy.CREDENTIALS),
        ("UnauthorizedOperation.InvalidToken", Remedy.CREDENTIALS),
        ("UnauthorizedOperation", Remedy.PERMISSION),
        ("InvalidDiskId.NotFound", Remedy.FINAL),
        ("InvalidParameterValue", Remedy.FINAL),
        ("InvalidParameterValue.LimitExceeded", Remedy.FINAL),
        ("UnsupportedRegion", Remedy.PERMISSION),
        ("ResourceNotFound.NotFound", Remedy.FINAL),
        ("ResponseSizeLimitExceeded", Remedy.LOOK_UP),
        ("InternalError", Remedy.LOOK_UP),
        ("InternalError.ResourceOpFailed", Remedy.LOOK_UP),
        ("ServiceUnavailable", Remedy.LOOK_UP),
        ("FailedOperation", Remedy.LOOK_UP),
        ("InvalidDiskette", Remedy.LOOK_UP),
        ("", Remedy.LOOK_UP),
    ],
)
def test_each_code_has_one_remedy(code: str, what: Remedy) -> None:
    assert meaning(code).remedy is what


def test_what_can_be_known_to_be_refused_is_never_taken_for_something_that_acted() -> None:
    unclear = {code for code, row in errors.TABLE.items() if row.remedy is Remedy.LOOK_UP}
    assert unclear == {
        "FailedOperation", "InternalError", "InternalError.ComponentError",
        "InternalError.FailQueryResource", "InternalError.ResourceOpFailed",
        "ResourceUnavailable", "ResponseSizeLimitExceeded", "ServiceUnavailable",
    }  # fmt: skip


def test_the_page_of_codes_is_the_table() -> None:
    written = PAGE.read_text(encoding="utf-8")
    assert written == errors.page(), "run `make crds`"
