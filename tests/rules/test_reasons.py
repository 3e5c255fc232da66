"""The closed list of reasons: each has a remedy, each word used is in it, the page copies it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import disksnapshot
from disksnapshot import reasons
from disksnapshot.reasons import REMEDIES, Reason
from lab.refusals import seen
from lab.refusals.catalogue import CASES

CODE = Path(disksnapshot.__file__).parent
DOCS = Path(__file__).resolve().parents[2] / "docs"
RAISED = {"HoldError", "FreezeError", "Problem", "Refusal"}


def used(path: Path) -> Iterator[str]:
    """Find the reasons that a module writes as plain words."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in RAISED:
            named = [word.value for word in node.keywords if word.arg == "reason"]
            for argument in (*node.args[:1], *named):
                if isinstance(argument, ast.Constant):
                    yield str(argument.value)


def test_every_reason_has_a_remedy_in_a_whole_sentence() -> None:
    assert set(REMEDIES) == set(Reason)
    assert [reason for reason, remedy in REMEDIES.items() if not remedy.endswith(".")] == []


def test_every_reason_that_is_raised_anywhere_is_in_the_list() -> None:
    words = {word for path in CODE.rglob("*.py") for word in used(path)}
    assert {"LockTimeout", "FreezeRefused", "CloudError"} <= words
    assert words <= set(Reason)


def test_every_reason_is_a_word_that_conditions_may_carry() -> None:
    assert [word for word in Reason if not re.fullmatch(r"[A-Z][A-Za-z]{2,40}", word)] == []


def test_the_page_of_reasons_is_the_list_with_what_a_run_has_seen_of_each() -> None:
    refusals = (DOCS / "refusals.md").read_text(encoding="utf-8")
    wanted = seen.page(reasons.page(), [*Reason], refusals)
    written = (DOCS / "reasons.md").read_text(encoding="utf-8")
    assert written == wanted, "run `python -m lab.refusals reasons`"


def test_every_reason_that_bad_input_ends_in_is_shown_as_kubectl_shows_it() -> None:
    wanted = {case.reason for case in CASES} & set(Reason)
    written = (DOCS / "reasons.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"^### (\w+)$", written, re.MULTILINE))
    assert len(wanted) > 30
    assert wanted <= shown
