"""Tencent Cloud's own command line, installed as it comes, and told of an emulator and its CA."""

import fcntl
import hashlib
import os
import re
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from lab.cbs.caller import REGION
from lab.cbs.errors import StartError

# In this order: the second has a package without a wheel, which the first builds.
_LOCKS: Final = (
    Path(__file__).with_name("tccli-build.lock"),
    Path(__file__).with_name("tccli.lock"),
)
_INSTALL_SECONDS: Final = 300
_COMMAND_SECONDS: Final = 60
# Not compiled: nearly all of its files are of services that nobody asks for here.
_PIP: Final = (
    "install", "--quiet", "--disable-pip-version-check", "--no-compile", "--no-build-isolation",
    "--require-hashes", "--no-deps", "-r",
)  # fmt: skip
# The SDK reads its authorities from certifi alone; this one knows the lab's and no other.
_CERTIFI: Final = '''"""The authorities to trust: those of the lab."""

def where():
    return {ca_file!r}
'''


def installed(cache: Path) -> Path:
    """Return the program, installed on the first call into a folder named by what is locked."""
    versions = b"".join(lock.read_bytes() for lock in _LOCKS) + sys.version.encode()
    folder = cache / f"tccli-{hashlib.sha256(versions).hexdigest()[:12]}"
    cache.mkdir(parents=True, exist_ok=True)
    with _alone(folder.with_suffix(".lock")):
        complete = folder / ".complete"
        if not complete.exists():  # a half one, left by a crash, is made anew
            venv.create(folder, clear=True, with_pip=True)
            for lock in _LOCKS:
                _pip(folder, lock)
            complete.touch()
    return folder / "bin" / "tccli"


class Tccli:
    """The program with a home of its own, where its settings and its log lie."""

    def __init__(self, program: Path, home: Path, endpoint: str, ca_file: Path) -> None:
        self._program = program
        trust = home / "trust" / "certifi"
        trust.mkdir(parents=True)
        (trust / "__init__.py").write_text(_CERTIFI.format(ca_file=str(ca_file)))
        self._environment = {
            "HOME": str(home),
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(trust.parent),
            # The vendor's models warn of each key that they don't know.
            "PYTHONWARNINGS": "ignore",
        }
        self.run("configure", "set", "region", REGION, "output", "json", "cbs.endpoint", endpoint)

    def sign_with(self, secret_id: str, secret_key: str) -> None:
        """Give it a key, as its users do."""
        self.run("configure", "set", "secretId", secret_id, "secretKey", secret_key)

    def run(self, *words: str) -> tuple[int, str]:
        """Call it; returns its exit code and all that it said."""
        done = subprocess.run(
            [str(self._program), *words],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_COMMAND_SECONDS,
            check=False,
        )
        return done.returncode, done.stdout


class Names:
    """Name what differs from one session to the next: ids in their order, times, requests."""

    _FORMS: Final = re.compile(
        r"(?P<id>\b(?:snap|disk)-[0-9a-z]{8}\b)"
        r"|(?P<request>\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b)"
        r"|(?P<time>\b\d{4}-\d\d-\d\d(?: \d\d:\d\d:\d\d)?\b)"
    )

    def __init__(self) -> None:
        self._ids: dict[str, str] = {}

    def replaced(self, text: str) -> str:
        """Return the text with names in place of ids, requests and times."""
        return self._FORMS.sub(self._name, text)

    def known(self) -> dict[str, str]:
        """Return what the names stand for."""
        return {name: real for real, name in self._ids.items()}

    def _name(self, found: re.Match[str]) -> str:
        if found["id"] is None:
            return f"<{found.lastgroup}>"
        kind = found["id"].partition("-")[0]
        number = sum(known.startswith(kind) for known in self._ids) + 1
        return self._ids.setdefault(found["id"], f"<{kind}-{number}>")


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    """Let one at a time install; the kernel lets go when its process ends."""
    with file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _pip(folder: Path, lock: Path) -> None:
    done = subprocess.run(
        [str(folder / "bin" / "pip"), *_PIP, str(lock)],
        capture_output=True,
        text=True,
        timeout=_INSTALL_SECONDS,
        check=False,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["pip says nothing"]
        raise StartError(f"Tencent's command line can't be installed: {lines[-1]}")
