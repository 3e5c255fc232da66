"""Input that is right, and can't be had because of what others do at the same time."""

from typing import Final

from lab.refusals import rivals
from lab.refusals.case import Case, asking, at, claims, command, mysql
from lab.refusals.workloads import offline

CONTESTS: Final = (
    Case(
        "sessions-all-taken",
        "the server gives out no more sessions",
        asking("data-orders", mysql()),
        "TooManyConnections",
        meanwhile=rivals.all_sessions_taken,
        alone=True,
    ),
    Case(
        "statement-long",
        "a statement writes for longer than is waited for it",
        asking(
            "data-orders",
            mysql(lock="Tables", longStatement={"thresholdSeconds": 1, "waitSeconds": 1}),
        ),
        "LongStatement",
        "has been running its UPDATE statement",
        meanwhile=rivals.long_write,
        alone=True,
    ),
    Case(
        "server-held",
        "another hold has the server",
        asking("data-orders", mysql()),
        "HoldBusy",
        "another hold owns this database server",
        meanwhile=rivals.server_held,
        alone=True,
    ),
    Case(
        "container-ends",
        "the container of the command ends in the hold",
        asking("data-brief", command("sh", "-c", "kill 1; sleep 9", **at("brief", "app"))),
        "HoldLost",
        "the session with container app of pod brief is lost",
    ),
    Case(
        "disk-being-copied",
        "the cloud still copies another snapshot of the disk",
        claims("data-covered"),
        "DiskBusy",
        "CREATING",
        meanwhile=rivals.being_copied,
        alone=True,
    ),
    Case(
        "workload-scaled-back",
        "somebody scales the workload up while it is at zero",
        offline("data-contested", "contested"),
        "ScaleContested",
        meanwhile=rivals.scaled_back,
    ),
    Case(
        "workload-never-at-zero",
        "a pod of the workload doesn't end in time: it comes back without a snapshot",
        offline("data-deaf", "deaf", timeoutSeconds=30),
        "OfflineTimeout",
        "pod deaf-0",
    ),
)
