"""What a hold may cost, and whether it did: budgets of the design, in milliseconds. No I/O."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What many holds may come to; None where nothing is promised."""

    median: float | None = None
    worst: float | None = None

    def judge(self, *, median: float, worst: float) -> str:
        """Say of each bound whether it was kept."""
        pairs = (("median", self.median, median), ("worst", self.worst, worst))
        return ", ".join(
            f"{name} {bound:g} {'met' if found <= bound else 'MISSED'}"
            for name, bound, found in pairs
            if bound is not None
        )


OVERHEAD: Final = Budget(median=6, worst=30)
PAUSE: Final = Budget(worst=50)
NONE: Final = Budget()
