"""What the status says of a hold's end: only what was seen."""

from datetime import UTC, datetime

from disksnapshot.snapshot import spec
from disksnapshot.snapshot.draft import Draft
from disksnapshot.snapshot.measurements import LIMITS, quiesce_status
from disksnapshot.window.hold import Facts, StepFacts

MOMENTS = {
    "lockSent": 1_000_000_000,
    "locked": 1_010_000_000,
    "frozen": 1_020_000_000,
    "cutSent": 1_021_000_000,
    "thawed": 1_090_000_000,
    "unlocked": 1_100_000_000,
}


def facts(*missing: str) -> Facts:
    times = {name: moment for name, moment in MOMENTS.items() if name not in missing}
    steps = [StepFacts(name="0-mysql", kind="mysql"), StepFacts(name="1-freeze", kind="freeze")]
    return Facts(times=times, steps=steps)


def resumed(of: Facts) -> tuple[str, str]:
    body = {"metadata": {"namespace": "shop", "name": "a", "uid": "u"}, "spec": {}}
    ask = spec.unreadable(body)
    draft = Draft({}, ask, datetime(2026, 1, 1, tzinfo=UTC)).quiesced(quiesce_status(of))
    found = next(item for item in draft.body["conditions"] if item["type"] == "Resumed")
    return found["status"], found["reason"]


def test_a_hold_that_was_seen_to_end_is_measured_to_its_last_end() -> None:
    said = quiesce_status(facts())
    assert said["holdMilliseconds"] == 100
    assert resumed(facts()) == ("True", "Resumed")


def test_a_freezer_that_never_answered_the_thaw_may_still_freeze() -> None:
    said = quiesce_status(facts("thawed"))
    assert "resumedTime" not in said
    assert "holdMilliseconds" not in said
    assert resumed(facts("thawed")) == ("Unknown", "HoldLost")


def test_a_lock_that_was_refused_leaves_no_freeze_to_wait_for() -> None:
    said = quiesce_status(facts("locked", "frozen", "cutSent", "thawed"))
    assert said["resumedTime"]


def test_what_a_server_says_of_itself_is_cut_to_what_the_definition_allows() -> None:
    long = facts()
    long.steps[0].detail = {"serverVersion": "v" * 1000, "gtid": "g" * 300_000, "serverID": 1}
    said = quiesce_status(long)["steps"][0]["mysql"]
    assert {key: len(said[key]) for key in ("serverVersion", "gtid")} == {
        "serverVersion": LIMITS["serverVersion"],
        "gtid": LIMITS["gtid"],
    }
    assert said["serverID"] == 1


def by_commands(*missing: str) -> Facts:
    moments = {
        "lockSent": 1_000_000_000,
        "0-exec sent": 1_000_000_000,
        "0-exec held": 1_050_000_000,
        "frozen": 1_060_000_000,
        "thawed": 1_090_000_000,
        "0-exec released": 1_120_000_000,
    }
    times = {name: moment for name, moment in moments.items() if name not in missing}
    steps = [StepFacts(name="0-exec", kind="exec"), StepFacts(name="1-freeze", kind="freeze")]
    return Facts(times=times, steps=steps)


def test_a_hold_by_commands_is_measured_to_the_end_of_release() -> None:
    said = quiesce_status(by_commands())
    assert said["holdMilliseconds"] == 120
    assert said["heldTime"] == "1970-01-01T00:00:01.060000Z"
    assert [step["kind"] for step in said["steps"]] == ["exec", "freeze"]


def test_a_release_that_nobody_saw_may_still_be_due() -> None:
    assert "resumedTime" not in quiesce_status(by_commands("0-exec released"))


def test_a_command_that_failed_leaves_no_freeze_to_wait_for() -> None:
    assert quiesce_status(by_commands("0-exec held", "frozen", "thawed"))["resumedTime"]
