"""Count the calls of each action, and refuse those that come too fast."""

import threading
import time

from lab.cbs.errors import ApiError
from lab.cbs.settings import Settings

_OTHER_LIMIT = "DescribeDisks"


class Rates:
    """A token bucket an action: as many calls at once as a second allows, refilled evenly."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left: dict[str, tuple[float, float]] = {}  # tokens, and when they were counted

    def take(self, action: str, settings: Settings) -> None:
        """Use one call up, or refuse; a refused call uses up none."""
        limit = settings.calls_per_second
        if action == _OTHER_LIMIT:
            limit = settings.describe_disks_per_second
        if not limit:
            return
        now = time.monotonic()
        with self._lock:
            tokens, counted = self._left.get(action, (float(limit), now))
            tokens = min(float(limit), tokens + (now - counted) * limit)
            enough = tokens >= 1
            self._left[action] = (tokens - 1 if enough else tokens, now)
        if not enough:
            raise ApiError(
                "RequestLimitExceeded",
                f"Your current request times equals to `{limit + 1}` in a second, which exceeds "
                f"the frequency limit `{limit}` for a second. "
                "Please reduce the frequency of calls.",
            )
