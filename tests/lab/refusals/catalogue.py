"""Every bad input, and the reason of its own that each must end in."""

from collections.abc import Sequence
from typing import Final

from lab.refusals.case import Case
from lab.refusals.contests import CONTESTS
from lab.refusals.holds import COMMANDS, DEADLINES, FREEZES
from lab.refusals.lookups import CLAIMS, PODS, SECRETS
from lab.refusals.workloads import WORKLOADS

GROUPS: Final[dict[str, Sequence[Case]]] = {
    "Claims, volumes and disks": CLAIMS,
    "Pods and containers": PODS,
    "File systems": FREEZES,
    "Secrets and the way to the server": SECRETS,
    "Commands": COMMANDS,
    "Deadlines": DEADLINES,
    "Workloads at zero": WORKLOADS,
    "In use by others": CONTESTS,
}
CASES: Final = tuple(case for group in GROUPS.values() for case in group)
