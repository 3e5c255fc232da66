"""Say when the cut was, from when things happened and what the copy holds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from disksnapshot.probecut.counter import Found


class Place(StrEnum):
    """Where the cut lies."""

    BEFORE_REPLY = "before the reply"
    AT_REPLY = "at the reply"
    AFTER_REPLY = "after the reply, before the snapshot was listed"
    AFTER_LISTED = "after the snapshot was listed"
    AFTER_WRITING = "after the last write"


ADVICE = {
    Place.BEFORE_REPLY: "releaseWhen: Accepted was long enough here; Visible is safe too.",
    Place.AT_REPLY: "releaseWhen: Visible (the default) is right; Accepted is too close to call.",
    Place.AFTER_REPLY: "releaseWhen: Visible (the default) is needed; Accepted lets go too early.",
    Place.AFTER_LISTED: "No releaseWhen holds long enough: what the operator calls proven would "
    "not be, in this region. Please report this.",
    Place.AFTER_WRITING: "The cut came later than the probe looked: run it again with a greater "
    "--write-seconds.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """When things happened, in nanoseconds of one clock. Listed between two look-ups."""

    sent: int
    reply: int
    listed_after: int
    listed_by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one run has shown; times in milliseconds after the reply, negative before it."""

    place: Place
    cut_from: float
    cut_to: float | None
    missing: int
    request: float
    listed_after: float
    listed_by: float
    signature_past: int | None = None
    signature_future: int | None = None
    clock_seconds: float | None = None

    def document(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "cut": self.place.name,
            "cutMillisecondsAfterReply": [self.cut_from, self.cut_to],
            "isOnePointInTime": self.missing == 0,
            "replyMillisecondsAfterRequest": self.request,
            "listedMillisecondsAfterReply": [self.listed_after, self.listed_by],
            "signatureSecondsPast": self.signature_past,
            "signatureSecondsFuture": self.signature_future,
            "clockSecondsAheadOfCloud": self.clock_seconds,
        }

    def lines(self) -> list[str]:
        """Return it for people."""
        to = "later" if self.cut_to is None else f"{self.cut_to:+.1f}"
        lines = [
            f"cut          {self.place}: {self.cut_from:+.1f} to {to} ms from the reply",
            f"reply        {self.request:.1f} ms after the request was sent",
            f"listed       {self.listed_after:+.1f} to {self.listed_by:+.1f} ms from the reply",
        ]
        if self.missing:
            lines.append(
                f"NOT ONE POINT IN TIME: {self.missing} earlier writes are missing in the copy"
            )
        if self.signature_past is not None:
            lines.append(
                f"signature    taken up to {self.signature_past} s after its time stamp, and "
                f"{self.signature_future} s before it"
            )
        if self.clock_seconds is not None:
            lines.append(
                f"clock        this machine's is {self.clock_seconds:+.1f} s off the cloud's"
            )
        return [*lines, "", ADVICE[self.place]]


def judged(
    moments: Moments, began: Sequence[int], ended: Sequence[int], copy: Found, **more: Any
) -> Report:
    """Place the cut: not before the greatest number was sent, nor after the next was written.

    Numbers are written one after the other, so the cut lies between these two.
    """
    after = copy.greatest + 1
    earliest = began[copy.greatest]
    latest = ended[after] if after < len(ended) else None
    return Report(
        place=_place(moments, earliest, latest),
        cut_from=_milliseconds(earliest - moments.reply),
        cut_to=None if latest is None else _milliseconds(latest - moments.reply),
        missing=copy.missing,
        request=_milliseconds(moments.reply - moments.sent),
        listed_after=_milliseconds(moments.listed_after - moments.reply),
        listed_by=_milliseconds(moments.listed_by - moments.reply),
        **more,
    )


def _place(moments: Moments, earliest: int, latest: int | None) -> Place:
    if latest is None:
        return Place.AFTER_WRITING
    if latest <= moments.reply:
        return Place.BEFORE_REPLY
    if earliest < moments.reply:
        return Place.AT_REPLY
    # In doubt it is the worse of the two.
    return Place.AFTER_REPLY if latest <= moments.listed_by else Place.AFTER_LISTED


def _milliseconds(nanoseconds: int) -> float:
    return round(nanoseconds / 1e6, 1)
