"""Judge an XFS that nobody has mounted since the cut: does its log need replay? No I/O.

A frozen XFS never has an empty log. As the last act of a freeze the kernel logs the superblock on
purpose (xfs_fs_freeze in fs/xfs/xfs_super.c), so that whoever mounts a copy looks for files that
were deleted while open. In front of that the last inode may still lie which was logged before the
freeze: it was written back, but the log's tail moves on only with the next record. Each inode on
disk tells which record it was written after; recovery passes over what isn't newer, and so do we.
Any other item is metadata that isn't in its place yet, as in ext4's journal.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from lab.demo.facts import FileSystem
from lab.demo.finding import Finding, Mark

_SUBJECT: Final = "file system"
_CLEAN: Final = "state: <CLEAN>"
_DIRTY: Final = "state: <DIRTY>"
_RECORD: Final = re.compile(r"^LOG REC AT LSN cycle (\d+) block (\d+)")
# A line of xfs_logprint -t that begins an item, and those that say what it is.
_ITEM: Final = re.compile(r"^[A-Z]{2,}: +(?:cnt|#)")
_SUPERBLOCK: Final = re.compile(r"^\s*SUPER Block Buffer")
_INODE: Final = re.compile(r"^\s*INODE:.*\bino:(0x[0-9a-f]+)")
_OTHER: Final = -1


def logged(log: str) -> Iterator[tuple[int, int]]:
    """Return each item beside the superblock as inode (-1: none) and number of its record."""
    record, found = 0, None
    for line in log.splitlines():
        if at := _RECORD.match(line):
            record = int(at[1]) << 32 | int(at[2])
        elif _ITEM.match(line):
            if found:
                yield found
            found = (_OTHER, record)
        elif inode := _INODE.match(line):
            found = (int(inode[1], 16), record)
        elif _SUPERBLOCK.match(line):
            found = None
    if found:
        yield found


def out_of_place(log: str, written: Mapping[int, int]) -> int:
    """Count items that are newer than what is on disk; `written` tells the record of an inode."""
    return sum(written.get(inode, -1) < record for inode, record in logged(log))


def judge(file_system: FileSystem) -> Finding:
    log, after, mounting = file_system.superblock, file_system.check_after, file_system.clearing
    if _CLEAN not in log and _DIRTY not in log:
        return Finding(Mark.BROKEN, _SUBJECT, f"its log can't be read: {_last_words(log)}")
    if items := out_of_place(log, file_system.written):
        return Finding(
            Mark.BROKEN, _SUBJECT, f"the log needs replay: {items} items of it are not in place"
        )
    if not mounting or mounting.status:
        return Finding(Mark.BROKEN, _SUBJECT, f"can't be mounted: {mounting and mounting.output}")
    if not after or after.status:
        said = _last_words(after.output) if after else "nothing"
        return Finding(Mark.BROKEN, _SUBJECT, f"xfs_repair -n doesn't end with 0: {said}")
    return Finding(
        Mark.PROVEN,
        _SUBJECT,
        "nothing in the log that isn't in place, but the superblock, which a freeze leaves there;"
        " mounted once in a scratch copy, xfs_repair -n ends with 0",
    )


def _last_words(said: str) -> str:
    return "; ".join(said.strip().splitlines()[-3:])
