"""A hold cut into phases, and drawn to scale in a terminal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from rich.console import Group, RenderableType
from rich.text import Text

_COLUMNS = 96
_NANOSECONDS = 1_000_000


class Owner(StrEnum):
    """Whom writers wait for in a phase."""

    LOCK = "lock"
    FREEZE = "freeze"
    CLOUD = "cloud"
    RELEASE = "release"


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """One stretch of a hold, in ms since the lock was sent."""

    words: str
    owner: Owner
    begin: float
    end: float

    @property
    def milliseconds(self) -> float:
        return self.end - self.begin


# What ends a phase (as the status names it), its words, and whom it belongs to.
_PHASES = (
    ("locked", "lock", Owner.LOCK),
    ("frozen", "freeze", Owner.FREEZE),
    ("cutSent", "send", Owner.CLOUD),
    ("reply", "CreateSnapshot", Owner.CLOUD),
    ("visible", "until listed", Owner.CLOUD),
    ("thawed", "thaw", Owner.FREEZE),
    ("proven", "prove", Owner.RELEASE),
    ("unlocked", "unlock", Owner.RELEASE),
)
_STYLES = {
    Owner.LOCK: ("▓", "magenta"),
    Owner.FREEZE: ("█", "blue"),
    Owner.CLOUD: ("░", "yellow"),
    Owner.RELEASE: ("▒", "green"),
}


def phases(events: Mapping[str, int]) -> list[Phase]:
    """Cut a hold at its moments; one that never came has no phase."""
    zero = events["lockSent"]
    moments = [(zero, "", Owner.LOCK)]
    moments += [(events[name], words, owner) for name, words, owner in _PHASES if name in events]
    moments.sort(key=lambda moment: moment[0])
    return [
        Phase(
            words=words,
            owner=owner,
            begin=(one - zero) / _NANOSECONDS,
            end=(other - zero) / _NANOSECONDS,
        )
        for (one, _, _), (other, words, owner) in pairwise(moments)
    ]


def drawn(events: Mapping[str, int]) -> RenderableType:
    """Draw a hold to scale: one line for all of it, one for what is left without the cloud."""
    cut = phases(events)
    without = [phase for phase in cut if phase.owner is not Owner.CLOUD]
    return Group(
        Text(f"to scale, {_span(cut):,.1f} ms:"),
        _bar(cut),
        Text(f"without the cloud, {_span(without):,.1f} ms:"),
        _bar(without),
        _legend(cut),
    )


def _span(cut: Sequence[Phase]) -> float:
    return sum(phase.milliseconds for phase in cut)


def _bar(cut: Sequence[Phase]) -> Text:
    bar, span, reached, done = Text(), _span(cut), 0.0, 0
    for phase in cut:
        reached += phase.milliseconds
        # Rounded at its end, not by its length: else many short phases would add up to a lie.
        until = round(_COLUMNS * reached / span)
        letter, style = _STYLES[phase.owner]
        bar.append(letter * (until - done), style=style)
        done = until
    return bar


def _legend(cut: Sequence[Phase]) -> Text:
    legend = Text()
    for phase in cut:
        letter, style = _STYLES[phase.owner]
        legend.append(f"{letter} ", style=style)
        legend.append(f"{phase.words} {phase.milliseconds:,.2f}   ")
    return legend
