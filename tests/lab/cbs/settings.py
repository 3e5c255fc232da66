"""How the emulated cloud behaves; what can be changed while it runs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Delays hold for what is created or deleted after they are set.

    The control port names them in camel case, as the API does: creationMilliseconds. A default
    is what documents say; where they are silent or disagree, what our reading of them says.
    """

    visibility_delay_milliseconds: int = 50
    creation_milliseconds: int = 3000
    deletion_milliseconds: int = 500
    attach_milliseconds: int = (
        1000  # for AttachDisks and DetachDisks; the control port's are instant
    )
    reply_delay_milliseconds: int = 0
    # A cloud that answers first and cuts so much later; 0: it cuts before it answers.
    cut_delay_milliseconds: int = 0
    # In that cloud, a snapshot is listed from its reply on and not only from its cut.
    visible_before_cut: bool = False
    clock_offset_seconds: int = 0

    # Calls of each action in a second, and of DescribeDisks; 0: no limit. Documented: 20 and 100.
    calls_per_second: int = 0
    describe_disks_per_second: int = 0
    # Snapshots in the region: so many, and so many more for each disk; both 0: no limit.
    # Documented: 64 and 64; another page says 64 for each disk, which disk_quota is.
    quota: int = 0
    quota_per_disk: int = 0
    disk_quota: int = 0
    quota_gib: int = 0  # of the sizes of all snapshots; 0: no limit
    quota_code: str = "InsufficientSnapshotQuota"
    free_gib: int = 80  # not billed; another page says 50
    in_arrears: bool = False

    fuzzy_names: bool = False
    newest_first: bool = True  # unless an Order is asked for
    zone_filter: bool = False  # of DescribeSnapshots: samples have it, the list of filters doesn't
    max_filters: int = 10
    max_filter_values: int = 5  # but for ids; the platform's usual limits
    unknown_parameters: bool = False  # taken and ignored, instead of UnknownParameter
    tags_stick: bool = True  # those of CreateSnapshot
    busy_code: str = "InvalidDisk.SnapshotCreating"  # for a second creation on one disk
    newer_keys: bool = False  # IsLocked and others, which answers often lack
    deadline_when_permanent: bool = False  # as one sample has it
    instance_id_lists: bool = True  # filled, as in recorded answers; else only for shared disks
    time_zone_hours: int = 8  # of naive times

    # How long a temporary key is good; 0: as long as was asked for, two hours by default.
    session_seconds: int = 0
    # The token that STS accepts, or the file that holds it; without both, any that hasn't expired.
    web_identity_token: str = ""
    web_identity_file: str = ""
    role_name: str = "lab-role"  # of the machine, at the metadata address; empty: it has none

    def changed(self, wanted: Mapping[str, Any]) -> Self:
        """Return settings with these values in place, or raise ValueError."""
        known = {_camel(entry.name): entry.name for entry in fields(self)}
        changes = {}
        for name, value in wanted.items():
            if name not in known:
                raise ValueError(f"There is no setting {name}; there are {', '.join(known)}.")
            expected = type(getattr(self, known[name]))
            if type(value) is not expected:
                raise ValueError(f"{name} takes a value of type {expected.__name__}.")
            changes[known[name]] = value
        return replace(self, **changes)

    def document(self) -> dict[str, Any]:
        """Show every setting under its name on the control port."""
        return {_camel(entry.name): getattr(self, entry.name) for entry in fields(self)}


def _camel(name: str) -> str:
    return re.sub(r"_(\w)", lambda found: found[1].upper(), name)
