"""What the verdict makes of facts: each claim shown to hold, and shown to fail when it should."""

from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from lab.demo import report
from lab.demo.facts import Cut, Database, Disk, FileSystem, NoDatabase, Position, Run, TableCheck
from lab.demo.finding import Mark
from lab.demo.journal import judge_file_system
from lab.demo.ledger import Engine, Ledger, Pen, Reader, Sent, Writer
from lab.demo.load import longest_pause
from lab.demo.verdict import Verdict, judge

POSITION = Position("binlog.000002", 4711, "0-1-99")
CUT = Cut(begun=1000, ended=2000, position=POSITION)
WRITER = Writer(Engine.INNODB, 0)
PLAIN = FileSystem(superblock="Filesystem features:      has_journal extent", check=Run(0, ""))
DISK = Disk(file_system=PLAIN, binlogs={"binlog.000001": 99, "binlog.000002": 4711})
# Row 1 was acknowledged before the hold, 2 was under way, 3 was sent after it.
LEDGER = Ledger(
    writer=WRITER,
    sent={1: Sent("one", 900), 2: Sent("two", 999), 3: Sent("three", 2001)},
    acknowledged={1: 950, 2: 2100, 3: 2200},
)
DATABASE = Database(
    version="10.11",
    gtid="0-1-99",
    gtid_at_position="0-1-99",
    checks=[TableCheck("shop.orders", "InnoDB", [])],
    rows={WRITER: {1: "one"}},
)


def verdict(**changes: object) -> Verdict:
    return judge("a copy", CUT, [LEDGER], DISK, replace(DATABASE, **changes))  # type: ignore[arg-type]  # fields of Database by name


def _printed(console: Console) -> str:
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def broken(judged: Verdict) -> list[str]:
    return [finding.subject for finding in judged.of(Mark.BROKEN)]


@pytest.mark.parametrize("rows", [{1: "one"}, {1: "one", 2: "two"}], ids=["without it", "with it"])
def test_a_row_under_way_during_the_hold_may_be_there_or_not(rows: dict[int, str]) -> None:
    assert verdict(rows={WRITER: rows}).clean


@pytest.mark.parametrize(
    ("rows", "subjects", "words"),
    [
        ({}, ["InnoDB rows"], "1 of 1 acknowledged before the lock was sent lost (0/1)"),
        ({1: "other"}, ["InnoDB rows"], "1 with another content than was sent (0/1)"),
        ({1: "one", 3: "three"}, ["InnoDB rows"], "1 there though sent after all was unlocked"),
        ({1: "one", 8: "eight"}, ["InnoDB rows"], "1 there that no writer sent (0/8)"),
        ({2: "two"}, ["InnoDB rows", "one moment"], "1 of 1 acknowledged"),
    ],
    ids=["lost", "torn", "too late", "from nowhere", "a hole"],
)
def test_rows_that_should_not_be_so_are_named(
    rows: dict[int, str], subjects: list[str], words: str
) -> None:
    judged = verdict(rows={WRITER: rows})
    assert broken(judged) == subjects
    assert words in judged.of(Mark.BROKEN)[0].sentence


def test_a_load_without_a_row_before_the_hold_proves_nothing() -> None:
    idle = Ledger(writer=WRITER)
    judged = judge("a copy", CUT, [idle], DISK, replace(DATABASE, rows={}))
    assert not judged.clean
    assert [finding.subject for finding in judged.of(Mark.UNPROVEN)] == ["InnoDB rows"]


@pytest.mark.parametrize(
    ("changes", "subject"),
    [
        ({"gtid": "0-1-98"}, "GTID"),
        ({"gtid_at_position": "0-1-98"}, "GTID"),
        ({"gtid_at_position": None}, "GTID"),
        ({"checks": [TableCheck("shop.old", "MyISAM", ["error: Corrupt"])]}, "CHECK TABLE"),
        ({"checks": [TableCheck("shop.old", "Aria", ["warning: open"])]}, "CHECK TABLE"),
    ],
)
def test_what_the_database_answers_amiss_is_found(
    changes: dict[str, object], subject: str
) -> None:
    assert broken(verdict(**changes)) == [subject]


@pytest.mark.parametrize(
    "binlogs",
    [
        {"binlog.000002": 4710},
        {"binlog.000002": 4712},
        {"binlog.000001": 99},
        {"binlog.000002": 4711, "binlog.000003": 4},
        {},
    ],
    ids=["shorter", "longer", "missing", "not the last", "none"],
)
def test_any_other_binlog_than_the_recorded_one_is_found(binlogs: dict[str, int]) -> None:
    disk = replace(DISK, binlogs=binlogs)
    assert broken(judge("a copy", CUT, [LEDGER], disk, DATABASE)) == ["binlog size"]


def test_gtids_are_sets_whose_order_means_nothing() -> None:
    cut = replace(CUT, position=replace(POSITION, gtid="1-1-5,0-1-99"))
    database = replace(DATABASE, gtid="0-1-99,1-1-5", gtid_at_position="0-1-99, 1-1-5")
    assert judge("a copy", cut, [LEDGER], DISK, database).clean


def test_a_database_that_does_not_start_is_broken() -> None:
    judged = judge("a copy", CUT, [LEDGER], DISK, NoDatabase("no redo log"))
    assert broken(judged) == ["database"]


def test_a_cut_that_recorded_nothing_is_never_clean() -> None:
    cut = replace(CUT, position=None)
    judged = judge("a copy", cut, [LEDGER], DISK, replace(DATABASE, gtid_at_position=None))
    assert broken(judged) == []
    assert not judged.clean


