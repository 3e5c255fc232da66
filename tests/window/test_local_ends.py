"""A database on a disk of this machine is taken away whole, whatever else starts meanwhile."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from lab.cluster import mounts
from lab.disks.loop import devices_below
from lab.local import local


@contextmanager
def a_container_that_starts() -> Iterator[None]:
    """Copy all mounts, as every container's runtime does first, and keep them."""
    argv = ["unshare", "--mount", "--propagation=slave", "sh", "-c", "echo; exec sleep 60"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        try:
            yield
        finally:
            process.kill()


def test_a_container_that_starts_meanwhile_does_not_keep_the_disk_in_use(tmp_path: Path) -> None:
    with ExitStack() as later:
        with local(tmp_path):
            later.enter_context(a_container_that_starts())
        assert mounts.below(tmp_path) == []
        assert devices_below(tmp_path) == []
