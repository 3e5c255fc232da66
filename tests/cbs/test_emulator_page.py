"""The page on the emulated cloud names all that can be set and all that can go wrong."""

import json
import re
from pathlib import Path

import pytest

from lab.cbs.actions import CBS
from lab.cbs.faults import Kind
from lab.cbs.settings import Settings

PAGE = (Path(__file__).parents[2] / "docs" / "emulator.md").read_text()
ROWS = [line.strip("| ").split(" | ") for line in PAGE.splitlines() if line.startswith("| ")]


@pytest.mark.parametrize("name", Settings().document())
def test_each_setting_is_told_with_its_default(name: str) -> None:
    default = Settings().document()[name]
    shown = json.dumps(default).strip('"') or "empty"
    [row] = [row for row in ROWS if name in row[0].split(", ")]
    defaults = row[1].split(", ")
    position = row[0].split(", ").index(name) if len(defaults) > 1 else 0
    assert defaults[position] == shown


@pytest.mark.parametrize("kind", Kind)
def test_each_fault_is_told(kind: Kind) -> None:
    assert [row[0] for row in ROWS].count(kind) == 1


def test_each_action_is_told() -> None:
    assert set(CBS.actions) <= set(re.findall(r"\w+", PAGE))
