"""Converse with a freezer by hand, and freeze and thaw as somebody else would."""

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

from disksnapshot.inpod import freezer
from lab.local import Local
from lab.program import LocalSession


def hear(session: LocalSession, seconds: float = 10.0) -> dict[str, Any]:
    return dict(json.loads(session.read_line(time.monotonic() + seconds)))


def event(session: LocalSession, name: str) -> dict[str, Any]:
    heard = hear(session)
    assert heard["event"] == name, heard
    return heard


def refusal(session: LocalSession) -> tuple[str, str]:
    heard = event(session, "error")
    assert session.process.wait(5) == 1
    return heard["reason"], heard["message"]


def freeze(session: LocalSession, milliseconds: int = 20_000) -> None:
    event(session, "ready")
    session.send_line(f"freeze {milliseconds}")
    event(session, "frozen")


def thaw(session: LocalSession) -> dict[str, Any]:
    session.send_line("thaw")
    return event(session, "thawed")


def record_of(here: Local, mount: Path | None = None) -> Path:
    """Return the file in which freezes of a volume are claimed."""
    number = (mount or here.mount).stat().st_dev
    return here.records / f"{os.major(number)}:{os.minor(number)}"


def thaw_as_somebody_else(mount: Path) -> bool:
    root = os.open(mount, os.O_RDONLY)
    try:
        return freezer.try_thaw(root)
    finally:
        os.close(root)


def fsfreeze(option: str, mount: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["fsfreeze", option, str(mount)], check=False, capture_output=True, text=True
    )
