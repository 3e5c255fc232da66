"""A campaign that lets a bad build through is not to be trusted: each must be caught, by name."""

import pytest

from campaign import builds
from campaign.builds import CAUGHT, Caught
from campaign.oracles import GUARANTEES
from lab.bench.builds import Build


@pytest.mark.parametrize("caught", CAUGHT, ids=lambda caught: caught.build)
def test_a_bad_build_breaks_its_guarantee_in_its_case(caught: Caught) -> None:
    assert builds.catch(caught).startswith(f"{caught.guarantee}: ")


def test_the_true_build_is_let_through_by_the_same_cases() -> None:
    for case in sorted({caught.case for caught in CAUGHT}):
        told = builds.run(Build.true(), case)
        assert told.returncode == 0, told.stdout + told.stderr


def test_a_build_that_is_not_caught_is_an_error() -> None:
    harmless = Caught(build="event-told-twice", lacks="", guarantee="One", case=CAUGHT[0].case)
    with pytest.raises(RuntimeError, match="was not caught"):
        builds.catch(harmless)


def test_each_guarantee_has_a_bad_build() -> None:
    assert {caught.guarantee for caught in CAUGHT} == set(GUARANTEES)
