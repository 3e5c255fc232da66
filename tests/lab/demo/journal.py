"""Judge a file system that nobody has mounted since the cut: does it need replay? No I/O.

Of ext4 the exit status of `e2fsck -fn` alone can't tell: it skips a journal that needs replay,
says so in a line, and may well end with 0. XFS is judged in `xfslog`.
"""

import re
from typing import Final

from lab.demo import xfslog
from lab.demo.facts import FileSystem, Run
from lab.demo.finding import Finding, Mark
from lab.disks.filesystem import XFS

_SUBJECT: Final = "file system"
_UNCORRECTED: Final = 4
_CORRECTED: Final = 1
_FEATURES: Final = re.compile(r"^Filesystem features:.*\bneeds_recovery\b", re.MULTILINE)
_SKIPPED: Final = "skipping journal recovery"
_ORPHAN: Final = re.compile(r"^Clearing orphaned inode \d+ ")
# Every line that `e2fsck -p` may print when it finds orphaned inodes and nothing else.
_HARMLESS: Final = (
    _ORPHAN,
    re.compile(r"^e2fsck [\d.]+ "),
    re.compile(r"^clean, \d+/\d+ files, \d+/\d+ blocks"),
    re.compile(r"^\d+/\d+ files \([\d.]+% non-contiguous\), \d+/\d+ blocks"),
    # The orphan file, where ext4 keeps the same list since Linux 5.15.
    re.compile(r"^primary superblock features different from backup, check forced"),
    re.compile(r"^Orphan file \(inode \d+\) block \d+ is not clean"),
    re.compile(r"^Feature orphan_present is set but orphan file is clean"),
    re.compile(r"^CLEARED"),
)


def needs_replay(file_system: FileSystem) -> bool:
    return bool(_FEATURES.search(file_system.superblock)) or _SKIPPED in file_system.check.output


def orphans(clearing: Run) -> int:
    """Count the deleted files that were still open at the cut."""
    return sum(bool(_ORPHAN.match(line)) for line in _lines(clearing))


def nothing_but_orphans(file_system: FileSystem) -> bool:
    clearing, after = file_system.clearing, file_system.check_after
    if file_system.check.status != _UNCORRECTED or clearing is None or after is None:
        return False
    return (
        clearing.status in {0, _CORRECTED}
        and orphans(clearing) > 0
        and all(_harmless(line) for line in _lines(clearing))
        and after.status == 0
    )


def judge_file_system(file_system: FileSystem) -> Finding:
    return (xfslog.judge if file_system.kind == XFS else _judge_ext4)(file_system)


def _judge_ext4(file_system: FileSystem) -> Finding:
    status = file_system.check.status
    if needs_replay(file_system):
        return Finding(
            Mark.BROKEN,
            _SUBJECT,
            f"the journal needs replay (e2fsck -fn skipped it, so its {status} says nothing)",
        )
    if status == 0:
        return Finding(Mark.PROVEN, _SUBJECT, "e2fsck -fn ends with 0, no journal to replay")
    if nothing_but_orphans(file_system):
        assert file_system.clearing
        return Finding(
            Mark.PROVEN,
            _SUBJECT,
            f"no journal to replay; e2fsck -fn ends with 4 for nothing but"
            f" orphaned inodes: {orphans(file_system.clearing)} (deleted, still open at the cut);"
            " with these cleared in a scratch copy it ends with 0",
        )
    return Finding(
        Mark.BROKEN, _SUBJECT, f"e2fsck -fn ends with {status}: {_first_words(file_system)}"
    )


def _harmless(line: str) -> bool:
    return any(pattern.match(line) for pattern in _HARMLESS)


def _lines(run: Run) -> list[str]:
    """Return what was said, without the file's name in front of each line."""
    lines = (re.sub(r"^/\S* ", "", line) for line in run.output.splitlines())
    return [line for line in lines if line.strip()]


def _first_words(file_system: FileSystem) -> str:
    said = [
        line for line in _lines(file_system.check) if not line.startswith(("Pass ", "e2fsck "))
    ]
    return "; ".join(said[:3])
