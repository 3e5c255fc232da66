"""Bad input that is found in making ready, in holding, or in letting go."""

from typing import Final

from lab.refusals import moments
from lab.refusals.case import (
    CLOSED,
    FREEZE,
    GONE,
    UNKNOWN,
    Case,
    asking,
    at,
    command,
    freeze_in,
    mysql,
)

FREEZES: Final = (
    Case(
        "freeze-no-fsfreeze",
        "the container has no fsfreeze",
        asking("data-shelf", freeze_in("narrow")),
        "NoFsfreeze",
        "fsfreeze is missing",
    ),
    Case(
        "freeze-no-shell",
        "the container has no shell",
        asking("data-shelf", freeze_in("silent")),
        "NoShell",
        "container silent of pod shelf",
    ),
    Case(
        "freeze-no-right",
        "the container lacks the capability SYS_ADMIN",
        asking("data-shelf", freeze_in("app")),
        "FreezeRefused",
        "Operation not permitted",
    ),
    Case(
        "freeze-tmpfs",
        "the container has a tmpfs mounted over the claim",
        asking("data-shelf", freeze_in("tmpfs")),
        "FreezeRefused",
        "isn't on a disk",
    ),
    Case(
        "freeze-overlay",
        "the container has an overlay mounted over the claim",
        asking("data-shelf", freeze_in("overlay")),
        "FreezeRefused",
        "isn't on a disk",
    ),
    Case(
        "freeze-elsewhere",
        "the container doesn't mount the claim",
        asking("data-shelf", freeze_in("beside")),
        "ContainerNotFound",
        "container beside of pod shelf doesn't mount claim data-shelf",
    ),
    Case(
        "freeze-tmpfs-node",
        "something is mounted over the volume on its node",
        asking("data-covered", FREEZE),
        "FreezeRefused",
        "not supported",
        meanwhile=moments.covered,
    ),
    Case(
        "freeze-root",
        "the volume is unmounted, and its path leads to the node's root file system",
        asking("data-lost", FREEZE),
        "FreezeRefused",
        "is not the mount of a volume of its own",
        meanwhile=moments.unmounted,
    ),
    Case(
        "freeze-foreign",
        "somebody else has frozen the file system; it stays frozen",
        asking("data-frozen", FREEZE),
        "FreezeRefused",
        "somebody else has frozen",
        meanwhile=moments.frozen_by_others,
    ),
    Case(
        "flush-too-slow",
        "writing dirty pages out takes longer than 20 s",
        asking("data-slow", FREEZE),
        "FlushTooSlow",
        "dirty pages",
        meanwhile=moments.slow_disk,
    ),
    Case(
        "freezer-not-installed",
        "the freezer isn't installed",
        asking("data-shelf", FREEZE),
        "FreezerNotInstalled",
        "not installed",
        meanwhile=moments.without_freezer,
        alone=True,
    ),
    Case(
        "freezer-not-on-node",
        "no freezer runs on the pod's node",
        asking("data-shelf", FREEZE),
        "NoFreezerOnNode",
        "lab-node",
        meanwhile=moments.freezer_elsewhere,
        alone=True,
    ),
)

_MARKED: Final = ("rm", "-f", "/data/held")
_ENDLESS: Final = "trap '' TERM; while :; do sleep 1; done"

COMMANDS: Final = (
    Case(
        "exec-not-open",
        "the operator may run no commands in this namespace",
        asking("data-shut", command("true", **at("shut", "app"))),
        "ExecForbidden",
        "may not exec in container app of pod shut",
        namespace=CLOSED,
    ),
    Case(
        "acquire-missing",
        "acquire is no program of the container",
        asking("data-shelf", command("no-such-program")),
        "CommandFailed",
        "ended with status 127",
    ),
    Case(
        "acquire-fails",
        "acquire holds, but ends with 1",
        asking("data-shelf", command("sh", "-c", "echo 1 >/data/held; exit 1", release=_MARKED)),
        "CommandFailed",
        "ended with status 1 in container app of pod shelf",
    ),
    Case(
        "acquire-hangs",
        "acquire hangs",
        asking("data-shelf", command("sleep", "3600", timeoutSeconds=1)),
        "CommandFailed",
        "or took longer than 1 s",
    ),
    Case(
        "acquire-ignores-sigterm",
        "acquire hangs and ignores SIGTERM",
        asking("data-shelf", command("sh", "-c", _ENDLESS, timeoutSeconds=1)),
        "CommandFailed",
        "ended with status 137",
    ),
    Case(
        "acquire-prints-much",
        "acquire prints 1 GB and ends with 3",
        asking(
            "data-shelf",
            command("sh", "-c", "head -c 1G /dev/zero; exit 3", timeoutSeconds=20),
            maxHoldSeconds=60,
        ),
        "CommandFailed",
        "ended with status 3",
    ),
    Case(
        "acquire-prints-binary",
        "acquire prints binary and control characters and ends with 3",
        asking("data-shelf", command("sh", "-c", "head -c 64K /dev/urandom; exit 3")),
        "CommandFailed",
        "ended with status 3",
    ),
    Case(
        "release-fails",
        "release ends with 1: the cut is deleted again",
        asking("data-shelf", command("true", release=("false",))),
        "ProofFailed",
        "its snapshot",
        cuts=True,
    ),
    Case(
        "release-hangs",
        "release hangs: it is ended, and the cut deleted again",
        asking("data-shelf", command("true", release=("sleep", "3600"), timeoutSeconds=1)),
        "ProofFailed",
        "its snapshot",
        cuts=True,
    ),
)

_LATE: Final = asking("data-shelf", FREEZE, maxHoldSeconds=5, releaseWhen="Visible")

DEADLINES: Final = (
    Case(
        "deadline-lock",
        "the lock isn't granted: another session holds it",
        asking("data-orders", mysql()),
        "LockTimeout",
        meanwhile=moments.locked_by_others,
    ),
    Case(
        "deadline-reply",
        "the cloud neither answers nor lists its snapshot before the bound: what there is of it is"
        " called Unknown",
        _LATE,
        UNKNOWN,
        meanwhile=moments.late_reply,
        alone=True,
        cuts=True,
        left=1,
    ),
    Case(
        "deadline-listing",
        "the cloud answers, but lists its snapshot only after the bound: the answer is the sign",
        _LATE,
        "FilesystemConsistent",
        meanwhile=moments.late_listing,
        alone=True,
        cuts=True,
        left=1,
    ),
    Case(
        "deleted-at-once",
        "the object is deleted as soon as it is created",
        asking("data-frozen", FREEZE) | {"deletionPolicy": "Delete"},
        GONE,
        alone=True,
    ),
)
