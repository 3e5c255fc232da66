"""The cloud's clock: what a reply's date tells, and what is signed and judged by it."""

import logging
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from tencentcloud.common.credential import Credential

from disksnapshot.cbs.calls import CloudProblem
from disksnapshot.cbs.client import Cloud
from disksnapshot.cbs.clock import CloudClock, monotonic_zero
from disksnapshot.cbs.limits import Limits
from lab.cbs.control import Control
from lab.cbs.server import Emulator

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MOMENT = timedelta(milliseconds=40)

pytestmark = pytest.mark.filterwarnings("ignore:.* fileds are useless:UserWarning")


def clock() -> CloudClock:
    return CloudClock(lambda: NOW)


def date(ahead: float) -> str:
    return format_datetime(NOW + timedelta(seconds=ahead), usegmt=True)


def test_without_any_date_this_machine_s_clock_is_all_there_is() -> None:
    one = clock()
    for nothing in (None, "", "yesterday"):
        one.hear(nothing, MOMENT)
    assert (one.now(), one.known) == (NOW, False)


@pytest.mark.parametrize("said", [0.0, -1.0])
def test_a_clock_that_may_be_right_is_left_alone(said: float) -> None:
    one = CloudClock(lambda: NOW + timedelta(milliseconds=20))
    one.hear(date(said), timedelta(milliseconds=30))
    assert abs(one.ahead) <= timedelta(milliseconds=20)
    assert one.known


@pytest.mark.parametrize("ahead", [7.0, 200.0, 4000.0, -7.0, -90_000.0])
def test_a_wrong_clock_is_corrected_to_within_a_second(ahead: float) -> None:
    one = clock()
    one.hear(date(ahead), MOMENT)
    assert abs(one.now() - NOW - timedelta(seconds=ahead)) <= timedelta(seconds=1) + MOMENT


def test_a_slow_reply_says_less_and_changes_less() -> None:
    one = clock()
    one.hear(date(-30), timedelta(seconds=45))
    assert one.ahead == timedelta(0)


def test_a_great_difference_is_told_once_and_its_end_too(caplog: pytest.LogCaptureFixture) -> None:
    one = clock()
    with caplog.at_level(logging.INFO):
        for ahead in (100, 100, 101, 0, 0):
            one.hear(date(ahead), MOMENT)
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2
    assert "behind the cloud's" in said[0]
    assert "agrees" in said[1]


def test_moments_of_a_hold_are_told_by_the_cloud_s_clock_where_the_own_one_is_wrong() -> None:
    right = datetime.now(UTC) - timedelta(hours=3)
    zero = monotonic_zero(right)
    assert zero is not None
    told = datetime.fromtimestamp((zero + time.monotonic_ns()) / 1e9, UTC)
    assert abs(told - right) < timedelta(seconds=1)
    assert monotonic_zero(datetime.now(UTC) + timedelta(milliseconds=700)) is None


class Free(Limits):
    """Limits that nobody waits for."""

    def wait(self, action: str, count: int = 1) -> None:
        pass


def opened(emulator: Emulator, files: Any, sdk: Any, wrong: float, **differing: Any) -> Cloud:
    """Return a cloud for a machine whose clock is wrong by so many seconds."""
    return Cloud(
        Credential(sdk.credential.secret_id, sdk.credential.secret_key),
        "ap-guangzhou", emulator.endpoint, str(files.ca), Free(),
        CloudClock(lambda: datetime.now(UTC) + timedelta(seconds=wrong)),
        **differing,
    )  # fmt: skip


@pytest.mark.parametrize("wrong", [-100_000.0, -400.0, 0.0, 400.0, 100_000.0])
def test_a_machine_with_a_wrong_clock_is_refused_once_and_its_caller_notices_nothing(
    emulator: Emulator, files: Any, sdk: Any, control: Control, disk_id: str, wrong: float
) -> None:
    cloud = opened(emulator, files, sdk, wrong)
    for _ in range(2):
        assert list(cloud.disks([disk_id])) == [disk_id]
    assert abs(cloud.clock.now() - datetime.now(UTC)) < timedelta(seconds=2)
    codes = [call["code"] for call in control.calls()[0]]
    assert codes == ([] if not wrong else ["AuthFailure.SignatureExpire"]) + [None, None]


def test_a_cloud_that_goes_on_refusing_the_time_is_asked_no_third_time(
    emulator: Emulator, files: Any, sdk: Any, control: Control, disk_id: str
) -> None:
    cloud = opened(emulator, files, sdk, 4000.0)
    control.error("DescribeDisks", "AuthFailure.SignatureExpire", times=3)
    with pytest.raises(CloudProblem):
        cloud.disks([disk_id])
    assert len(control.calls()[0]) == 2


def test_the_end_of_a_signature_s_life_is_told_by_the_cloud_s_clock(
    emulator: Emulator, files: Any, sdk: Any, disk_id: str
) -> None:
    cloud = opened(emulator, files, sdk, 200.0)
    cloud.disks([disk_id])
    signed = cloud.clock.now()
    left = cloud.not_after(signed) - datetime.now(UTC)
    assert timedelta(seconds=298) < left < timedelta(seconds=302)


def test_without_a_date_the_end_is_as_late_as_any_clock_could_make_it(
    emulator: Emulator, files: Any, sdk: Any, control: Control, disk_id: str
) -> None:
    cloud = opened(emulator, files, sdk, 0.0)
    control.fault("DescribeDisks", "NoDate")
    cloud.disks([disk_id])
    signed = cloud.clock.now()
    assert cloud.not_after(signed) - signed == timedelta(seconds=600)
    cloud.disks([disk_id])
    assert cloud.not_after(signed) - signed == timedelta(seconds=300)


def test_a_short_life_is_made_by_signing_in_the_past(
    emulator: Emulator, files: Any, sdk: Any, disk_id: str
) -> None:
    cloud = opened(emulator, files, sdk, 0.0, valid_seconds=60)
    cloud.disks([disk_id])
    signed = datetime(2026, 3, 1, 12, 10, tzinfo=UTC)
    assert cloud.not_after(signed) - signed == timedelta(seconds=60)
    stamp = int((signed - timedelta(seconds=240)).timestamp())
    assert f"X-TC-Timestamp: {stamp}\r\n".encode() in cloud.sign_create(disk_id, "n", {}, signed)
    now = f"X-TC-Timestamp: {int(signed.timestamp())}\r\n".encode()
    assert now in cloud.sign_lookup([disk_id], signed), "a late look-up does no harm"
