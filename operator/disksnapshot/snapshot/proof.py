"""What a snapshot may be called, from what was proven while the hold covered the cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection


@dataclass(frozen=True, slots=True)
class Verdict:
    """The three words of the status; empty ones are left out."""

    consistency: str
    file_system: str = ""
    application: str = ""


ADOPTED = Verdict("Unknown")


def verdict(proven: Collection[str]) -> Verdict:
    """Return what may be said when exactly the steps of these kinds are proven.

    A lock protects tables, a freeze protects files; the table is in the documentation.
    """
    application = "Proven" if "mysql" in proven else "None"
    if "freeze" not in proven:
        return Verdict("CrashConsistent", "NeedsReplay", application)
    if "mysql" not in proven:
        return Verdict("FilesystemConsistent", "Clean", "None")
    return Verdict("ApplicationConsistent", "Clean", "Proven")
