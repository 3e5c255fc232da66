"""The file for `kubectl apply`, as the program in charts/ makes it."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import yaml

from lab.cluster import Lab

REPOSITORY: Final = Path(__file__).resolve().parents[2]
NEEDED: Final = ["--image=registry.test/team/disksnapshot:1.2", "--region=ap-guangzhou"]


def program() -> ModuleType:
    """Load the program from its file: charts/ is no package."""
    file = REPOSITORY / "charts" / "render_install.py"
    spec = importlib.util.spec_from_file_location("render_install", file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rendered(lab: Lab, *arguments: str, more: tuple[str, ...] = ()) -> str:
    made = program()
    helm = f"--helm={lab.binaries / 'helm'}"
    return str(made.render(made.parse([helm, *arguments]), "--kube-version=1.34.4", *more))


def objects(text: str) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(text) if document]
