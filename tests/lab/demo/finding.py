"""One sentence on a copy, with what it means for the verdict."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class Mark(StrEnum):
    """Whether a claim held."""

    PROVEN = "proven"
    BROKEN = "broken"
    UNPROVEN = "not proven"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, and what was found."""

    mark: Mark
    subject: str
    sentence: str

    @classmethod
    def of(cls, subject: str, broken: str, proven: str) -> Self:
        """Make the finding that a sentence on damage leads to: none means proven."""
        if broken:
            return cls(Mark.BROKEN, subject, broken)
        return cls(Mark.PROVEN, subject, proven)
