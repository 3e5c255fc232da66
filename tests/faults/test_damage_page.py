"""The page on what a snapshot holds counts what the verdicts say, engine by engine."""

from collections.abc import Sequence

import pytest

from lab.damage.__main__ import surprises
from lab.damage.counting import broken_for_the_database, damaged, misplaced, replayed
from lab.damage.cuts import Judged
from lab.damage.page import page
from lab.damage.scene import Played
from lab.damage.ways import HELD, LATE
from lab.demo.finding import Finding, Mark
from lab.demo.ledger import Engine
from lab.demo.verdict import Verdict

CLEAN = (
    Finding(Mark.PROVEN, "file system", "no journal to replay"),
    Finding(Mark.PROVEN, "binlog size", "as recorded"),
    Finding(Mark.PROVEN, "CHECK TABLE", "no complaint"),
    Finding(Mark.PROVEN, "InnoDB rows", "all there"),
    Finding(Mark.PROVEN, "MyISAM rows", "all there"),
)
TORN = (
    Finding(Mark.BROKEN, "file system", "the journal needs replay"),
    Finding(Mark.UNPROVEN, "binlog size", "no position was recorded"),
    Finding(Mark.BROKEN, "CHECK TABLE", "1 of 4 complain: a.b (Aria): warning: not closed"),
    Finding(Mark.PROVEN, "InnoDB rows", "all there"),
    Finding(Mark.BROKEN, "MyISAM rows", "5 of 9 lost"),
)
REPLAY = (Finding(Mark.BROKEN, "file system", "the journal needs replay"), *CLEAN[1:])


def copy(findings: Sequence[Finding], *, proven: bool = False) -> Judged:
    return Judged(
        called="Clean", proven=proven, verdict=Verdict(title="a copy", findings=findings)
    )


def played(**changed: Sequence[Finding]) -> Played:
    """Return a scene in which all is as the page says, but for the ways that are named."""
    held = {way.words: [copy(CLEAN, proven=True)] for way in HELD}
    held |= {way: [copy(findings, proven=True)] for way, findings in changed.items()}
    late = {key: [copy(TORN, proven=True)] for key in LATE}
    late["Visible", "once it is cut"] = [copy(CLEAN, proven=True)]
    return Played(scene="MariaDB on XFS", server="10.11.6", kernel="6.1", held=held, late=late)


def test_lost_rows_are_damage_of_their_engine_alone() -> None:
    copies = [copy(CLEAN), copy(TORN)]
    assert damaged(copies, Engine.MYISAM).words == "1 of 2"
    assert damaged(copies, Engine.INNODB).words == "0 of 2"


def test_a_complaint_is_damage_of_the_engine_whose_table_it_names() -> None:
    count = damaged([copy(TORN)], Engine.ARIA)
    assert (count.words, "not closed" in count.example) == ("1 of 1", True)


def test_a_copy_on_which_no_database_starts_counts_as_damaged_whatever_kept_the_rows() -> None:
    lost = [copy([Finding(Mark.BROKEN, "database", "does not start")])]
    assert [damaged(lost, engine).damaged for engine in Engine] == [1, 1, 1, 1]


def test_a_journal_to_replay_is_counted_apart_and_no_harm_to_the_database() -> None:
    assert replayed([copy(CLEAN), copy(TORN)]).words == "1 of 2"
    assert [broken_for_the_database(copy(one)) for one in (REPLAY, TORN)] == [False, True]


def test_where_no_position_was_recorded_none_is_counted_as_right() -> None:
    assert misplaced([copy(TORN)]).words == "none recorded"


def test_the_page_says_where_a_copy_called_proven_is_not_clean() -> None:
    text = page([played(nothing=TORN)], 300)
    assert "| `Accepted` | before it is cut | 1 of 1 | 0 of 1 |" in text
    assert "Damaged in no copy, however held: InnoDB." in text


def test_the_page_names_the_versions_and_each_way_that_showed_no_damage() -> None:
    text = page([played(nothing=TORN)], 300)
    assert "MariaDB 10.11.6, Linux 6.1." in text
    [undamaged] = [line for line in text.splitlines() if line.startswith("Nothing at all")]
    assert all(way.words in undamaged for way in HELD if way.words != "nothing")
    assert "/ nothing" not in undamaged


def test_a_run_in_which_a_recommended_way_failed_is_a_failed_run() -> None:
    assert list(surprises([played(nothing=TORN)])) == []
    assert len(list(surprises([played(**{"mysql, freeze": TORN})]))) == 1


@pytest.mark.parametrize(("findings", "said"), [(REPLAY, 0), (TORN, 1)])
def test_of_a_sync_under_the_lock_the_database_alone_is_expected_to_be_whole(
    findings: Sequence[Finding], said: int
) -> None:
    assert len(list(surprises([played(**{"mysql, sync": findings})]))) == said
