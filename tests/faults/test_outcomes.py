"""A death that broke a promise is named: the table can't be green by itself."""

from dataclasses import replace

import pytest

from lab.deaths.catalogue import death
from lab.deaths.outcome import Outcome, Seen
from lab.deaths.watching import Sample
from lab.demo.ledger import Engine, Writer
from lab.demo.load import Pause
from lab.demo.stage import Database

SECOND = 1_000_000_000


def kept() -> Outcome:
    database = Database(
        namespace="n",
        pod="p",
        claim="c",
        disk_id="d",
        address="a",
        password="w",  # noqa: S106  # of no server
    )
    pause = Pause(writer=Writer(Engine.INNODB, 0), begun=0, ended=2 * SECOND)
    seen = Seen(
        struck=SECOND,
        held_at_strike=Sample(SECOND, locked=True, frozen=True),
        freed=2 * SECOND,
        pauses=[pause],
        samples=[],
    )
    return Outcome(
        death=death("operator-killed"),
        database=database,
        hold_seconds=8,
        seen=seen,
        acknowledged={},
        still_held="",
        snapshots=1,
        end="Unknown",
        message="",
    )


def test_an_outcome_that_keeps_all_promises_breaks_none() -> None:
    assert kept().broken == []


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"snapshots": 2}, "2 snapshots"),
        ({"snapshots": 0}, "0 snapshots"),
        ({"end": "ApplicationConsistent"}, "the object says ApplicationConsistent"),
        ({"still_held": "the file system was frozen"}, "the file system was frozen"),
        ({"freed": 10 * SECOND}, "held for 9,000 ms"),
        ({"held_at_strike": Sample(SECOND, locked=False, frozen=False)}, "nothing was held"),
        ({"pauses": []}, "no writer"),
        (
            {"pauses": [Pause(writer=Writer(Engine.FILE, 0), begun=0, ended=9 * SECOND)]},
            "File writer 0 stood still for 9,000 ms",
        ),
    ],
)
def test_each_promise_that_is_broken_is_named(changed: dict[str, object], words: str) -> None:
    outcome = kept()
    seen = {name: value for name, value in changed.items() if hasattr(outcome.seen, name)}
    others = {name: value for name, value in changed.items() if name not in seen}
    outcome = replace(outcome, seen=replace(outcome.seen, **seen), **others)  # type: ignore[arg-type]  # as parametrized
    [said] = outcome.broken
    assert words in said
