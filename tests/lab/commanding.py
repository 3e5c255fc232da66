"""Holds by commands alone: those of the example, run on this machine instead of in a pod."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from disksnapshot.window.hold import CommandOrder, CommandTarget, FreezeTarget, SyncOrder
from lab.demo.bycommands import example
from lab.local import Local
from lab.program import LocalProgram

_FOR_MYSQL: Final = {
    "BACKUP STAGE START; BACKUP STAGE BLOCK_COMMIT": "FLUSH TABLES WITH READ LOCK",
    "SHOW MASTER STATUS; SELECT @@gtid_binlog_pos": (
        "SHOW BINARY LOG STATUS; SELECT @@global.gtid_executed"
    ),
}


def lock_by_command(here: Local, folder: Path) -> CommandOrder:
    """Return the example's exec step, against the local server; /tmp becomes `folder`.

    For MySQL it is changed as its users would have to.
    """
    step = example()["spec"]["quiesce"]["steps"][0]["exec"]
    environment = [
        "env",
        f"MARIADB_ROOT_PASSWORD={here.database.password}",
        f"MYSQL_TCP_PORT={here.database.port}",
    ]

    def words(said: list[str]) -> list[str]:
        spoken = _FOR_MYSQL if here.database.programs.name == "mysql" else {}
        changes = {"/tmp/": f"{folder}/", **spoken}  # noqa: S108 - the example's
        for old, new in changes.items():
            said = [word.replace(old, new) for word in said]
        return [*environment, *said]

    return commands(words(step["acquire"]), words(step["release"]), seconds=step["timeoutSeconds"])


def commands(acquire: list[str], release: list[str], *, seconds: int = 1) -> CommandOrder:
    """Return an exec step of two commands."""
    return CommandOrder(
        name="0-exec", kind="exec", targets=(_target(acquire, release),), seconds=seconds
    )


def freeze_by_command(*mounts: Path, shell: Sequence[str] = ("sh",)) -> CommandOrder:
    """Return a freeze step of method Exec, a target for each mount, by the shell's fsfreeze."""
    fsfreeze = ["busybox", "fsfreeze"] if shell[0] == "busybox" else ["fsfreeze"]
    targets = [
        _target([*fsfreeze, "--freeze", str(mount)], [*fsfreeze, "--unfreeze", str(mount)], shell)
        for mount in mounts
    ]
    return CommandOrder(name="1-freeze", kind="freeze", targets=tuple(targets), seconds=1)


def sync_by_freezer(here: Local, name: str) -> SyncOrder:
    """Return a sync step of method Agent."""
    target = FreezeTarget(program=LocalProgram(), argv=tuple(here.syncer()))
    return SyncOrder(name=name, targets=(target,))


def _target(
    acquire: list[str], release: list[str], shell: Sequence[str] = ("sh",)
) -> CommandTarget:
    return CommandTarget(
        program=LocalProgram(tuple(shell)),
        where="container db of pod orders",
        acquire=tuple(acquire),
        release=tuple(release),
    )
