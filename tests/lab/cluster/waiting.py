"""Wait for a condition, never for a number of seconds."""

import time
from collections.abc import Callable, Sequence

from lab.cluster.errors import LabError

_SHORTEST, _LONGEST = 0.05, 0.5  # seconds
_PART = 0.05  # of what has been waited: each question may cost a process, such as kubectl


def until(
    condition: Callable[[], bool], what: str, *, seconds: float = 60, instead: Sequence[str] = ()
) -> None:
    """Return as soon as the condition holds; fail with `what` when it never did.

    `instead` is what the condition saw; it is read when the time is over, and told with it.
    """
    began = time.monotonic()
    while not condition():
        waited = time.monotonic() - began
        if waited > seconds:
            told = "".join(f"\n  {line}" for line in instead)
            raise LabError(f"{what}: still not so after {seconds:.0f} seconds.{told}")
        time.sleep(min(max(waited * _PART, _SHORTEST), _LONGEST))
