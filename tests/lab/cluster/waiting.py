"""Wait for a condition, never for a number of seconds."""

import time
from collections.abc import Callable

from lab.cluster.errors import LabError

_PAUSE_SECONDS = 0.05


def until(condition: Callable[[], bool], what: str, *, seconds: float = 60) -> None:
    """Return as soon as the condition holds; fail with `what` when it never did."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise LabError(f"{what}: still not so after {seconds:.0f} seconds.")
        time.sleep(_PAUSE_SECONDS)
