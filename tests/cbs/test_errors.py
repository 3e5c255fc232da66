"""Each documented code, through the SDK: what it is told as, and what comes of it in a life."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from disksnapshot.cbs import errors
from disksnapshot.cbs.client import Cloud, CloudProblem
from disksnapshot.cbs.limits import Limits
from lab.cbs.control import Control
from lab.cbs.server import Emulator
from lab.lives.life import Life, clean

HOUR = timedelta(hours=1)

pytestmark = pytest.mark.filterwarnings("ignore:.* fileds are useless:UserWarning")


class Free(Limits):
    """Limits that nobody waits for."""

    def wait(self, action: str, count: int = 1) -> None:
        pass


@pytest.fixture
def ours(emulator: Emulator, files: Any, sdk: Any) -> Cloud:
    return Cloud(sdk.credential, "ap-guangzhou", emulator.endpoint, str(files.ca), Free())


def test_every_code_comes_through_the_sdk_as_what_the_table_says(
    ours: Cloud, control: Control
) -> None:
    for code, known in errors.TABLE.items():
        control.error("DescribeSnapshots", code, "because")
        with pytest.raises(CloudProblem, match=f"DescribeSnapshots: {code}: because") as problem:
            ours.snapshots(["snap-00000000"])
        told = problem.value
        assert (told.code, told.reason, told.slow) == (code, known.reason, known.needs_person)


NewLife = Callable[..., Life]


@pytest.fixture
def life(
    emulator: Emulator, files: Any, sdk: Any, control: Control, disk_id: str,
    window_server: None,  # noqa: ARG001 - only needed to be there
) -> Iterator[NewLife]:  # fmt: skip
    secret = (sdk.credential.secret_id, sdk.credential.secret_key)
    control.settings(creationMilliseconds=0, visibilityDelayMilliseconds=0)

    def begin(**spec: Any) -> Life:
        return Life(control, emulator.endpoint, str(files.ca), secret, [disk_id], **spec)

    with clean(control):
        yield begin


def test_a_life_without_trouble_makes_four_calls(life: NewLife) -> None:
    one = life()
    one.run(HOUR)
    assert one.status.ready == "True"
    assert one.calls() == {"DescribeDisks": 1, "DescribeSnapshots": 2, "CreateSnapshot": 1}
    assert len(one.in_the_cloud()) == 1
