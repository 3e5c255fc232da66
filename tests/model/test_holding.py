"""Every state that the protocol can reach, whatever fails and how often, keeps the guarantees."""

from dataclasses import replace

import pytest

from disksnapshot.snapshot import plan
from model import decisions, page, phases, telling
from model.__main__ import PAGE
from model.variants import HOLDING
from model.walking import walk

SOMEWHERE = {  # the others are made in every variant
    "sends without a hold",
    "late write is done",
    "late write is lost",
    "mark",
    "retire",
    "expire",
}
NOWHERE = {"opens the window"}  # only where there is no intent


@pytest.mark.parametrize("name", HOLDING)
def test_the_protocol_holds(name: str) -> None:
    shown = walk(name)
    assert shown.broken is None, "\n".join(page.told(shown.broken))
    assert shown.states > 3000


@pytest.mark.parametrize("name", HOLDING)
def test_each_move_was_made(name: str) -> None:
    expected = set(telling.SENTENCES) - SOMEWHERE - NOWHERE - HOLDING[name].without
    assert expected - set(walk(name).fired) == set()


def test_each_fault_that_is_rare_was_met_somewhere() -> None:
    fired = set().union(*(walk(name).fired for name in HOLDING))
    assert set(telling.SENTENCES) - fired == NOWHERE


@pytest.mark.parametrize("name", HOLDING)
def test_each_decision_is_that_of_the_code(name: str) -> None:
    protocol = replace(HOLDING[name], max_attempts=plan.MAX_ATTEMPTS)
    differing = {
        (decision, model, code)
        for decision in walk(name).decisions
        if (model := decisions.of_model(decision, protocol))
        != (code := decisions.of_code(decision, protocol))
    }
    assert differing == set()
    assert len(walk(name).decisions) > 50


def test_the_picture_shows_each_change_that_the_model_makes() -> None:
    assert phases.met() == set(phases.CHANGES)


def test_the_page_is_what_the_model_says() -> None:
    sizes = {name: (walk(name).states, sum(walk(name).fired.values())) for name in HOLDING}
    assert PAGE.read_text() == page.page(sizes), "write it again: make protocol"
