"""What is wrong beyond the objects of a cluster: brought about for some cases, and undone."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lab.cluster.commands import run
from lab.cluster.errors import LabError
from lab.demo import stage
from lab.freezing import fsfreeze

if TYPE_CHECKING:
    from lab.refusals.scene import Scene

_LONGEST_FREEZE: Final = 200
# For the whole machine, but of one device alone: it is not yet any group's when it is written out.
_THROTTLE: Final = Path("/sys/fs/cgroup/blkio/blkio.throttle.write_bps_device")
_BYTES_A_SECOND: Final = 1_000_000
_DIRTY_BYTES: Final = 24_000_000
_BEYOND_THE_BOUND: Final = 9000  # milliseconds


@contextmanager
def covered(scene: "Scene") -> Iterator[None]:
    """Mount a tmpfs over the volume, where the node has it."""
    path = str(scene.volume("covered"))
    run("mount", "-t", "tmpfs", "covered", path)
    try:
        yield
    finally:
        run("umount", path)


@contextmanager
def unmounted(scene: "Scene") -> Iterator[None]:
    """Unmount the volume on the node, under its pod; the pod has a mount of its own."""
    path = scene.volume("lost")
    device = path.stat().st_dev
    run("umount", str(path))
    if path.stat().st_dev == device:
        raise LabError(f"{path} is still mounted, so that nothing would be shown.")
    yield


@contextmanager
def frozen_by_others(scene: "Scene") -> Iterator[None]:
    """Freeze as somebody else would; fail if it has been thawed meanwhile."""
    path = scene.volume("frozen")
    # Armed before the freeze: whatever happens to this program, writers go on.
    words = f"sleep {_LONGEST_FREEZE}; {shutil.which('fsfreeze')} --unfreeze {path}"
    with subprocess.Popen(["sh", "-c", words], stderr=subprocess.DEVNULL) as thaw:
        try:
            fsfreeze("--freeze", path).check_returncode()
            yield
        finally:
            still = fsfreeze("--unfreeze", path).returncode == 0
            thaw.kill()
    if not still:
        raise LabError("Somebody thawed a freeze that was not theirs.")


@contextmanager
def slow_disk(scene: "Scene") -> Iterator[None]:
    """Let a disk take its dirty pages very slowly, and give it many."""
    if not _THROTTLE.exists():
        raise LabError(f"A slow disk takes {_THROTTLE}, which this machine doesn't have.")
    path = scene.volume("slow")
    number = path.stat().st_dev
    device = f"{number >> 8}:{number & 0xFF}"
    _THROTTLE.write_text(f"{device} {_BYTES_A_SECOND}")
    try:
        (path / "dirty").write_bytes(b"x" * _DIRTY_BYTES)
        yield
    finally:
        _THROTTLE.write_text(f"{device} 0")
        run("sync", "--file-system", str(path))


@contextmanager
def locked_by_others(scene: "Scene") -> Iterator[None]:
    """Hold the database's lock in a session of somebody else."""
    with scene.database.connect() as session, session.cursor() as cursor:
        cursor.execute("BACKUP STAGE START")
        yield
        cursor.execute("BACKUP STAGE END")


@contextmanager
def late_listing(scene: "Scene") -> Iterator[None]:
    """Have the cloud list new snapshots only after the bound of any hold here."""
    scene.lab.cbs.settings(visibilityDelayMilliseconds=_BEYOND_THE_BOUND)
    try:
        yield
    finally:
        scene.lab.cbs.settings(visibilityDelayMilliseconds=50)


@contextmanager
def late_reply(scene: "Scene") -> Iterator[None]:
    """Have the cloud answer late as well."""
    scene.lab.cbs.fault("CreateSnapshot", "ReplyLate", milliseconds=_BEYOND_THE_BOUND)
    try:
        with late_listing(scene):
            yield
    finally:
        scene.lab.cbs.clear_faults()


@contextmanager
def without_freezer(scene: "Scene") -> Iterator[None]:
    """Have the operator installed without its freezer."""
    stage.install_operator(scene.lab, scene.open, freezer={"enabled": False})
    try:
        yield
    finally:
        stage.install_operator(scene.lab, scene.open)


@contextmanager
def freezer_elsewhere(scene: "Scene") -> Iterator[None]:
    """Let the freezer's pods fit no node."""
    nowhere = stage.freezer_values(scene.lab) | {"nodeSelector": {"nowhere": "true"}}
    stage.install_operator(scene.lab, scene.open, freezer=nowhere)
    try:
        yield
    finally:
        stage.install_operator(scene.lab, scene.open)
