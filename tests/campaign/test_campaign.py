"""Whatever befalls the operator at one effect, every guarantee stands when it is over."""

import pytest

from campaign import everything
from campaign.cases import Case, run

CASES = {case.name: case for case in everything.singles()}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_guarantees_stand_when(case: Case) -> None:
    seen = run(case)
    assert seen.fired, "a case whose fault doesn't fire shows nothing"
    assert not seen.trouble
