"""Root file systems of Debian packages, built once and kept as tar files."""

import hashlib
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lab.cluster import mounts
from lab.cluster.commands import run
from lab.cluster.progress import step

_STABLE: Final = "bookworm"
_UNNEEDED: Final = (
    "/usr/share/doc/*",
    "/usr/share/man/*",
    "/usr/share/locale/*",
    "/usr/share/info/*",
)
_SECONDS_TO_BUILD: Final = 1800.0
# Outside the cache, which may lie where apt's own unprivileged user can't pass.
_WORKSHOP: Final = Path(tempfile.gettempdir(), "disksnapshot-lab-rootfs")
_PASSABLE: Final = 0o755


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """The packages of a root file system, and what is removed from it at the end."""

    name: str
    packages: tuple[str, ...]
    removed: tuple[str, ...] = ()
    suite: str = _STABLE
    apt_options: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Change whenever the recipe does."""
        said = repr((self.suite, self.packages, self.removed, _UNNEEDED))
        return hashlib.sha256(said.encode()).hexdigest()[:12]

    def command(self, target: Path) -> list[str]:
        """The call of mmdebstrap that writes the tar file."""
        shell = [f'rm -rf "$1"{path}' for path in (*self.removed, "/var/lib/apt/lists/*")]
        return [
            "mmdebstrap",
            "--mode=root",
            "--variant=minbase",
            "--format=tar",
            f"--include={','.join(self.packages)}",
            *[f"--dpkgopt=path-exclude={path}" for path in _UNNEEDED],
            *[f"--aptopt={option}" for option in self.apt_options],
            *[f"--customize-hook={line}" for line in shell],
            self.suite,
            str(target),
        ]


MARIADB: Final = Recipe(
    name="mariadb",
    packages=("mariadb-server", "busybox", "util-linux"),
    # The package makes databases of its own; ours are made on the pod's disk.
    removed=("/var/lib/mysql/*",),
)
MYSQL: Final = Recipe(
    name="mysql",
    # Debian has MySQL in its unstable suite alone; the server says which version it came to.
    suite="sid",
    packages=("mysql-server", "busybox", "util-linux"),
    removed=("/var/lib/mysql/*",),
    # A mirror's copy of that suite may be older than its own date of expiry.
    apt_options=('Acquire::Check-Valid-Until "false"',),
)
PYTHON: Final = Recipe(name="python", packages=("python3", "python3-venv", "ca-certificates"))


def ensure(recipe: Recipe, folder: Path) -> Path:
    """Return the tar file of the root file system, built if the folder has none yet."""
    target = folder / f"{recipe.name}-{recipe.suite}-{recipe.key}.tar"
    if target.exists():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    # Named otherwise until it is whole: a crash in here leaves no half-made file behind.
    unfinished = folder / f".{target.name}"
    with step(f"Building the root file system {recipe.name} from Debian packages"):
        _clear_workshop()
        _WORKSHOP.mkdir(mode=_PASSABLE)
        environment = {"TMPDIR": str(_WORKSHOP)}
        run(*recipe.command(unfinished), seconds=_SECONDS_TO_BUILD, environment=environment)
        _clear_workshop()
    unfinished.rename(target)
    return target


def _clear_workshop() -> None:
    """Remove what a build that was killed left: half a gigabyte, maybe with mounts in it."""
    mounts.undo(_WORKSHOP)
    shutil.rmtree(_WORKSHOP, ignore_errors=True)
