"""What a snapshot of unmounted claims may be called: by what the cloud showed before and after."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from disksnapshot.cbs.listed import Disk
from disksnapshot.snapshot import outcome, stillness
from disksnapshot.snapshot.draft import Draft
from disksnapshot.snapshot.prepare import Target
from disksnapshot.snapshot.proof import verdict
from disksnapshot.snapshot.stillness import Stillness
from rules import outcomes
from rules.schema import faults
from rules.situations import DISKS, NOW, ask, draft, intent, volumes
from rules.test_disks import claim, disk

DETACHED = disk(state="UNATTACHED", last_instance_id="ins-1")
STILL, MOVED = Stillness(everywhere=True), Stillness(everywhere=True, why="it was attached")
PARTLY, PARTLY_MOVED = replace(STILL, everywhere=False), replace(MOVED, everywhere=False)
ABORT: dict[str, Any] = {}
ALLOW: dict[str, Any] = {"failurePolicy": "AllowCrashConsistent"}
NO_STEPS: list[Any] = []
FREEZE_ONLY = [outcomes.freeze()]


def why(
    after: dict[str, Disk], before: Disk = DETACHED, seconds: float = 3, **of_claim: Any
) -> str:
    target = Target(claim=claim(**of_claim), disk=before)
    apart = timedelta(seconds=seconds)
    return stillness.judge([target], after, everywhere=True, apart=apart).why


def test_a_machine_may_have_used_a_disk_again_that_was_not_looked_at_for_long() -> None:
    """The one that had it last leaves no other trace."""
    assert "31 s apart" in why({DETACHED.id: DETACHED}, seconds=31)


def test_a_disk_that_was_attached_to_nothing_before_and_after_stood_still() -> None:
    assert why({DETACHED.id: DETACHED}) == ""


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (replace(DETACHED, state="ATTACHED"), DETACHED, "was ATTACHED although no pod mounts it"),
        (DETACHED, replace(DETACHED, state="ATTACHING"), "was ATTACHING"),
        (DETACHED, replace(DETACHED, last_instance_id="ins-2"), "was attached meanwhile"),
        (DETACHED, None, "could not be looked at after the cut"),
    ],
    ids=["attached before", "attached after", "attached in between", "not seen after"],
)
def test_anything_less_is_not_proven_and_said(
    before: Disk, after: Disk | None, words: str
) -> None:
    assert words in why({after.id: after} if after else {}, before)


def test_a_raw_block_device_has_no_file_system_that_could_be_clean() -> None:
    assert "raw block" in why({DETACHED.id: DETACHED}, is_block=True)


def judged(
    still: Stillness | None, steps: list[Any], quiesce: dict[str, Any] | None, **differing: Any
) -> Draft:
    disks = DISKS[:1]
    open_draft = draft(quiesce=quiesce).intend(intent(disks=disks), volumes(disks))
    facts = outcomes.facts(
        outcomes.cut(), steps=steps, **{"cut_while_held": bool(steps), **differing}
    )
    result = outcome.Result(nonce="nonce-1", facts=facts, stillness=still)
    said = outcome.judge(open_draft, ask(quiesce=quiesce), result, NOW)
    assert list(faults(said.body)) == []
    return said


def words(said: Draft) -> tuple[str, ...]:
    return tuple(said.body.get(key, "") for key in ("consistency", "fileSystem", "application"))


FILES = ("FilesystemConsistent", "Clean", "None")
CRASH = ("CrashConsistent", "NeedsReplay", "None")


@pytest.mark.parametrize(
    ("still", "steps", "quiesce", "called"),
    [
        (STILL, NO_STEPS, None, FILES),
        (STILL, NO_STEPS, ABORT, FILES),
        (STILL, NO_STEPS, ALLOW, FILES),
        (MOVED, NO_STEPS, None, CRASH),
        (MOVED, NO_STEPS, ALLOW, CRASH),
        (PARTLY, NO_STEPS, None, CRASH),
        (PARTLY, FREEZE_ONLY, ABORT, FILES),
        (PARTLY, None, ABORT, ("ApplicationConsistent", "Clean", "Proven")),
        (PARTLY_MOVED, FREEZE_ONLY, ALLOW, CRASH),
        (PARTLY_MOVED, None, ALLOW, ("CrashConsistent", "NeedsReplay", "Proven")),
    ],
    ids=[
        "all still, nothing asked",
        "all still, steps that had nothing to do",
        "all still, less allowed",
        "not still, nothing asked",
        "not still, less allowed",
        "some still, the others not held",
        "some still, the others frozen",
        "some still, the others locked and frozen",
        "some not still, the others frozen",
        "some not still, the others locked and frozen",
    ],
)
def test_a_still_disk_counts_as_a_frozen_one(
    still: Stillness, steps: Any, quiesce: dict[str, Any] | None, called: tuple[str, ...]
) -> None:
    assert words(judged(still, steps if steps is not None else both(), quiesce)) == called


@pytest.mark.parametrize("still", [MOVED, PARTLY_MOVED], ids=["all", "some"])
@pytest.mark.parametrize("held", [["mysql", "sync"], ["exec", "freeze"], ["mysql", "freeze"]])
def test_beside_a_disk_that_moved_no_hold_makes_it_more_than_a_crash(
    still: Stillness, held: list[str]
) -> None:
    assert verdict(stillness.covered(held, still)).consistency == "CrashConsistent"


def both() -> list[Any]:
    return [outcomes.lock(), outcomes.freeze()]


@pytest.mark.parametrize("still", [MOVED, PARTLY_MOVED], ids=["all", "some"])
def test_where_a_proof_is_wanted_a_cut_of_what_moved_is_deleted_again(still: Stillness) -> None:
    steps = NO_STEPS if still.everywhere else both()
    said = judged(still, steps, ABORT)
    assert words(said) == ("", "", "")
    ready = condition(said, "Ready")
    assert ready["reason"] == "ProofFailed"
    assert "it was attached" in ready["message"]


def test_a_freeze_that_was_lost_is_not_saved_by_disks_that_stood_still() -> None:
    lost = [outcomes.freeze(proven=False, reason="written to")]
    assert condition(judged(PARTLY, lost, ABORT), "Ready")["reason"] == "ProofFailed"


def condition(said: Draft, kind: str) -> dict[str, Any]:
    return next(item for item in said.body["conditions"] if item["type"] == kind)


def test_the_status_says_that_there_was_nobody_to_hold() -> None:
    quiesced = condition(judged(STILL, NO_STEPS, ABORT), "Quiesced")
    assert (quiesced["status"], quiesced["reason"]) == ("True", "Proven")
    assert "no pod mounts" in quiesced["message"]
    quiesced = condition(judged(MOVED, NO_STEPS, ALLOW), "Quiesced")
    assert (quiesced["status"], quiesced["reason"]) == ("False", "NotHeld")
