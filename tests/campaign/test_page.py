"""The page says only what was seen, and names only tests that there are."""

from pathlib import Path

import pytest

from campaign import everything
from campaign.builds import CAUGHT
from campaign.cases import Case, Seen, run
from campaign.elsewhere import SHOWN
from campaign.page import page
from campaign.points import Fault

TESTS = Path(__file__).resolve().parents[1]
PAGE = TESTS.parent / "docs" / "reliability.md"
TOLD = {caught.build: f"{caught.guarantee}: it fell" for caught in CAUGHT}


@pytest.mark.parametrize(("file", "test"), [(file, test) for _, file, test in SHOWN])
def test_each_fault_that_is_shown_elsewhere_has_its_test(file: str, test: str) -> None:
    assert f"def {test}(" in (TESTS / file).read_text(encoding="utf-8")


def test_each_bad_build_is_caught_by_a_case_of_its_very_name() -> None:
    names = {case.name for case in everything.singles()}
    assert {caught.case for caught in CAUGHT} <= names


def test_no_two_cases_have_one_name() -> None:
    names = [case.name for case in everything.singles()]
    assert len(names) == len(set(names))


def test_a_broken_guarantee_shows_in_its_column() -> None:
    case = Case(name="one", family="nothing", arrange=lambda _: [])
    seen = Seen(
        case=case, fired=1, unfired=0, end="Ready", violations={"True": ["it lies"]},
        longest_hold=7.0, effects=[],
    )  # fmt: skip
    told = page([seen], {"Delete": 44}, TOLD)
    assert "| nothing | 1 | 1 | 0 | 0 | 0 | 0 | 1 | 0 | 0 | 0 | 0 | 7.0 s |" in told
    assert "**0 of 1 cases passed" in told


def test_a_fault_that_does_not_fire_is_trouble() -> None:
    def arrange(_: object) -> list[Fault]:
        return [Fault(meet=lambda act: act(), number=100_000)]

    seen = run(Case(name="never", family="nothing", arrange=arrange))
    assert seen.trouble == ["its fault did not fire"]


def test_the_page_that_is_kept_has_every_family_and_no_violation() -> None:
    kept = PAGE.read_text(encoding="utf-8")
    for family in {case.family for case in everything.singles()}:
        [row] = [line for line in kept.splitlines() if line.startswith(f"| {family} |")]
        assert set(row.split(" | ")[3:12]) == {"0"}
