"""What a snapshot may be called, from what was proven while the hold covered the cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Verdict:
    """The three words of the status; empty ones are left out."""

    consistency: str
    file_system: str = ""
    application: str = ""


ADOPTED = Verdict("Unknown")


def verdict(proven: Sequence[str]) -> Verdict:
    """Return what may be said when exactly the steps of these kinds are proven, in their order.

    A lock protects tables, a freeze protects files; the table is in the documentation.
    """
    application = _application(proven)
    if "freeze" in proven:
        consistency = "FilesystemConsistent" if application == "None" else "ApplicationConsistent"
        return Verdict(consistency, "Clean", application)
    if _synced_under_lock(proven):
        return Verdict("ApplicationConsistent", "NeedsReplay", application)
    return Verdict("CrashConsistent", "NeedsReplay", application)


def _application(proven: Sequence[str]) -> str:
    # Told to end, each program ended by its own word before its disk was detached.
    if "mysql" in proven or "offline" in proven:
        return "Proven"
    # The exit status of a command whose meaning only its author knows.
    return "Claimed" if "exec" in proven else "None"


def _synced_under_lock(proven: Sequence[str]) -> bool:
    return "mysql" in proven and "sync" in proven[proven.index("mysql") :]
