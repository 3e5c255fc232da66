"""Thaw file systems in the end, whatever a hold or a test does to them."""

import subprocess
import sys
from pathlib import Path

# The independent thaw: a process of its own, with a descriptor of its own, that acts at the end of
# its input or at its deadline, and once more for a freeze that was still on its way.
THAW = """
import fcntl, os, select, sys, time
fds = [os.open(path, os.O_RDONLY) for path in sys.argv[2:]]
print("armed", flush=True)
select.select([0], [], [], float(sys.argv[1]))
for fd in fds * 2:
    try:
        fcntl.ioctl(fd, 0xC0045878, 0)
    except OSError:
        time.sleep(0.01)
"""
LONGEST_SECONDS = 40


class Thawer:
    """Processes that thaw file systems whatever becomes of who armed them."""

    def __init__(self) -> None:
        self._processes: list[subprocess.Popen[bytes]] = []

    def arm(self, *mounts: Path) -> None:
        argv = [sys.executable, "-I", "-c", THAW, str(LONGEST_SECONDS), *map(str, mounts)]
        armed = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._processes.append(armed)
        assert armed.stdout
        assert armed.stdout.readline() == b"armed\n"

    def act(self) -> None:
        while self._processes:
            self._processes.pop().communicate()
