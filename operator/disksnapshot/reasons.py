"""The closed list of reasons, each with its remedy; the documentation is made from it."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why an object is in the state it is in."""

    PENDING = "Pending"
    PREPARING = "Preparing"
    HOLDING = "Holding"
    TAKEN = "Taken"
    CREATING = "Creating"
    READY = "Ready"
    SNAPSHOT_READY = "SnapshotReady"
    PROVEN = "Proven"
    RESUMED = "Resumed"
    NOT_HELD = "NotHeld"
    DELETING = "Deleting"
    DELETION_BLOCKED = "DeletionBlocked"
    CLAIM_NOT_FOUND = "ClaimNotFound"
    TOO_MANY_CLAIMS = "TooManyClaims"
    CLAIM_NOT_BOUND = "ClaimNotBound"
    NOT_A_CBS_VOLUME = "NotACbsVolume"
    DISK_UNUSABLE = "DiskUnusable"
    DISK_BUSY = "DiskBusy"
    POD_NOT_FOUND = "PodNotFound"
    POD_NOT_READY = "PodNotReady"
    AMBIGUOUS_POD = "AmbiguousPod"
    POD_ADDRESS_REFUSED = "PodAddressRefused"
    CONTAINER_NOT_FOUND = "ContainerNotFound"
    EXEC_FORBIDDEN = "ExecForbidden"
    NO_SHELL = "NoShell"
    NO_FSFREEZE = "NoFsfreeze"
    COMMAND_FAILED = "CommandFailed"
    FORBIDDEN = "Forbidden"
    SECRET_FORBIDDEN = "SecretForbidden"  # noqa: S105 - a reason, not a secret
    SECRET_NOT_FOUND = "SecretNotFound"  # noqa: S105 - the same
    SECRET_INCOMPLETE = "SecretIncomplete"  # noqa: S105 - the same
    MYSQL_UNREACHABLE = "MySQLUnreachable"
    MYSQL_ACCESS_DENIED = "MySQLAccessDenied"
    MYSQL_TLS_FAILED = "MySQLTLSFailed"
    TOO_MANY_CONNECTIONS = "TooManyConnections"
    LONG_STATEMENT = "LongStatement"
    LOCK_UNSUITABLE = "LockUnsuitable"
    LOCK_TIMEOUT = "LockTimeout"
    HOLD_BUSY = "HoldBusy"
    HOLD_LOST = "HoldLost"
    FLUSH_TOO_SLOW = "FlushTooSlow"
    FREEZE_REFUSED = "FreezeRefused"
    FREEZER_NOT_INSTALLED = "FreezerNotInstalled"
    NO_FREEZER_ON_NODE = "NoFreezerOnNode"
    CLOUD_ERROR = "CloudError"
    CLOUD_THROTTLED = "CloudThrottled"
    CLOUD_FORBIDDEN = "CloudForbidden"
    CREDENTIALS_REFUSED = "CredentialsRefused"
    SNAPSHOT_QUOTA_EXCEEDED = "SnapshotQuotaExceeded"
    ACCOUNT_IN_ARREARS = "AccountInArrears"
    OFFLINE = "Offline"
    OFFLINE_TIMEOUT = "OfflineTimeout"
    WORKLOAD_NOT_FOUND = "WorkloadNotFound"
    WORKLOAD_UNSUITABLE = "WorkloadUnsuitable"
    SCALE_FORBIDDEN = "ScaleForbidden"
    SCALE_CONTESTED = "ScaleContested"
    OUTCOME_UNKNOWN = "OutcomeUnknown"
    PROOF_FAILED = "ProofFailed"
    SNAPSHOT_LOST = "SnapshotLost"
    SPEC_INVALID = "SpecInvalid"
    EXPIRED = "Expired"
    GIVEN_UP = "GivenUp"
    PREVIOUS_EXISTS = "PreviousExists"
    ORPHANED = "Orphaned"


