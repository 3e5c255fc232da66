"""Judge an XFS that nobody has mounted since the cut: what is in its log? No I/O.

A frozen XFS never has an empty log. As the last act of a freeze the kernel logs the superblock on
purpose (xfs_fs_freeze in fs/xfs/xfs_super.c), so that whoever mounts a copy looks for files that
were deleted while open. That replay changes nothing else; any other item in the log is metadata
that isn't in its place yet, as in ext4's journal.
"""

import re
from typing import Final

from lab.demo.facts import FileSystem
from lab.demo.finding import Finding, Mark

_SUBJECT: Final = "file system"
_CLEAN: Final = "state: <CLEAN>"
_DIRTY: Final = "state: <DIRTY>"
# A line of xfs_logprint -t that begins an item: INODE:, EFI:, BUF: and so on.
_ITEM: Final = re.compile(r"^([A-Z]{2,}): +(?:cnt|#)", re.MULTILINE)
_SUPERBLOCK: Final = re.compile(r"^\s*SUPER Block Buffer", re.MULTILINE)


def foreign_items(log: str) -> int:
    """Count what the log holds beside the superblock."""
    return len(_ITEM.findall(log)) - len(_SUPERBLOCK.findall(log))


def judge(file_system: FileSystem) -> Finding:
    log, after, mounting = file_system.superblock, file_system.check_after, file_system.clearing
    if _CLEAN not in log and _DIRTY not in log:
        return Finding(Mark.BROKEN, _SUBJECT, f"its log can't be read: {_last_words(log)}")
    if items := foreign_items(log):
        return Finding(
            Mark.BROKEN,
            _SUBJECT,
            f"the log needs replay: {items} items of it beside the superblock",
        )
    if not mounting or mounting.status:
        return Finding(Mark.BROKEN, _SUBJECT, f"can't be mounted: {mounting and mounting.output}")
    if not after or after.status:
        said = _last_words(after.output) if after else "nothing"
        return Finding(Mark.BROKEN, _SUBJECT, f"xfs_repair -n doesn't end with 0: {said}")
    return Finding(
        Mark.PROVEN,
        _SUBJECT,
        "nothing in the log but the superblock, which a freeze leaves there; mounted once in a"
        " scratch copy, xfs_repair -n ends with 0",
    )


def _last_words(said: str) -> str:
    return "; ".join(said.strip().splitlines()[-3:])
