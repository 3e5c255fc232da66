"""What is written down of an attempt, from the facts of its window."""

from dataclasses import dataclass
from typing import Any

import pytest

from disksnapshot.errors import Problem
from disksnapshot.reasons import Reason
from disksnapshot.snapshot import outcome, plan, status, steps
from disksnapshot.snapshot.draft import Draft
from disksnapshot.window.hold import DiskFacts, Facts, Refusal, StepFacts
from rules import outcomes
from rules.outcomes import cut, facts, freeze, lock, refused, silent, untouched
from rules.schema import faults
from rules.situations import DISKS, NOW, after, ask, draft, intent, snapshot_of, volumes

BOTH = DISKS
OPEN, RECORDED, SETTLED = status.OPEN, status.RECORDED, status.SETTLED
ABORT: dict[str, Any] = {"failurePolicy": "Abort"}
ALLOW: dict[str, Any] = {"failurePolicy": "AllowCrashConsistent"}
NOT_HELD = [untouched("0-mysql", "mysql"), untouched("1-freeze", "freeze")]
UNFROZEN = [lock(), freeze(proven=False, reason="the device was written to while it was frozen")]


@dataclass(frozen=True, kw_only=True)
class Case:
    """What a window answered to an attempt, and what must come of it."""

    name: str
    facts: Facts | None
    refusal: Refusal | None = None
    problem: Problem | None = None
    quiesce: dict[str, Any] | None = None
    disks: tuple[str, ...] = BOTH[:1]
    state: str
    reason: str
    consistency: str = ""
    retries: bool = False
    stalled: bool = False


