"""Walk a variant once a run, and keep what the tests ask of it instead of all its states."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from model.decisions import Decision, decisions
from model.exploring import Broken, Explorer
from model.variants import HOLDING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """What one walk to the fixed point has shown."""

    states: int
    fired: Mapping[str, int]
    broken: Broken | None
    decisions: frozenset[Decision]


@cache
def walk(name: str) -> Walk:
    """Walk one of the variants that hold."""
    protocol = HOLDING[name]
    explored = Explorer(protocol).explore()
    return Walk(
        states=len(explored.states),
        fired=explored.fired,
        broken=explored.broken,
        decisions=frozenset(decisions(explored.states)),
    )
