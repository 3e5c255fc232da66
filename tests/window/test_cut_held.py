"""The cut within a hold, in a cloud that loses, delays or refuses replies."""

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from disksnapshot.snapshot.tokens import LOOKUPS
from disksnapshot.window.hold import CloudAddress, FreezeOrder, MysqlOrder, Order, Ready, Refusal
from disksnapshot.window.launch import WindowProcess
from lab.holding import capture, opened
from lab.local import Local
from lab.statements import SLOW_OLD_UPDATE, long_statement
from lab.writing import FileWrite

# Of which 1.6 s are for the cut: the replies get half of them, and looking up the rest.
SHORT_HOLD = 6


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def without_database(order: Order) -> Order:
    mysql, freeze = order.steps
    assert isinstance(mysql, MysqlOrder)
    return replace(order, steps=(replace(mysql, port=closed_port()), freeze))


@pytest.mark.parametrize(
    "fault",
    ["ReplyLostAfterAct", "ReplyCutAfterAct", "NullSnapshotIdAfterAct", "BadGatewayAfterAct"],
)
def test_a_lost_reply_is_found_while_held_and_proven(here: Local, fault: str) -> None:
    _, since = here.control.calls()
    here.control.fault("CreateSnapshot", fault)
    facts = capture(here, here.order(max_hold_seconds=SHORT_HOLD, release_when="Accepted"))
    [snapshot] = here.control.snapshots()
    assert facts.disks[0].snapshot_id == snapshot["id"]
    assert facts.disks[0].visible
    assert facts.proven
    calls, _ = here.control.calls(since)
    assert [call["action"] for call in calls].count("CreateSnapshot") == 1
    assert facts.times["cutSent"] / 1e9 < snapshot["cutTime"] < facts.times["thawed"] / 1e9


def test_a_lost_reply_that_is_not_listed_in_time_is_an_unknown_outcome(here: Local) -> None:
    here.control.settings(visibilityDelayMilliseconds=60_000)
    here.control.fault("CreateSnapshot", "ReplyLostAfterAct")
    facts = capture(here, here.order(max_hold_seconds=SHORT_HOLD))
    disk = facts.disks[0]
    assert (disk.sent, disk.snapshot_id, disk.code) == (True, "", "")
    assert not facts.cut_while_held
    assert not facts.proven
    held = (facts.times["unlocked"] - facts.times["lockSent"]) / 1e9
    assert held < SHORT_HOLD
    assert [step.proven for step in facts.steps] == [True, True], "they held, and let go in time"


def test_a_snapshot_with_an_id_is_proven_though_it_is_not_listed_in_time(here: Local) -> None:
    here.control.settings(visibilityDelayMilliseconds=60_000)
    facts = capture(here, here.order(max_hold_seconds=SHORT_HOLD))
    assert facts.proven
    assert not facts.disks[0].visible
    assert "visible" not in facts.times


def test_a_listing_is_waited_for_as_long_as_the_hold_may_last(here: Local) -> None:
    here.control.settings(visibilityDelayMilliseconds=4500)
    facts = capture(here, here.order(max_hold_seconds=12))
    assert facts.disks[0].visible
    assert facts.proven
    assert facts.look_ups <= LOOKUPS + 2, "ever more seldom"


def test_writers_are_not_held_to_the_bound_for_a_request_that_may_have_been_lost(
    here: Local,
) -> None:
    here.control.fault("CreateSnapshot", "ResetBeforeAct")
    facts = capture(here, here.order(max_hold_seconds=12))
    assert here.control.snapshots() == []
    assert facts.disks[0].sent
    assert not facts.disks[0].snapshot_id
    assert facts.times["unlocked"] - facts.times["lockSent"] < 6e9


def test_a_late_reply_is_taken_after_letting_go_but_is_no_proof(here: Local) -> None:
    here.control.settings(replyDelayMilliseconds=2500)
    facts = capture(here, here.order(max_hold_seconds=SHORT_HOLD))
    [snapshot] = here.control.snapshots()
    assert facts.disks[0].snapshot_id == snapshot["id"]
    assert not facts.cut_while_held
    assert not facts.proven


