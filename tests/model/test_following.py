"""A way that the model knows is followed, and one that it doesn't know is refused."""

import pytest

from model.following import Follower, Shown
from model.protocol import Protocol
from model.state import OPEN, PROVEN, RECORDED, SETTLED, UNKNOWN, Object

BEGUN = Object(finalizer=True)
OPENED = BEGUN._replace(attempt=1, state=OPEN)
DONE = OPENED._replace(state=RECORDED, claim=PROVEN)
HIDDEN, LISTED, COMPLETE = (1, False, False), (1, True, False), (1, True, True)
TO_READY = [
    Shown(BEGUN, ()),
    Shown(OPENED, ()),
    Shown(OPENED, (HIDDEN,)),
    Shown(DONE, (HIDDEN,)),
    Shown(DONE, (LISTED,)),
    Shown(DONE, (COMPLETE,)),
    Shown(DONE._replace(ready=True), (COMPLETE,)),
]
FORBIDDEN = {
    "a cut without an intent": [Shown(BEGUN, ()), Shown(BEGUN, (HIDDEN,))],
    "a second attempt while the first is open": [
        *TO_READY[:2],
        Shown(OPENED._replace(attempt=2), ()),
    ],
    "proven without a snapshot": [*TO_READY[:2], Shown(DONE, ())],
    "a settled attempt whose snapshot is there": [
        *TO_READY[:3],
        Shown(OPENED._replace(state=SETTLED), (HIDDEN,)),
    ],
    "ready before it is complete": [*TO_READY[:5], Shown(DONE._replace(ready=True), (LISTED,))],
    "proven after it was adopted": [
        *TO_READY[:3],
        Shown(OPENED, (LISTED,)),
        Shown(DONE._replace(claim=UNKNOWN), (LISTED,)),
        Shown(DONE, (LISTED,)),
    ],
    "gone with its snapshot left": [*TO_READY, Shown(Object(exists=False), (COMPLETE,))],
}


def follow(way: list[Shown], operators: int) -> None:
    follower = Follower(Protocol(operators=operators, max_attempts=3))
    for now in way:
        follower.see(now)


@pytest.mark.parametrize("operators", [1, 2])
def test_the_way_to_a_proven_snapshot_is_followed(operators: int) -> None:
    follow(TO_READY, operators)


@pytest.mark.parametrize("way", FORBIDDEN.values(), ids=FORBIDDEN)
def test_a_way_that_breaks_the_protocol_is_refused_at_its_last_step(way: list[Shown]) -> None:
    follow(way[:-1], 2)
    with pytest.raises(AssertionError, match="no move of the model"):
        follow(way, 2)
