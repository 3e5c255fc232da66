"""The closed list of reasons: each has a remedy, each word used is in it, the page copies it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import disksnapshot
from disksnapshot import reasons
from disksnapshot.reasons import REMEDIES, Reason

CODE = Path(disksnapshot.__file__).parent
PAGE = Path(__file__).resolve().parents[2] / "docs" / "reasons.md"
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


def test_the_page_of_reasons_is_the_list() -> None:
    written = PAGE.read_text(encoding="utf-8")
    assert written == reasons.page(), "run `python -m disksnapshot.reasons > docs/reasons.md`"
