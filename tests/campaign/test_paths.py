"""What the operator does under the campaign's faults is what the model knows."""

import pytest

from campaign import everything, paths
from campaign.cases import Case

SHARE = 24  # the lives are those of the campaign; here only where they go is asked
CASES = {
    case.name: case
    for case in everything.slice_of(everything.singles(), SHARE)
    if paths.is_modelled(case)
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_life_is_a_path_of_the_model_when(case: Case) -> None:
    assert paths.astray(case) == []


def test_a_life_that_the_model_does_not_know_is_told() -> None:
    """The model leaves out edits of the spec, so that this one has to lead astray."""
    case = next(c for c in everything.singles() if "becomes Retain at effect 0," in c.name)
    [said] = paths.astray(case)
    assert said.startswith("no move of the model leads from ")