REMEDIES: dict[Reason, str] = {
    Reason.PENDING: "Nothing to do: the operator has not begun yet.",
    Reason.PREPARING: "Nothing to do: the operator looks up the claims, disks and pods.",
    Reason.HOLDING: "Nothing to do: writers are held for some milliseconds.",
    Reason.TAKEN: "Nothing to do: the cut is made, and the cloud has named the snapshot.",
    Reason.CREATING: "Nothing to do: writers go on; the cloud copies the data.",
    Reason.READY: "Nothing to do: the snapshot can be used.",
    Reason.SNAPSHOT_READY: "Nothing to do: the event says what the snapshot holds.",
    Reason.PROVEN: "Nothing to do: the hold was in force from before the cut until after it.",
    Reason.NOT_HELD: "Nothing to do: no writer was held, as spec.quiesce asks or allows.",
    Reason.RESUMED: "Nothing to do: writers go on.",
    Reason.DELETING: "Nothing to do: the operator deletes or settles what may exist in the cloud.",
    Reason.DELETION_BLOCKED: "Wait until the snapshot is complete, or unbind what uses it: the "
    "images made from it, accounts it is shared with, a lock. To let the object go and keep the "
    "snapshot: `kubectl annotate dsnap NAME disksnapshot.io/give-up=UID`, with the object's uid.",
    Reason.CLAIM_NOT_FOUND: "Create the claim, or a DiskSnapshot that names an existing one.",
    Reason.TOO_MANY_CLAIMS: "Narrow spec.source.claimSelector until 16 claims at most fit; others "
    "take another DiskSnapshot.",
    Reason.CLAIM_NOT_BOUND: "Wait until the claim is bound, or find out why it is not.",
    Reason.NOT_A_CBS_VOLUME: "Name a claim whose volume is one CBS disk of driver "
    "com.tencent.cloud.csi.cbs.",
    Reason.DISK_UNUSABLE: "Look at the disk in the console: it must exist in the operator's "
    "region, be paid for, and allow snapshots.",
    Reason.DISK_BUSY: "Wait until what the message names is over; the operator tries again. A "
    "disk that no pod mounts is detached by Kubernetes some seconds after its last pod.",
    Reason.POD_NOT_FOUND: "Start the pod that mounts the claims, leave the step out, or set "
    "spec.whenNotMounted to Snapshot.",
    Reason.POD_NOT_READY: "Wait until the database's pod, or the container that the step names, "
    "is ready, or find out why it is not.",
    Reason.AMBIGUOUS_POD: "Narrow mysql.target.podSelector until it matches one Ready pod.",
    Reason.POD_ADDRESS_REFUSED: "Run the database in a pod with an address of its own, without "
    "hostNetwork; its files can be frozen all the same, without a mysql step.",
    Reason.CONTAINER_NOT_FOUND: "Name in target.container a container that the pod has; it must, "
    "where the pod has several.",
    Reason.EXEC_FORBIDDEN: "Add the namespace to the chart's value `execNamespaces`, or bind a "
    "Role with get and create on pods/exec to the operator's service account.",
    Reason.NO_SHELL: "Name a container that has a POSIX shell `sh` and `sleep`: the guard runs "
    "there.",
    Reason.NO_FSFREEZE: "Name a container that has fsfreeze (util-linux or busybox), or use "
    "freeze.method Agent.",
    Reason.COMMAND_FAILED: "Run the acquire command by hand in that container: it must hold, and "
    "end with status 0 within timeoutSeconds.",
    Reason.FORBIDDEN: "Give the operator's service account the right that the message names; the "
    "chart's roles hold it.",
    Reason.SECRET_FORBIDDEN: "Add the namespace to the chart's value `namespaces`, or bind a Role "
    "with get on that Secret to the operator's service account.",
    Reason.SECRET_NOT_FOUND: "Create the Secret with the keys username and password, or with the "
    "key ca.crt where tls.caSecretRef names it.",
    Reason.SECRET_INCOMPLETE: "Give the Secret text under the key that the message names: "
    "username and password for a database, ca.crt for an authority.",
    Reason.MYSQL_UNREACHABLE: "Check that the database listens on the pod's address and port.",
    Reason.MYSQL_ACCESS_DENIED: "Correct the Secret's username or password, or run the GRANT that "
    "the message names; give the step a tls block if the account or server wants TLS.",
    Reason.MYSQL_TLS_FAILED: "Compare tls.caSecretRef and tls.serverName with the server's "
    "certificate; give the step a tls block if the server wants TLS, none if it has none.",
    Reason.TOO_MANY_CONNECTIONS: "Raise max_connections, or the account's own limit: a hold needs "
    "two sessions.",
    Reason.LONG_STATEMENT: "Let the statement end, or end the process that the message names; the "
    "operator tries again. mysql.longStatement says what counts as long.",
    Reason.LOCK_UNSUITABLE: "Choose another mysql.lock: the message says why this one can't serve "
    "here.",
    Reason.LOCK_TIMEOUT: "Look for long statements or DDL; the operator tries again.",
    Reason.HOLD_BUSY: "Nothing to do: another hold uses this database or disk.",
    Reason.HOLD_LOST: "Look at the freezer's and the operator's logs, and whether a pod was "
    "restarted.",
    Reason.FLUSH_TOO_SLOW: "Choose a time with fewer writes, or a faster disk.",
    Reason.FREEZE_REFUSED: "Read the message: the file system can't be frozen, or somebody else "
    "has frozen it.",
    Reason.FREEZER_NOT_INSTALLED: "Install the chart with freezer.enabled=true, or leave the step "
    "out.",
    Reason.NO_FREEZER_ON_NODE: "Let the freezer's DaemonSet run on that node (tolerations, node "
    "selector), and look at its pod.",
    Reason.CLOUD_ERROR: "Read the code in the message: it is Tencent Cloud's own.",
    Reason.CLOUD_THROTTLED: "Nothing to do: the operator asks more slowly. If it lasts, find out "
    "who else uses up the account's rate.",
    Reason.CLOUD_FORBIDDEN: "Allow the operator's account in CAM what the message names, such as "
    "cvm:CreateSnapshot.",
    Reason.CREDENTIALS_REFUSED: "Correct the account's keys in the operator's Secret; no restart "
    "is needed.",
    Reason.SNAPSHOT_QUOTA_EXCEEDED: "Delete snapshots in this region, or have its quota raised; "
    "no writer is held until there is room.",
    Reason.ACCOUNT_IN_ARREARS: "Pay what the Tencent Cloud account owes; no writer is held until "
    "then.",
    Reason.OFFLINE: "Nothing to do: the workload is at zero until its disks are cut. To end that "
    "at once, delete the DiskSnapshot, or run the command in status.offline.undo.",
    Reason.OFFLINE_TIMEOUT: "Find out what kept the pods or the disk, as the message says, or "
    "raise spec.offline.timeoutSeconds in a new DiskSnapshot; the workload is back.",
    Reason.WORKLOAD_NOT_FOUND: "Name in spec.offline.scaleTargetRef a workload of this namespace "
    "that exists, and goes on existing.",
    Reason.WORKLOAD_UNSUITABLE: "Name the workload whose pods mount the claims, all of them, and "
    "nobody else's do; it must keep its claims when it is scaled down.",
    Reason.SCALE_FORBIDDEN: "Add the namespace to the chart's value `scaleNamespaces`, or bind a "
    "Role as the chart's to the operator's service account.",
    Reason.SCALE_CONTESTED: "Have whatever scales the workload leave it alone meanwhile (pause "
    "its GitOps sync or autoscaler), and create a new DiskSnapshot.",
    Reason.OUTCOME_UNKNOWN: "Nothing to do: the operator looks for the snapshot until it can no "
    "longer appear, at most some minutes.",
    Reason.PROOF_FAILED: "Look at status.quiesce.reason: a hold was lost before the cut was sure.",
    Reason.SNAPSHOT_LOST: "Somebody, or a rule in the cloud, deleted it: create a new one.",
    Reason.SPEC_INVALID: "Correct the field that the message names in a new DiskSnapshot.",
    Reason.EXPIRED: "Nothing to do: spec.expireAfterSeconds is over. Create a new DiskSnapshot.",
    Reason.GIVEN_UP: "Look in the console for what the message names, and delete it there.",
    Reason.PREVIOUS_EXISTS: "Nothing must be done: an earlier object of this name left snapshots, "
    "which this one doesn't touch. Delete them in the console when nobody needs them.",
    Reason.ORPHANED: "Look at the snapshot in the console: no object stands for it any more. "
    "Delete it there when nobody needs it.",
}


def page() -> str:
    """Return the page of the documentation that lists all reasons."""
    rows = [f"| `{reason}` | {remedy} |" for reason, remedy in REMEDIES.items()]
    head = [
        "# Reasons",
        "",
        "Why a DiskSnapshot is in the state it is in, and what to do. `kubectl get dsnap` shows",
        "the reason under STATUS; each condition and each event carries one. The list is closed.",
        "",
        "| reason | what to do |",
        "|---|---|",
    ]
    return "\n".join([*head, *rows, ""])
