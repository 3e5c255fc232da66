"""Where the probe places a cut, from what the copy holds and when each number was written."""

import pytest

from disksnapshot.probecut import counter
from disksnapshot.probecut.counter import SLOTS, Found
from disksnapshot.probecut.report import ADVICE, Moments, Place, judged

RUN, OTHER = b"r" * 16, b"o" * 16
MILLISECOND = 1_000_000
# Number n is written from 10 n to 10 n + 4 ms.
BEGAN = [10 * n * MILLISECOND for n in range(100)]
ENDED = [moment + 4 * MILLISECOND for moment in BEGAN]


def moments(reply: int, listed: tuple[int, int] = (400, 460)) -> Moments:
    after, by = listed
    return Moments(
        sent=(reply - 20) * MILLISECOND,
        reply=reply * MILLISECOND,
        listed_after=after * MILLISECOND,
        listed_by=by * MILLISECOND,
    )


@pytest.mark.parametrize(
    ("greatest", "reply", "place"),
    [
        (28, 300, Place.BEFORE_REPLY),
        (29, 300, Place.AT_REPLY),
        (30, 300, Place.AFTER_REPLY),
        (44, 300, Place.AFTER_REPLY),
        (45, 300, Place.AFTER_LISTED),
        (80, 300, Place.AFTER_LISTED),
        (99, 300, Place.AFTER_WRITING),
    ],
)
def test_a_cut_lies_between_the_greatest_number_and_the_end_of_the_next(
    greatest: int, reply: int, place: Place
) -> None:
    report = judged(moments(reply), BEGAN, ENDED, Found(greatest, missing=0))
    assert report.place is place
    assert report.cut_from == 10 * greatest - reply
    assert report.cut_to == (None if greatest == 99 else 10 * greatest + 14 - reply)
    assert report.lines()[-1] == ADVICE[place]


def test_every_place_has_its_advice() -> None:
    assert set(ADVICE) == set(Place)


def test_a_copy_that_lacks_earlier_writes_is_not_one_point_in_time() -> None:
    report = judged(moments(300), BEGAN, ENDED, Found(28, missing=3))
    assert "NOT ONE POINT IN TIME: 3 earlier writes" in "\n".join(report.lines())
    assert report.document()["isOnePointInTime"] is False


def slots(*numbers: int | None, run: bytes = RUN) -> list[bytes]:
    return [bytes(4096) if n is None else counter.encoded(run, n) for n in numbers]


def test_the_counter_is_found_after_its_first_round_and_after_many() -> None:
    assert counter.found(RUN, slots(0, 1, 2, None)) == Found(2, missing=0)
    assert counter.found(RUN, slots(8, 9, 6, 7)) == Found(9, missing=0)


def test_a_write_that_is_missing_before_a_later_one_is_counted() -> None:
    assert counter.found(RUN, slots(0, None, 2, None)) == Found(2, missing=1)
    assert counter.found(RUN, slots(8, 5, 10, 7)) == Found(10, missing=1)


def test_what_another_run_left_and_what_was_torn_counts_for_nothing() -> None:
    torn = bytearray(counter.encoded(RUN, 7))
    torn[40:44] = b"\xff" * 4
    assert counter.found(RUN, [*slots(7, run=OTHER), bytes(torn), bytes(4096)]) is None


@pytest.mark.parametrize("greatest", [0, SLOTS - 1, SLOTS, 3 * SLOTS + 17])
def test_each_slot_holds_the_newest_number_that_fell_into_it(greatest: int) -> None:
    for slot in (0, 1, 17, 18, SLOTS - 1):
        written = range(slot, greatest + 1, SLOTS)
        assert counter.newest_at(slot, greatest, SLOTS) == (written[-1] if written else None)
