"""The timeline of a hold: when it did what, and whose time it was."""

from io import StringIO

from rich.console import Console

from lab.demo import timeline
from lab.demo.statements import Statement, lock_nanoseconds
from lab.demo.timeline import Event

EVENTS: dict[str, int] = {
    Event.READY: 50_000_000,
    Event.LOCK_SENT: 100_000_000,
    Event.LOCKED: 101_000_000,
    Event.FROZEN: 104_000_000,
    Event.CUT_SENT: 104_100_000,
    Event.REPLY: 124_100_000,
    Event.VISIBLE: 134_100_000,
    Event.THAWED: 136_000_000,
    Event.PROVEN: 136_500_000,
    Event.UNLOCKED: 137_000_000,
    Event.NORMAL: 3_100_000_000,
}


def test_a_hold_is_parted_into_lock_freeze_cloud_and_ours() -> None:
    parts = timeline.split(EVENTS, lock=600_000, freeze=2_500_000)
    assert parts.hold == 37_000_000
    assert parts.cloud == 30_000_000
    assert parts.ours == 3_900_000
    assert parts.formula.endswith("= 37.00 - 0.60 - 2.50 - 30.00 = 3.90 ms")


def test_a_look_up_after_the_thaw_is_no_part_of_the_hold() -> None:
    late = EVENTS | {Event.VISIBLE: 150_000_000}
    assert timeline.split(late, lock=0, freeze=0).cloud == 20_000_000


def test_the_timeline_lists_events_in_order_since_the_lock_was_sent() -> None:
    screen = StringIO()
    console = Console(width=120, file=screen)
    console.print(timeline.timeline(EVENTS, timeline.split(EVENTS, lock=600_000, freeze=1)))
    lines = screen.getvalue().splitlines()
    assert [line.split()[0] for line in lines[1:4]] == ["-50.00", "0.00", "1.00"]
    assert "NORMAL" in lines[11]
    assert "ours = hold - server's lock - kernel's freeze - cloud's part" in lines[-1]


def test_only_lock_statements_count_as_the_servers_lock() -> None:
    statements = [
        Statement("SET SESSION lock_wait_timeout = 1", 5, failed=False),
        Statement("BACKUP STAGE START", 10, failed=False),
        Statement("BACKUP STAGE BLOCK_COMMIT", 100, failed=False),
        Statement("SHOW MASTER STATUS", 7, failed=False),
        Statement("BACKUP STAGE END", 1000, failed=False),
    ]
    assert lock_nanoseconds(statements) == 110
