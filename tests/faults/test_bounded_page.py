"""The page on bounded holds says which promise a row broke, and counts those that were kept."""

import pytest

from lab.bounded.methods import MAX_HOLD_SECONDS
from lab.bounded.page import Line, page
from lab.bounded.striking import Outcome
from lab.demo.ledger import Engine, Writer
from lab.demo.load import Pause


def outcome(
    seconds: float = 1.0, *, held: str = "", proven: bool = False, at_strike: float = 100,
    waited: bool = False,
) -> Outcome:  # fmt: skip
    pauses = [
        Pause(writer=Writer(Engine.INNODB, 0), begun=0, ended=int(seconds * 1e9)),
        Pause(writer=Writer(Engine.FILE, 0), begun=0, ended=1),
    ]
    return Outcome(
        pauses=pauses, at_strike=at_strike, waited=waited, still_held=held, proven=proven
    )


def line(stopped: Outcome) -> Line:
    return Line(
        version="MariaDB 10.11",
        method="`exec`",
        moment="frozen",
        killed=outcome(),
        stopped=stopped,
    )


@pytest.mark.parametrize(
    ("stopped", "broken"),
    [
        (outcome(), []),
        (outcome(MAX_HOLD_SECONDS + 0.5), ["stopped: InnoDB writer 0 stood still for 6,500 ms"]),
        (outcome(held="the file system was frozen"), ["stopped: the file system was frozen"]),
        (outcome(proven=True), ["stopped: the hold was called proven"]),
        (
            outcome(at_strike=5),
            ["stopped: nobody stood still when the window was ended: the row shows nothing"],
        ),
        (outcome(at_strike=5, waited=True), []),
    ],
    ids=["kept", "too-long", "still-held", "a-false-proof", "missed", "lock-not-granted-yet"],
)
def test_each_promise_that_was_not_kept_is_named(stopped: Outcome, broken: list[str]) -> None:
    assert line(stopped).broken == broken


def test_the_page_shows_the_longest_pause_of_any_writer_and_counts_what_was_kept() -> None:
    text = page([line(outcome(3)), line(outcome(7))])
    assert "| `exec` | MariaDB 10.11 | frozen | 1,000 | 3,000 | 6,000 | no |" in text
    assert "4 ends, one run each: 3 as promised." in text