CASES = (
    Case(name="the window died", facts=None, quiesce=ABORT, state=OPEN, reason="OutcomeUnknown"),
    Case(
        name="the window refused after the intent",
        facts=Facts(),
        refusal=outcomes.refusal("CloudError"),
        quiesce=ABORT,
        state=SETTLED,
        reason="CloudError",
        retries=True,
    ),
    Case(
        name="a hold was refused and nothing was sent",
        facts=facts(
            DiskFacts(disk_id=BOTH[0]),
            steps=NOT_HELD,
            refusal=outcomes.refusal(),
            cut_while_held=False,
        ),
        quiesce=ABORT,
        state=SETTLED,
        reason="LockTimeout",
        retries=True,
    ),
    Case(
        name="told to stop before the cut",
        facts=facts(DiskFacts(disk_id=BOTH[0]), cut_while_held=False),
        quiesce=ABORT,
        state=SETTLED,
        reason="HoldLost",
        retries=True,
    ),
    Case(
        name="a lock that stops no writes, under a freeze",
        facts=facts(cut(), steps=[lock(stops_writes=False), freeze()]),
        quiesce=ABORT,
        state=RECORDED,
        reason="Creating",
        consistency="FilesystemConsistent",
    ),
    Case(
        name="both steps proven",
        facts=facts(cut()),
        quiesce=ABORT,
        state=RECORDED,
        reason="Creating",
        consistency="ApplicationConsistent",
    ),
    Case(
        name="both steps proven over two disks",
        facts=facts(cut(), cut(BOTH[1])),
        quiesce=ABORT,
        disks=BOTH,
        state=RECORDED,
        reason="Creating",
        consistency="ApplicationConsistent",
    ),
    Case(
        name="unproven under Abort",
        facts=facts(cut(), steps=UNFROZEN),
        quiesce=ABORT,
        state=RECORDED,
        reason="ProofFailed",
    ),
    Case(
        name="unproven where that is allowed",
        facts=facts(cut(), steps=UNFROZEN),
        quiesce=ALLOW,
        state=RECORDED,
        reason="Creating",
        consistency="CrashConsistent",
    ),
    Case(
        name="proven steps that did not cover the cut, under Abort",
        facts=facts(cut(), cut_while_held=False),
        quiesce=ABORT,
        state=RECORDED,
        reason="ProofFailed",
    ),
    Case(
        name="proven steps that did not cover the cut, where that is allowed",
        facts=facts(cut(), cut_while_held=False),
        quiesce=ALLOW,
        state=RECORDED,
        reason="Creating",
        consistency="CrashConsistent",
    ),
    Case(
        name="a hold was refused, and the cut was made without",
        facts=facts(cut(), steps=NOT_HELD, refusal=outcomes.refusal(), cut_while_held=False),
        quiesce=ALLOW,
        state=RECORDED,
        reason="Creating",
        consistency="CrashConsistent",
    ),
    Case(
        name="nothing to hold with, and the cut was made without",
        facts=facts(cut(), steps=[], cut_while_held=False),
        problem=Problem(Reason.FREEZER_NOT_INSTALLED, "no freezer"),
        quiesce=ALLOW,
        state=RECORDED,
        reason="Creating",
        consistency="CrashConsistent",
    ),
    Case(
        name="no hold was asked for",
        facts=facts(cut(), steps=[], times={}, cut_while_held=False),
        state=RECORDED,
        reason="Creating",
        consistency="CrashConsistent",
    ),
    Case(
        name="a freeze alone",
        facts=facts(cut(), steps=[freeze()]),
        quiesce=ABORT,
        state=RECORDED,
        reason="Creating",
        consistency="FilesystemConsistent",
    ),
    Case(
        name="two nodes that number their devices alike",
        facts=facts(
            cut(),
            steps=[
                StepFacts(
                    name="0-freeze",
                    kind="freeze",
                    proven=True,
                    detail={
                        name: [*said, *said]  # type: ignore[misc]  # lists, in a dict of objects
                        for name, said in freeze().detail.items()
                    },
                )
            ],
        ),
        quiesce=ABORT,
        state=RECORDED,
        reason="Creating",
        consistency="FilesystemConsistent",
    ),
    Case(
        name="a freezer that was lost before it thawed",
        facts=facts(
            cut(),
            steps=[
                lock(),
                StepFacts(name="1-freeze", kind="freeze", reason="no answer " * 500),
            ],
        ),
        quiesce=ABORT,
        state=RECORDED,
        reason="ProofFailed",
    ),
    Case(
        name="no reply", facts=facts(silent()), quiesce=ABORT, state=OPEN, reason="OutcomeUnknown"
    ),
    Case(
        name="an unknown code",
        facts=facts(refused("InternalError.Whatever")),
        quiesce=ABORT,
        state=OPEN,
        reason="OutcomeUnknown",
    ),
    Case(
        name="throttled",
        facts=facts(refused("RequestLimitExceeded")),
        quiesce=ABORT,
        state=SETTLED,
        reason="CloudThrottled",
        retries=True,
    ),
    Case(
        name="a busy disk",
        facts=facts(refused("InvalidDisk.SnapshotCreating")),
        quiesce=ABORT,
        state=SETTLED,
        reason="DiskBusy",
        retries=True,
    ),
    Case(
        name="wrong keys",
        facts=facts(refused("AuthFailure.SignatureExpire")),
        quiesce=ABORT,
        state=SETTLED,
        reason="CredentialsRefused",
        retries=True,
    ),
    Case(
        name="a disk that can't have snapshots",
        facts=facts(refused("InvalidDisk.NotSupportSnapshot")),
        quiesce=ABORT,
        state=SETTLED,
        reason="DiskUnusable",
        stalled=True,
    ),
    Case(
        name="refused for good and refused for now: for now",
        facts=facts(
            refused("InvalidDisk.NotSupportSnapshot"), refused("RequestLimitExceeded", BOTH[1])
        ),
        quiesce=ABORT,
        disks=BOTH,
        state=SETTLED,
        reason="CloudThrottled",
        retries=True,
    ),
    Case(
        name="one disk cut, the other refused: looked up, since what exists must be deleted",
        facts=facts(cut(), refused("InvalidDisk.NotSupportSnapshot", BOTH[1])),
        quiesce=ABORT,
        disks=BOTH,
        state=OPEN,
        reason="DiskUnusable",
    ),
    Case(
        name="one disk cut, the other silent",
        facts=facts(cut(), silent(BOTH[1])),
        quiesce=ABORT,
        disks=BOTH,
        state=OPEN,
        reason="OutcomeUnknown",
    ),
    Case(
        name="a message of a megabyte",
        facts=facts(DiskFacts(disk_id=BOTH[0], sent=True, code="Odd", message="x" * 1_000_000)),
        quiesce=ABORT,
        state=OPEN,
        reason="OutcomeUnknown",
    ),
)


def judged(case: Case) -> Draft:
    asked = ask(disks=case.disks, quiesce=case.quiesce)
    before = draft(disks=case.disks, quiesce=case.quiesce).intend(
        intent(disks=case.disks), volumes(case.disks)
    )
    last = Draft(before.body, asked, NOW)
    result = outcome.Result(
        nonce="nonce-1", facts=case.facts, refusal=case.refusal, problem=case.problem
    )
    return outcome.judge(last, asked, result, NOW)


