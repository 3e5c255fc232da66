"""The campaign's window in memory tells what a real window process tells, fault by fault."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from tencentcloud.common.credential import Credential

from campaign import replies, wire
from campaign.clock import Clock, Unhurried
from campaign.cloud import Cloud as InMemory
from campaign.cloud import disk
from campaign.points import Fault, Points, Tap, afterwards
from campaign.window import Window
from campaign.writers import Writers
from disksnapshot.cbs.client import Cloud
from disksnapshot.cbs.clock import CloudClock
from disksnapshot.cbs.limits import Limits
from disksnapshot.window.hold import (
    CloudAddress,
    Facts,
    Go,
    Order,
    Ready,
    SignedLookUp,
    SignedRequest,
)
from disksnapshot.window.launch import WindowProcess
from lab.cbs.control import Control
from lab.cbs.server import Emulator

REGION = "ap-guangzhou"
NAME = "shop-orders-0a1b2c3d4e-1"
CREATE = "window CreateSnapshot"
CODE = "InternalError"
Meet = Callable[[InMemory], Any]
# The same fault of the request, in the words of each cloud.
FAULTS: dict[str, tuple[Meet | None, dict[str, Any] | None]] = {
    "nothing": (None, None),
    "an error": (lambda cloud: lambda _: cloud.refuse(CODE), {"kind": "Error", "code": CODE}),
    "reset, and it ran": (lambda _: replies.lost_after, {"kind": "ResetAfterAct"}),
    "reset, and it did not run": (lambda _: replies.lost_before, {"kind": "ResetBeforeAct"}),
    "a page, and it ran": (
        lambda _: _after(replies.GARBAGE["HTTP 200, a page"]),
        {"kind": "HtmlAfterAct"},
    ),
    "a null id, and it ran": (
        lambda _: _after(wire.Reply.of({"Response": {"SnapshotId": None}})),
        {"kind": "NullSnapshotId"},
    ),
}


def _after(reply: wire.Reply) -> Callable[[Any], wire.Reply]:
    def meet(act: Any) -> wire.Reply:
        act()
        return reply

    return meet


def told(facts: object) -> tuple[object, ...]:
    """Return what the operator judges by; ids differ, and so do moments."""
    assert isinstance(facts, Facts)
    [one] = facts.disks
    return one.sent, bool(one.snapshot_id), one.code, one.visible, facts.cut_while_held


def orders(disk_id: str, release_when: str, address: CloudAddress) -> Order:
    return Order(
        disk_ids=(disk_id,), steps=(), max_hold_seconds=10, release_when=release_when,
        cut_without_hold=True, cloud=address,
    )  # fmt: skip


def signed(cloud: Cloud, disk_id: str, seconds_ago: float = 0) -> Go:
    at = cloud.clock.now().replace(microsecond=0)
    cut = cloud.sign_create(disk_id, NAME, {"team": "shop"}, at)
    return Go(
        cuts=(SignedRequest(disk_id=disk_id, payload=cut),),
        lookups=(SignedLookUp(disk_ids=(disk_id,), payload=cloud.sign_lookup([disk_id], at)),),
        names=((disk_id, NAME),),
        signed=at.timestamp() - seconds_ago,
    )


def reached(emulator: Emulator, sdk: Any, files: Any) -> tuple[Cloud, CloudAddress]:
    """Return the emulator as an operator asks it, and where its windows find it."""
    host, _, port = emulator.endpoint.partition(":")
    address = CloudAddress(host=host, port=int(port), ca_file=str(files.ca))
    keys = Credential(sdk.credential.secret_id, sdk.credential.secret_key)
    cloud = Cloud(keys, REGION, emulator.endpoint, str(files.ca), Limits(), CloudClock())
    return cloud, address


def in_memory(
    meet: Meet | None, release_when: str, seconds_ago: float = 0, ended_at: str = ""
) -> object:
    clock, points = Clock(), Points()
    made = InMemory(clock)
    made.disks = {"disk-aaaaaaaa": disk("disk-aaaaaaaa")}
    if meet:
        points.faults = [Fault(meet=meet(made), named=CREATE)]
    nowhere = CloudAddress(host="cloud", port=443, ca_file=None)
    cloud = Cloud(
        Credential("id", "key"), REGION, "cloud", None, Unhurried(clock), CloudClock(clock.now)
    )
    order = orders("disk-aaaaaaaa", release_when, nowhere)
    window = Window(order, made, Writers(clock), clock, Tap(points))
    if ended_at:
        made.listed_after = 60.0
        points.faults.append(Fault(meet=afterwards(window.let_go), named=ended_at))
    assert window.ready(1) == Ready()
    return window.go(signed(cloud, "disk-aaaaaaaa", seconds_ago), 1)


@pytest.mark.usefixtures("window_server")
@pytest.mark.parametrize("release_when", ["Accepted", "Visible"])
@pytest.mark.parametrize("fault", FAULTS)
def test_both_windows_tell_the_same(
    emulator: Emulator, control: Control, sdk: Any, files: Any, disk_id: str,
    fault: str, release_when: str,
) -> None:  # fmt: skip
    meet, asked = FAULTS[fault]
    control.settings(visibilityDelayMilliseconds=0, creationMilliseconds=0)
    if asked:
        control.fault("CreateSnapshot", **asked)
    cloud, address = reached(emulator, sdk, files)
    with WindowProcess(orders(disk_id, release_when, address)) as window:
        assert window.ready(timedelta(seconds=20).total_seconds()) == Ready()
        facts = window.go(signed(cloud, disk_id), 30)
    assert told(facts) == told(in_memory(meet, release_when))


@pytest.mark.usefixtures("window_server")
@pytest.mark.parametrize("action", ["CreateSnapshot", "DescribeSnapshots"])
def test_both_windows_tell_the_same_when_they_shall_let_go(
    emulator: Emulator, control: Control, sdk: Any, files: Any, disk_id: str, action: str
) -> None:
    """In the cut, whose reply comes a little later; and while it waits for the listing."""
    late = 500 if action == "CreateSnapshot" else 0
    control.settings(visibilityDelayMilliseconds=60_000, replyDelayMilliseconds=late)
    cloud, address = reached(emulator, sdk, files)
    _, since = control.calls()
    order = orders(disk_id, "Visible", address)
    with WindowProcess(order) as window, ThreadPoolExecutor() as pool:
        assert window.ready(timedelta(seconds=20).total_seconds()) == Ready()
        answer = pool.submit(window.go, signed(cloud, disk_id), 30)
        control.wait_call(action, since)
        window.let_go()
        facts = answer.result()
    imagined = in_memory(None, "Visible", ended_at=f"window {action}")
    assert told(facts) == told(imagined) == (True, True, "", False, False)


@pytest.mark.usefixtures("window_server")
def test_no_window_takes_an_order_when_it_shall_let_go(
    emulator: Emulator, sdk: Any, files: Any, disk_id: str
) -> None:
    cloud, address = reached(emulator, sdk, files)
    with WindowProcess(orders(disk_id, "Visible", address)) as window:
        assert window.ready(timedelta(seconds=20).total_seconds()) == Ready()
        window.let_go()
        assert window.go(signed(cloud, disk_id), 5) is None
    clock = Clock()
    order = orders(disk_id, "Visible", address)
    imagined = Window(order, InMemory(clock), Writers(clock), clock, Tap(Points()))
    assert imagined.ready(1) == Ready()
    imagined.let_go()
    assert imagined.go(signed(cloud, disk_id), 5) is None


@pytest.mark.usefixtures("window_server")
def test_both_windows_begin_nothing_that_was_signed_a_minute_ago(
    emulator: Emulator, sdk: Any, files: Any, disk_id: str
) -> None:
    cloud, address = reached(emulator, sdk, files)
    with WindowProcess(orders(disk_id, "Visible", address)) as window:
        assert window.ready(timedelta(seconds=20).total_seconds()) == Ready()
        facts = window.go(signed(cloud, disk_id, seconds_ago=61), 30)
    imagined = in_memory(None, "Visible", seconds_ago=61)
    assert told(facts) == told(imagined) == (False, False, "", False, False)
