"""The Debian packages that the lab needs, installed without starting their services."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from lab.cluster.commands import run
from lab.cluster.progress import step

# Package -> a program of it. What is there already, from wherever, is left alone.
NEEDED: Final[Mapping[str, str]] = {
    "buildah": "buildah",
    "busybox": "busybox",
    "conntrack": "conntrack",
    "containerd": "containerd",
    "containernetworking-plugins": "/usr/lib/cni/bridge",
    "e2fsprogs": "mkfs.ext4",
    "faketime": "faketime",
    "iproute2": "ip",
    "iptables": "iptables",
    "kmod": "modprobe",
    "mariadb-client-core": "mariadb",
    "mariadb-server-core": "mariadbd",
    "mmdebstrap": "mmdebstrap",
    "mount": "losetup",
    "runc": "runc",
    "util-linux": "fsfreeze",
    "xfsprogs": "mkfs.xfs",
}
_SYSTEM_PATH: Final = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"
_POLICY: Final = Path("/usr/sbin/policy-rc.d")
_ASIDE: Final = Path("/usr/sbin/policy-rc.d.before-disksnapshot-lab")
_NO_SERVICE: Final = (
    "#!/bin/sh\n# disksnapshot-lab: no service starts while it installs packages\nexit 101\n"
)
_APT: Final = ("apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=2")
_INSTALL: Final = ("install", "--no-install-recommends")


def missing() -> list[str]:
    return [
        package
        for package, program in NEEDED.items()
        if not shutil.which(program, path=_SYSTEM_PATH)
    ]


def fetch() -> None:
    """Download what is missing, uninstalled; fails when the package servers can't be reached."""
    # Not every server of this machine must answer, only those that have our packages.
    run(*_APT, "-o", "Acquire::http::Timeout=20", "update", check=False, seconds=300)
    run(*_APT, *_INSTALL, "--download-only", *missing(), seconds=900)


def install() -> None:
    """Install what is missing; its services are not started."""
    names = missing()
    if not names:
        repair_policy()
        return
    with step(f"Installing {len(names)} Debian packages: {' '.join(names)}"), _services_kept():
        environment = {"DEBIAN_FRONTEND": "noninteractive"}
        run(*_APT, *_INSTALL, *names, seconds=900, environment=environment)


def repair_policy() -> None:
    """Undo what an installation left behind that was killed in the middle."""
    if _POLICY.exists() and _POLICY.read_text(errors="replace") == _NO_SERVICE:
        _POLICY.unlink()
    if _ASIDE.exists():
        _ASIDE.replace(_POLICY)


@contextmanager
def _services_kept() -> Iterator[None]:
    repair_policy()
    if _POLICY.exists():
        _POLICY.replace(_ASIDE)
    _POLICY.write_text(_NO_SERVICE)
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        repair_policy()
