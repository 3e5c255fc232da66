"""Whoever dies in the middle of a hold: all is free in time, and the object tells the truth."""

import pytest

from lab.deaths.catalogue import DEATHS, Death

from .conftest import Stage


@pytest.mark.timeout(400)
@pytest.mark.parametrize("death", DEATHS, ids=lambda death: death.key)
def test_a_death_leaves_nothing_held_and_one_snapshot_or_an_honest_reason(
    stage: Stage, death: Death
) -> None:
    assert stage.play(death).broken == []
