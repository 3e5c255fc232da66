"""Cut a disk by hand, with everything held and with nothing held: what the operator is judged by.

It uses nothing of the operator: a lock and a freeze from the command line, and a clone.
"""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lab.demo.facts import Cut, Position
from lab.disks.loop import clone

if TYPE_CHECKING:
    import pymysql

_SECONDS_TO_THAW: Final = 5


def cut_held(session: "pymysql.Connection[Any]", root: Path, disk: Path, copy: Path) -> Cut:
    """Clone the disk under the global read lock and a frozen file system."""
    with session.cursor() as cursor:
        begun = time.time_ns()
        cursor.execute("FLUSH TABLES WITH READ LOCK")
        with frozen(root):
            clone(disk, copy)
        cursor.execute("SHOW MASTER STATUS")
        [file, size, *_] = cursor.fetchone() or ("", 0)
        cursor.execute("SELECT @@gtid_binlog_pos")
        [gtid] = cursor.fetchone() or ("",)
        cursor.execute("UNLOCK TABLES")
    return Cut(begun=begun, ended=time.time_ns(), position=Position(file, size, gtid))


def cut_unheld(disk: Path, copy: Path) -> Cut:
    """Clone the disk while everybody writes."""
    begun = time.time_ns()
    clone(disk, copy)
    return Cut(begun=begun, ended=time.time_ns(), position=None)


@contextmanager
def frozen(root: Path) -> Iterator[None]:
    """Freeze a file system for as long as the context is open, and for 5 seconds at most.

    The process that thaws is there before the freeze. It acts at the end of its input, which
    also comes when we are killed, or when the time is up.
    """
    thaw = f'timeout {_SECONDS_TO_THAW} cat; exec fsfreeze --unfreeze "$0"'
    with subprocess.Popen(["sh", "-c", thaw, str(root)], stdin=subprocess.PIPE) as thawer:
        subprocess.run(["fsfreeze", "--freeze", str(root)], check=True)
        yield
        early = thawer.poll() is not None
    if early:
        raise TimeoutError(f"{root} was thawed before its time; the cut proves nothing.")