ORPHANS = Run(1, "/d.img: Clearing orphaned inode 12 (uid=0, gid=0, mode=0100600, size=5)\n")
DAMAGE = "/d.img: Entry 'x' in / (2) has deleted/unused inode 13.  CLEARED.\n"


@pytest.mark.parametrize(
    ("file_system", "mark", "words"),
    [
        (PLAIN, Mark.PROVEN, "ends with 0"),
        (
            FileSystem(
                superblock="Filesystem features:      has_journal needs_recovery extent",
                check=Run(0, ""),
            ),
            Mark.BROKEN,
            "the journal needs replay",
        ),
        (
            FileSystem(
                superblock="",
                check=Run(0, "Warning: skipping journal recovery because doing a read-only"),
            ),
            Mark.BROKEN,
            "the journal needs replay",
        ),
        (
            FileSystem(superblock="", check=Run(4, ""), clearing=ORPHANS, check_after=Run(0, "")),
            Mark.PROVEN,
            "nothing but orphaned inodes: 1 ",
        ),
        (
            FileSystem(
                superblock="", check=Run(4, "bad"), clearing=ORPHANS, check_after=Run(4, "")
            ),
            Mark.BROKEN,
            "ends with 4: bad",
        ),
        (
            FileSystem(
                superblock="",
                check=Run(4, "bad"),
                clearing=Run(1, ORPHANS.output + DAMAGE),
                check_after=Run(0, ""),
            ),
            Mark.BROKEN,
            "ends with 4: bad",
        ),
        (FileSystem(superblock="", check=Run(8, "no superblock")), Mark.BROKEN, "no superblock"),
    ],
    ids=[
        "clean",
        "flag, though the check ends with 0",
        "skipped journal",
        "orphans",
        "orphans and more",
        "damage repaired with the orphans",
        "not a file system",
    ],
)
def test_a_file_system_is_clean_only_without_replay_and_damage(
    file_system: FileSystem, mark: Mark, words: str
) -> None:
    finding = judge_file_system(file_system)
    assert finding.mark is mark
    assert words in finding.sentence


def test_a_ledger_is_read_up_to_the_line_that_is_being_written(tmp_path: Path) -> None:
    file = tmp_path / WRITER.file_name
    pen = Pen(file)
    pen.connected(5)
    pen.sent(1, 10, "abc")
    pen.acknowledged(1, 20)
    pen.sent(2, 30, "def")
    pen.failed(2, 40, "gone\taway\n")
    with file.open("a") as torn:
        torn.write("sent\t3\t5")
    ledger = Reader(file).read()
    assert ledger.writer == WRITER
    assert ledger.sent == {1: Sent("abc", 10), 2: Sent("def", 30)}
    assert ledger.acknowledged == {1: 20}
    assert ledger.failures == [(40, "gone away")]


@pytest.mark.parametrize(
    ("times", "window", "pause"),
    [
        ([10, 20, 90, 100], (30, 80), (20, 90)),
        ([10, 20, 90, 100, 900], (30, 80), (20, 90)),
        ([10, 20], (15, 80), (20, 80)),
        ([70, 75], (10, 80), (10, 70)),
        ([], (10, 80), (10, 80)),
    ],
    ids=["spans it", "later ones don't count", "still standing", "not begun", "never heard of"],
)
def test_the_longest_pause_is_that_between_acknowledgements_about_a_window(
    times: list[int], window: tuple[int, int], pause: tuple[int, int]
) -> None:
    ledger = Ledger(writer=WRITER, acknowledged=dict(enumerate(times)))
    found = longest_pause(ledger, *window)
    assert (found.begun, found.ended) == pause


def test_a_verdict_ends_with_what_it_comes_to() -> None:
    for judged, words in (
        (verdict(), "Verdict: clean"),
        (verdict(gtid=""), "Verdict: not clean (broken: GTID)"),
    ):
        console = Console(width=120, file=StringIO())
        report.show(console, judged)
        assert _printed(console).splitlines()[-1] == words


XFS_LOG = """    log tail: 4456 head: 4460 state: <DIRTY>
LOG REC AT LSN cycle 1 block 4456 (0x1, 0x1168)
INO: cnt:2 total:2 a:0x55ef4b834d90 len:56 a:0x55ef4b846a10 len:176
	INODE: #regs:2   ino:0x22008c  flags:0x1   dsize:0
LOG REC AT LSN cycle 1 block 4458 (0x1, 0x116a)
BUF: cnt:2 total:2 a:0x55ef4b834ba0 len:24 a:0x55ef4b846b10 len:384
	BUF:  #regs:2   start blkno:0x0   len:1   bmap size:1   flags:0x9000
	SUPER Block Buffer:
"""


@pytest.mark.parametrize(
    ("written", "mark"),
    [(1 << 32 | 4456, Mark.PROVEN), (1 << 32 | 4455, Mark.BROKEN), (None, Mark.BROKEN)],
    ids=["on-disk", "older-on-disk", "not-told"],
)
def test_an_inode_in_the_log_of_xfs_needs_replay_unless_it_is_on_disk(
    written: int | None, mark: Mark
) -> None:
    file_system = FileSystem(
        kind="xfs",
        superblock=XFS_LOG,
        check=Run(1, ""),
        clearing=Run(0, ""),
        check_after=Run(0, ""),
        written={} if written is None else {0x22008C: written},
    )
    assert judge_file_system(file_system).mark is mark
