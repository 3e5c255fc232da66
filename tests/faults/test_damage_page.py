"""The page on damage counts what the verdicts say, engine by engine."""

from collections.abc import Sequence

from lab.damage.counting import damaged, misplaced, replayed
from lab.damage.cuts import Judged
from lab.damage.page import page
from lab.demo.finding import Finding, Mark
from lab.demo.ledger import Engine
from lab.demo.verdict import Verdict

CLEAN = (
    Finding(Mark.PROVEN, "file system", "no journal to replay"),
    Finding(Mark.PROVEN, "binlog size", "as recorded"),
    Finding(Mark.PROVEN, "CHECK TABLE", "no complaint"),
    Finding(Mark.PROVEN, "MyISAM rows", "all there"),
)
TORN = (
    Finding(Mark.BROKEN, "file system", "the journal needs replay"),
    Finding(Mark.UNPROVEN, "binlog size", "no position was recorded"),
    Finding(Mark.BROKEN, "CHECK TABLE", "1 of 4 complain: a.b (Aria): warning: not closed"),
    Finding(Mark.BROKEN, "MyISAM rows", "5 of 9 lost"),
)


def copy(findings: Sequence[Finding], *, proven: bool = False) -> Judged:
    return Judged(proven=proven, verdict=Verdict(title="a copy", findings=findings))


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


def test_a_journal_to_replay_is_counted_apart() -> None:
    assert replayed([copy(CLEAN), copy(TORN)]).words == "1 of 2"


def test_where_no_position_was_recorded_none_is_counted_as_right() -> None:
    assert misplaced([copy(TORN)]).words == "none recorded"


def test_the_page_says_where_a_copy_called_proven_is_not_clean() -> None:
    held = {"lock and freeze": [copy(CLEAN, proven=True)], "nothing": [copy(TORN)]}
    text = page(held, {("Accepted", "before it is cut"): [copy(TORN, proven=True)]}, 300)
    assert "| `Accepted` | before it is cut | 1 of 1 | 0 of 1 |" in text
    assert "Damaged in no copy, however held: InnoDB, File." in text
