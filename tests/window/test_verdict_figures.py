"""What is made of a hundred measured holds: the sums, and the drawings to scale."""

from io import StringIO
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from lab.demo import drawing
from lab.demo.costs import Cost, Row, rows, typical
from lab.demo.ledger import Engine, Writer
from lab.demo.load import Pause
from lab.demo.scale import Owner, drawn, phases
from lab.demo.timeline import split

MILLISECOND = 1_000_000
ZERO = 1_700_000_000_000_000_000
MOMENTS = {
    "ready": -70, "lockSent": 0, "locked": 4, "frozen": 6, "cutSent": 6, "reply": 16,
    "visible": 86, "thawed": 88, "proven": 89, "unlocked": 90,
}  # fmt: skip
EVENTS = {name: ZERO + at * MILLISECOND for name, at in MOMENTS.items()}
SVG = "{http://www.w3.org/2000/svg}"


def pause(milliseconds: int, number: int = 0) -> Pause:
    begun = ZERO + 2 * MILLISECOND
    ended = begun + milliseconds * MILLISECOND
    return Pause(writer=Writer(Engine.INNODB, number), begun=begun, ended=ended)


def cost(lock: int = 3, *pauses: int) -> Cost:
    parts = split(EVENTS, lock=lock * MILLISECOND, freeze=2 * MILLISECOND)
    felt = [pause(length, number) for number, length in enumerate(pauses or (95,))]
    return Cost(name="cut", events=EVENTS, parts=parts, flush=0, pauses=felt)


def row(words: str, *costs: Cost) -> Row:
    return next(row for row in rows(costs) if row.words.startswith(words))


def test_of_all_writers_the_one_that_waited_longest_counts_less_the_cloud() -> None:
    assert cost(3, 95, 103, 99).pause == (103 - 80) * MILLISECOND


def test_a_row_tells_the_median_the_ninetieth_and_the_worst() -> None:
    locks = [cost(lock) for lock in range(11)]
    told = row("lock", *locks)
    assert (told.median, told.p90, told.worst) == (5, 9, 10)


def test_a_row_says_of_each_budget_whether_it_was_kept() -> None:
    assert (
        row("ours", *[cost(lock) for lock in (0, 1, 2)]).judged == "median 6 MISSED, worst 30 met"
    )
    assert row("longest", cost(3, 130), cost(3, 131)).judged == "worst 50 MISSED"
    assert row("longest", cost(3, 130), cost(3, 129)).judged == "worst 50 met"
    assert row("lock", cost(), cost()).judged == ""


def test_the_hold_that_is_shown_is_the_median_by_what_is_ours() -> None:
    costs = [cost(lock) for lock in (1, 5, 2, 4, 3)]
    assert typical(costs).parts.lock == 3 * MILLISECOND


def test_phases_follow_each_other_without_a_gap_from_lock_to_unlock() -> None:
    cut = phases(EVENTS)
    assert [phase.begin for phase in cut] == [0, *(phase.end for phase in cut[:-1])]
    assert cut[-1].end == 90
    cloud = sum(phase.milliseconds for phase in cut if phase.owner is Owner.CLOUD)
    assert cloud == 80


def test_a_hold_without_a_lock_begins_with_the_freeze() -> None:
    events = {name: at for name, at in EVENTS.items() if name not in {"locked", "proven"}}
    assert [phase.words for phase in phases(events)][:2] == ["freeze", "send"]


def test_the_terminal_shows_each_owner_s_share_of_the_line() -> None:
    screen = StringIO()
    Console(width=200, file=screen).print(drawn(EVENTS))
    lines = screen.getvalue().splitlines()
    whole = lines[1].rstrip()
    assert len(whole) == 96
    assert whole.count("░") == pytest.approx(96 * 80 / 90, abs=1)
    assert len(lines[3].rstrip()) == 96
    assert "░" not in lines[3]


def drawing_of(*pauses: int) -> ET.Element:
    lanes = [drawing.Lane(pause=felt, acknowledged=[felt.begun, felt.ended])
             for felt in cost(3, *pauses).pauses]  # fmt: skip
    return ET.fromstring(drawing.svg(EVENTS, lanes, "One & only"))  # noqa: S314  # made right here


def test_the_drawing_is_to_scale() -> None:
    drawn_parts = drawing_of(95).findall(f"{SVG}rect")
    widths = {
        part[0].text: float(part.attrib["width"]) for part in drawn_parts if len(part)
    }  # of the first lane and the close-ups; a close-up of the same phase comes later
    listed, made = widths["until listed 70.00 ms"], widths["CreateSnapshot 10.00 ms"]
    assert listed / made == pytest.approx(7, rel=0.01)
    [still] = [part for part in drawn_parts if part.attrib["class"] == "still"]
    assert float(still.attrib["width"]) / listed == pytest.approx(95 / 70, rel=0.01)


def test_the_drawing_has_a_lane_for_each_writer_and_colours_for_both_schemes() -> None:
    page = drawing_of(95, 97, 99)
    words = [text.text for text in page.findall(f"{SVG}text")]
    assert [word for word in words if word and word.startswith("InnoDB writer")] == [
        "InnoDB writer 0", "InnoDB writer 1", "InnoDB writer 2",
    ]  # fmt: skip
    [style] = page.findall(f"{SVG}style")
    assert "prefers-color-scheme: dark" in str(style.text)


def test_the_drawing_keeps_all_its_words_on_the_page() -> None:
    for text in drawing_of(95).findall(f"{SVG}text"):
        x, length = float(text.attrib["x"]), 7 * len(text.text or "")
        end = text.attrib.get("text-anchor") == "end"
        assert (x - length if end else x) >= 0
        assert (x if end else x + length / 2) <= 960