def test_a_refused_cut_lets_go_at_once_with_the_clouds_code(here: Local) -> None:
    here.control.settings(creationMilliseconds=30_000)
    assert capture(here, here.order()).proven
    facts = capture(here, here.order())
    assert facts.disks[0].code
    assert facts.disks[0].message
    assert not facts.cut_while_held
    assert facts.times["unlocked"] - facts.times["reply"] < 0.3e9
    assert len(here.control.snapshots()) == 1


def test_accepted_does_not_look_up(here: Local) -> None:
    _, since = here.control.calls()
    facts = capture(here, here.order(release_when="Accepted"))
    assert facts.proven
    assert not facts.disks[0].visible
    calls, _ = here.control.calls(since)
    assert [call["action"] for call in calls] == ["CreateSnapshot"]


def test_each_look_up_is_counted_so_that_the_rest_of_the_reserved_ones_can_be_given_back(
    here: Local,
) -> None:
    _, since = here.control.calls()
    facts = capture(here, here.order())
    calls, _ = here.control.calls(since)
    made = [call for call in calls if call["action"] == "DescribeSnapshots"]
    assert facts.look_ups == len(made) > 0


def test_a_cloud_that_can_not_be_reached_is_refused_before_anything_is_held(here: Local) -> None:
    nowhere = CloudAddress(host="127.0.0.1", port=closed_port(), ca_file=here.address.ca_file)
    with WindowProcess(replace(here.order(), cloud=nowhere)) as window:
        refused = window.ready(20)
    assert isinstance(refused, Refusal)
    assert refused.reason == "CloudError"


def test_a_database_that_is_down_is_refused_unless_a_cut_without_hold_is_allowed(
    here: Local,
) -> None:
    with WindowProcess(without_database(here.order())) as window:
        refused = window.ready(20)
    assert isinstance(refused, Refusal)
    assert refused.reason == "MySQLUnreachable"
    assert here.control.snapshots() == []


def test_a_cut_without_hold_is_made_and_called_so_when_the_database_is_down(here: Local) -> None:
    with opened(without_database(here.order(cut_without_hold=True))) as window:
        # Nothing has the disk: another window may hold it.
        with WindowProcess(here.order(mysql=False)) as other:
            assert other.ready(20) == Ready()
        facts = window.go(here.go(), 20)
    assert facts
    assert not isinstance(facts, Refusal)
    assert facts.disks[0].snapshot_id
    assert not facts.cut_while_held
    assert not facts.proven
    assert facts.refusal
    assert facts.refusal.reason == "MySQLUnreachable"


def test_a_cut_without_hold_is_made_and_called_so_when_the_lock_is_refused(here: Local) -> None:
    with long_statement(here.database, SLOW_OLD_UPDATE):
        facts = capture(here, here.order(cut_without_hold=True))
    assert facts.disks[0].snapshot_id
    assert not facts.cut_while_held
    assert not facts.proven
    assert facts.refusal
    assert facts.refusal.reason == "LockTimeout"
    assert not any(step.proven for step in facts.steps)
    assert FileWrite(here.mount).ended()


def test_two_nodes_are_frozen_under_one_hold(here: Local, other_mount: Path) -> None:
    facts = capture(here, two_nodes(here, other_mount))
    assert facts.proven
    assert len(facts.steps[1].detail["thawed"]) == 2  # type: ignore[arg-type]  # facts are JSON


def two_nodes(here: Local, other_mount: Path) -> Order:
    order = here.order(max_hold_seconds=SHORT_HOLD)
    mysql, freeze = order.steps
    assert isinstance(freeze, FreezeOrder)
    [first] = freeze.targets
    second = replace(first, argv=tuple(here.freezer(other_mount)))
    return replace(order, steps=(mysql, replace(freeze, targets=(first, second))))
