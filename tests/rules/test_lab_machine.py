"""What the lab remembers of the machine: its settings before the first `up` changed any."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from lab.cluster import Lab, machine
from lab.demo.taken import NET
from lab.layout import Layout


def test_a_setting_that_differs_from_before_the_first_up_is_named(tmp_path: Path) -> None:
    layout = Layout(state=tmp_path / "state", cache=tmp_path / "cache")
    machine.note_first(layout)
    assert machine.changed(layout) == {}

    noted = json.loads(layout.first_picture.read_text())
    was, noted["vm/swappiness"] = noted["vm/swappiness"], "another"
    layout.first_picture.write_text(json.dumps(noted))
    machine.note_first(layout)  # a later `up` would only note what the first has changed

    assert machine.changed(layout) == {"vm/swappiness": ("another", was)}


def test_a_picture_is_not_taken_once_the_lab_has_changed_the_machine(tmp_path: Path) -> None:
    layout = Layout(state=tmp_path / "state", cache=tmp_path / "cache")
    layout.state.mkdir()
    layout.machine.write_text("{}")
    machine.note_first(layout)
    assert not layout.first_picture.exists()


def test_kubectl_may_wait_for_longer_than_a_test_asks_it_to(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given: list[float] = []

    def run(argv: Any, *, timeout: float, **_: Any) -> subprocess.CompletedProcess[str]:
        given.append(timeout)
        return subprocess.CompletedProcess(argv, 0, stdout="", stderr="")

    monkeypatch.setattr(subprocess, "run", run)
    lab = Lab(Layout(state=tmp_path / "state", cache=tmp_path / "cache"))
    lab.kubectl("wait", f"--timeout={NET}s")
    assert given[0] > NET
