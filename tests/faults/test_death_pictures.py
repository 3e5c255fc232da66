"""The picture of a death shows what was held and when writers were answered."""

from io import StringIO

from rich.console import Console

from lab.demo.deathpicture import Picture, Span, draw, spans

MS = 1_000_000


def drawn(picture: Picture) -> list[str]:
    console = Console(file=StringIO(), width=120)
    console.print(draw(picture))
    text = console.file.getvalue()  # type: ignore[attr-defined]  # a StringIO
    return [str(line) for line in text.splitlines()]


def killed() -> Picture:
    return Picture(
        death="operator killed",
        struck=1_000 * MS,
        held={"frozen": [Span(800 * MS, 1_100 * MS)], "locked": [Span(700 * MS, 1_200 * MS)]},
        acknowledged={"InnoDB writer 0": [600 * MS, 1_250 * MS, 1_300 * MS]},
    )


def test_each_hold_is_a_bar_around_the_death() -> None:
    mark, frozen, locked, *_ = drawn(killed())
    column = mark.index("✝")
    assert frozen[column] == locked[column] == "█"
    assert locked.count("█") > frozen.count("█")


def test_a_writer_has_a_dot_where_it_was_answered_and_none_while_it_was_held() -> None:
    _, _, locked, writer, _ = drawn(killed())
    bar = range(locked.index("█"), locked.rindex("█"))
    assert writer.count("·") == 3
    assert all(column >= len(writer) or writer[column] != "·" for column in bar)


def test_the_axis_is_in_milliseconds_from_the_death() -> None:
    axis = drawn(killed())[-1]
    assert axis.split() == ["-600", "ms", "+700", "ms"]


def test_a_hold_too_short_for_the_scale_is_seen_all_the_same() -> None:
    shortest = Picture(
        death="x", struck=1_000 * MS, held={"frozen": [Span(900 * MS, 900 * MS + 1)]},
        acknowledged={},
    )  # fmt: skip
    assert "█" in drawn(shortest)[1]


def test_looks_that_saw_a_hold_one_after_the_other_are_one_span() -> None:
    looks = [(0, False), (1, True), (2, True), (3, False), (4, True), (5, False)]
    assert spans(looks) == [Span(1, 3), Span(4, 5)]
