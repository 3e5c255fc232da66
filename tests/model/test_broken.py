"""With any one part left out, the protocol breaks a guarantee, and the model tells how."""

import pytest

from model import page
from model.variants import BROKEN, Lacking

THAT_THE_MODEL_CAN_STATE = {"One", "Tracked", "Bounded", "Ours", "True", "Converge", "Calm"}


@pytest.mark.parametrize("lacking", BROKEN, ids=lambda lacking: lacking.part)
def test_without_a_part_its_guarantee_falls(lacking: Lacking) -> None:
    broken = page.damage(lacking)
    assert broken.guarantee == lacking.breaks
    assert page.told(broken)[-1] == f"**{broken.sentence}**"


def test_each_guarantee_has_a_part_without_which_it_falls() -> None:
    assert {lacking.breaks for lacking in BROKEN} == THAT_THE_MODEL_CAN_STATE
