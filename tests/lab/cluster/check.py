"""Say in one sentence what this machine lacks, before anything is changed."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from lab.cluster import builds, firewall, golang, packages
from lab.cluster.commands import run, succeeds
from lab.cluster.errors import LabError
from lab.layout import Layout

_GIB: Final = 1 << 30
# Measured, with some room: see the README for the figures of a cold and a warm run.
_COLD_BUILD: Final = 9 * _GIB
_IMAGES_AND_RUN: Final = 3 * _GIB
_MEMORY_TO_BUILD: Final = 4 * _GIB
_MEMORY_TO_RUN: Final = 2 * _GIB
_PLAIN_GO: Final = {"GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local", "GOWORK": "off"}


def machine(layout: Layout) -> None:
    """Fail with one sentence that names all that is missing."""
    lacks = [text for look in _LOOKS for text in look(layout)]
    if lacks:
        raise LabError(f"The lab can't run here: it needs {'; '.join(lacks)}.")


def _root(_layout: Layout) -> Iterator[str]:
    if os.geteuid() != 0:
        yield "root (it makes mounts, loop devices and network devices)"


def _debian(_layout: Layout) -> Iterator[str]:
    if packages.missing() and not shutil.which("apt-get"):
        yield f"these programs, or Debian's apt-get to install them: {packages.missing()}"


def _kernel(_layout: Layout) -> Iterator[str]:
    if not Path("/dev/loop-control").exists() and not succeeds("modprobe", "loop"):
        yield "loop devices (/dev/loop-control)"
    for name in ("overlay", "xfs", "ext4"):
        if not _knows_file_system(name):
            yield f"a kernel with the {name} file system"
    if not Path("/proc/sys/net/bridge").exists() and not succeeds("modprobe", "br_netfilter"):
        yield "a kernel with br_netfilter"


def _other_cluster(layout: Layout) -> Iterator[str]:
    # The note is written before the lab's own kube-proxy can make a chain.
    if not layout.machine.exists() and firewall.has_chains():
        yield "a machine that is no Kubernetes node (iptables has chains named KUBE-)"


def _space(layout: Layout) -> Iterator[str]:
    needed = _IMAGES_AND_RUN + (_COLD_BUILD if builds.missing(layout) else 0)
    for folder in (layout.cache, layout.state):
        free = shutil.disk_usage(_existing(folder)).free
        if free < needed:
            yield f"{needed // _GIB} GiB free for {folder} (there are {free / _GIB:.1f})"


def _memory(layout: Layout) -> Iterator[str]:
    needed = _MEMORY_TO_BUILD if builds.missing(layout) else _MEMORY_TO_RUN
    lines = Path("/proc/meminfo").read_text().splitlines()
    available = next(int(line.split()[1]) << 10 for line in lines if "MemAvailable" in line)
    if available < needed:
        yield f"{needed // _GIB} GiB of free memory (there are {available / _GIB:.1f})"


def _package_servers(_layout: Layout) -> Iterator[str]:
    if packages.missing() and shutil.which("apt-get") and os.geteuid() == 0:
        try:
            packages.fetch()
        except LabError as error:
            yield f"Debian's package servers, for {' '.join(packages.missing())} ({error})"


def _go_modules(layout: Layout) -> Iterator[str]:
    go = golang.installed() if builds.missing(layout) else None
    if go and not _go_answers(go):
        yield "the Go module proxy (`go list -m` got no answer; see GOPROXY)"


def _python_packages(layout: Layout) -> Iterator[str]:
    if builds.missing(layout) and not golang.can_be_had(layout):
        yield "Go 1.26, or PyPI to fetch it from"


_LOOKS: Final[tuple[Callable[[Layout], Iterator[str]], ...]] = (
    _root,
    _debian,
    _kernel,
    _space,
    _memory,
    _other_cluster,
    _package_servers,
    _go_modules,
    _python_packages,
)


def _knows_file_system(name: str) -> bool:
    listed = name in Path("/proc/filesystems").read_text().split()
    return listed or succeeds("modprobe", name)


def _go_answers(go: str) -> bool:
    # A version that the proxy must be asked for: the list is not kept in the module cache.
    try:
        run(go, "list", "-m", "-versions", "k8s.io/klog/v2", seconds=60, environment=_PLAIN_GO)
    except LabError:
        return False
    return True


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())
