"""Whatever befalls the operator at one effect, every guarantee stands when it is over."""

import pytest

from campaign import everything
from campaign.cases import Case, run

# The rest, and the pairs, are in `make campaign`.
CASES = {case.name: case for case in everything.slice_of(everything.singles(), share=8)}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_guarantees_stand_when(case: Case) -> None:
    seen = run(case)
    assert seen.fired
    assert not seen.trouble
