"""The operator's builds: the true one, and bad ones that a budget must catch."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

_TESTS: Final = Path(__file__).parents[2]
_OPERATOR: Final = _TESTS.parent / "operator"
_BROKEN: Final = _TESTS / "broken"
_SECONDS: Final = 240


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """A source tree of the operator."""

    name: str
    tree: Path

    @classmethod
    def true(cls) -> Self:
        return cls(name="this build", tree=_OPERATOR)

    @classmethod
    def broken(cls, name: str, folder: Path) -> Self:
        """Copy the tree and break the copy; the operator itself has no hook for this."""
        tree = folder / name
        shutil.copytree(_OPERATOR, tree, ignore=shutil.ignore_patterns("__pycache__"))
        patch = (_BROKEN / f"{name}.patch").read_bytes()
        argv = ["patch", "--strip=2", "--fuzz=0", f"--directory={tree}"]
        done = subprocess.run(argv, input=patch, capture_output=True, check=False)
        if done.returncode:
            said = (done.stdout + done.stderr).decode()
            raise RuntimeError(f"{name}.patch no longer fits the code, renew it: {said}")
        return cls(name=name, tree=tree)

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {"PYTHONPATH": f"{self.tree}{os.pathsep}{_TESTS}"}

    def measured(self, program: str, *arguments: str) -> dict[str, Any]:
        """Run one of the programs on this build and return what it measured."""
        argv = [sys.executable, "-m", f"lab.bench.{program}", *arguments]
        done = subprocess.run(
            argv,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{program} could not measure {self.name}: {done.stderr[-2000:]}")
        return dict(json.loads(done.stdout))
