"""The way to the cloud is broken (N9): its name, its address, or the certificate at its end."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import requests

from campaign import replies
from campaign.cases import READY, Case, of_policy
from campaign.deaths import recorded
from campaign.points import ALWAYS, Act, Fault
from campaign.replies import for_a_while
from disksnapshot.window.hold import HoldError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from campaign.replies import Meet
    from campaign.world import World

N9 = "N9, the way to the cloud"
# A window opens its connections before anything is held, and those that were closed meanwhile anew
# after the intent was written.
CONNECTS = {"window ready": "window ready", "window lock": "window lock"}
CALLS = ("Describe", "DeleteSnapshots", "window ready", "window lock")
LOOK_UP_SECONDS = 10.0  # more than the resolver's first try; it has no time-out of ours
WHILES = {"": 0.0, " for a minute": 60.0, " for an hour": 3600.0}
NO_NAME = "Failed to resolve 'cloud' ([Errno -2] Name or service not known)"
EXPIRED = "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired"
MISMATCH = "[SSL: CERTIFICATE_VERIFY_FAILED] Hostname mismatch, certificate is not valid for 'cloud'"


def _fails(kind: type[requests.RequestException], said: str, seconds: float = 0.0) -> Meet:
    return lambda world, name: None


