"""What is recorded of an attempt is what the code's judge makes of the window's facts."""

from typing import Any

import pytest

from disksnapshot.snapshot import outcome, status
from disksnapshot.snapshot.draft import Draft
from disksnapshot.window.hold import Facts
from model.acting import performed
from model.protocol import Protocol
from model.state import OPEN, Object, World
from rules import outcomes
from rules.situations import NOW, ask, body, intent, volumes

OPENED = World(object=Object(finalizer=True, attempt=1, state=OPEN))
WHOLE = outcomes.cut()
RESULTS: dict[str, Facts] = {
    "nothing": outcomes.facts(outcomes.cut(sent=False, snapshot_id="", visible=False)),
    "final": outcomes.facts(outcomes.refused("InvalidParameter"), cut_while_held=False),
    "proven": outcomes.facts(WHOLE),
    "unproven": outcomes.facts(WHOLE, cut_while_held=False),
}


def judged(facts: Facts, policy: str) -> status.Done:
    asked = ask(quiesce={"failurePolicy": policy})
    read = body(quiesce={"failurePolicy": policy}, status_so_far={"observedGeneration": -1})
    draft = Draft(read["status"], asked, NOW).intend(intent(), volumes())
    result = outcome.Result(nonce="nonce-1", facts=facts)
    return status.parse(outcome.judge(draft, asked, result, NOW).body)


@pytest.mark.parametrize("policy", ["Abort", "AllowCrashConsistent"])
@pytest.mark.parametrize("kind", RESULTS)
def test_the_model_records_what_the_code_records(kind: str, policy: str) -> None:
    protocol = Protocol(keeps_unproven=policy != "Abort")
    model = performed(OPENED, ("record", kind, 1), protocol)
    code = judged(RESULTS[kind], policy)
    assert model is not None
    assert code.intent is not None
    assert as_seen(model) == (code.intent.state, bool(code.consistency), code.stalled)


def as_seen(model: Object) -> tuple[Any, ...]:
    return model.state, bool(model.claim), model.failed


def test_an_attempt_of_unknown_outcome_stays_open() -> None:
    silent = outcomes.facts(outcomes.silent(), cut_while_held=False)
    known = judged(silent, "Abort")
    assert known.intent is not None
    assert (known.intent.state, known.snapshots) == (OPEN, {})