EACH_CASE = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


@EACH_CASE
def test_the_outcome_is_what_the_facts_say(case: Case) -> None:
    now = status.parse(judged(case).body)
    assert now.intent is not None
    assert (now.intent.state, now.reason, now.consistency) == (
        case.state,
        case.reason,
        case.consistency,
    )
    assert (now.retry is not None, now.stalled) == (case.retries, case.stalled)


@EACH_CASE
def test_what_is_written_fits_the_definition(case: Case) -> None:
    assert list(faults(judged(case).body)) == []


@EACH_CASE
def test_ids_are_named_exactly_when_every_disk_has_one(case: Case) -> None:
    now = status.parse(judged(case).body)
    named = {disk: snapshot_of(disk) for disk in case.disks} if case.state == RECORDED else {}
    assert now.snapshots == named


@EACH_CASE
def test_a_hold_is_called_proven_only_with_every_step_s_proof(case: Case) -> None:
    body = judged(case).body
    quiesced = next(item for item in body["conditions"] if item["type"] == "Quiesced")
    proven = case.facts is not None and case.facts.proven
    assert (quiesced["status"] == "True") == proven
    assert body.get("quiesce", {}).get("proven", False) == proven
    if body.get("consistency") == "ApplicationConsistent":
        assert proven


def test_what_a_proof_rests_on_is_said_where_the_cloud_never_listed_the_snapshot() -> None:
    held = Case(
        name="not listed until the bound",
        facts=facts(cut(visible=False)),
        quiesce=ABORT,
        state=RECORDED,
        reason="Creating",
    )
    body = judged(held).ready("complete").body
    assert body["quiesce"]["cutEvidence"] == "Accepted"
    quiesced = next(item for item in body["conditions"] if item["type"] == "Quiesced")
    assert "the cloud's answer alone" in quiesced["message"]


def test_nothing_held_is_said_in_the_message() -> None:
    [case] = [case for case in CASES if case.name.startswith("nothing to hold with")]
    assert "nothing was held (FreezerNotInstalled)" in status.parse(judged(case).body).message


def test_why_nothing_was_held_is_still_said_when_the_snapshot_is_ready() -> None:
    [case] = [case for case in CASES if case.name.startswith("nothing to hold with")]
    body = judged(case).ready("complete").body
    quiesced = next(item for item in body["conditions"] if item["type"] == "Quiesced")
    assert quiesced["message"].endswith("FreezerNotInstalled: no freezer")


def test_a_refusal_names_code_and_request() -> None:
    [case] = [case for case in CASES if case.name == "throttled"]
    message = status.parse(judged(case).body).message
    assert message == f"{BOTH[0]}: RequestLimitExceeded no (request r-1)"


def test_a_refusal_of_some_disks_is_still_known_as_such_however_much_is_said() -> None:
    long = refused("InvalidDisk.Busy", BOTH[1])
    long.message = "x" * 5000
    made = draft(disks=BOTH).intend(intent(disks=BOTH), volumes(BOTH))
    result = outcome.Result(nonce="nonce-1", facts=facts(cut(), long))
    outcome.judge(made, ask(disks=BOTH), result, NOW)
    assert status.parse(made.body).message.endswith(status.PARTLY)


def test_a_set_of_which_one_disk_can_never_be_cut_holds_its_writers_once() -> None:
    made = draft(disks=BOTH).intend(intent(disks=BOTH), volumes(BOTH))
    never = refused("InvalidDisk.NotSupportSnapshot", BOTH[1])
    outcome.judge(
        made, ask(disks=BOTH), outcome.Result(nonce="nonce-1", facts=facts(cut(), never)), NOW
    )
    nothing_left = steps.Seen(looked=True, absent_since=NOW)
    later = after(400)
    settled = plan.next_step(ask(disks=BOTH), status.parse(made.body), nothing_left, later)
    assert isinstance(settled, steps.Settle)
    made.settle().waiting(settled.reason, settled.message, later)
    failed = plan.next_step(ask(disks=BOTH), status.parse(made.body), steps.Seen(), later)
    assert isinstance(failed, steps.Fail)
    assert (failed.reason, failed.message) == (settled.reason, settled.message)
