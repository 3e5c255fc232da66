"""Who dies, when, what is done about it, and what has to come of it."""

import os
import signal
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from lab.deaths import moments, programs
from lab.deaths.moments import Hold, Moment
from lab.deaths.scene import NAMESPACE, Scene
from lab.demo import stage
from lab.demo.kill import operator_pid

UNKNOWN: Final = "Unknown"  # the snapshot is there, and nothing is claimed of it
_NO_WAIT: Final = "--wait=false"
_FORCE: Final = ("--force", "--grace-period=0", _NO_WAIT)
_FREEZERS: Final = ("-n", stage.FREEZER_NAMESPACE, "delete", "pods", "--all")


def _unchanged(hold: Hold) -> Scene:
    return hold.scene


@dataclass(frozen=True, kw_only=True)
class Death:
    """One death. `mend` is what an administrator does after it; it returns what is there then."""

    key: str
    who: str
    moment: Moment
    when: str = "frozen"
    strike: Callable[[Hold], None]
    mend: Callable[[Hold], Scene] = _unchanged
    ends: Collection[str] = (UNKNOWN,)
    database_lives: bool = True
    writes: bool = True


def _kill_freezer(_: Hold) -> None:
    os.kill(programs.freezer(), signal.SIGKILL)


def _delete_freezer_pod(hold: Hold) -> None:
    hold.scene.lab.kubectl(*_FREEZERS, _NO_WAIT)


def _force_delete_freezer_pod(hold: Hold) -> None:
    hold.scene.lab.kubectl(*_FREEZERS, *_FORCE)


def _delete_freezer_and_database(hold: Hold) -> None:
    hold.scene.kubectl("delete", "pod", hold.scene.database.pod, _NO_WAIT)
    _delete_freezer_pod(hold)


def _force_delete_database(hold: Hold) -> None:
    # The window is stopped as well, so that the freeze lasts as long as any may.
    os.kill(hold.window, signal.SIGSTOP)
    hold.scene.kubectl("delete", "pod", hold.scene.database.pod, *_FORCE)


def _resume_and_restart(hold: Hold) -> Scene:
    _resume_window(hold)
    return _restart_database(hold)


def _restart_database(hold: Hold) -> Scene:
    scene = hold.scene
    return scene.with_database(stage.restart_database(scene.lab, scene.database))


def _kill_window(hold: Hold) -> None:
    os.kill(hold.window, signal.SIGKILL)


def _stop_window(hold: Hold) -> None:
    os.kill(hold.window, signal.SIGSTOP)


def _resume_window(hold: Hold) -> Scene:
    os.kill(hold.window, signal.SIGCONT)
    hold.undo()
    return hold.scene


def _kill_operator(hold: Hold) -> None:
    os.kill(operator_pid(hold.scene.lab), signal.SIGKILL)


def _killing(component: str) -> Callable[[Hold], None]:
    return lambda hold: hold.scene.lab.component(component).kill()


def _starting(component: str) -> Callable[[Hold], Scene]:
    def start(hold: Hold) -> Scene:
        hold.scene.lab.component(component).start()
        return hold.scene

    return start


def _uninstall(hold: Hold) -> None:
    where = ("--namespace", stage.OPERATOR_NAMESPACE)
    hold.scene.lab.helm("uninstall", stage.RELEASE, *where)


def _install(hold: Hold) -> Scene:
    stage.install_operator(hold.scene.lab, [NAMESPACE])
    return hold.scene


DEATHS: Final = (
    Death(
        key="freezer-killed",
        who="freezer program, SIGKILL",
        moment=moments.frozen,
        strike=_kill_freezer,
    ),
    Death(
        key="freezer-pod-deleted",
        who="freezer pod deleted",
        moment=moments.frozen,
        strike=_delete_freezer_pod,
    ),
    Death(
        key="freezer-pod-forced",
        who="freezer pod force-deleted",
        moment=moments.frozen,
        strike=_force_delete_freezer_pod,
    ),
    Death(
        key="freezer-and-database-deleted",
        who="freezer and database pod deleted together",
        moment=moments.frozen,
        strike=_delete_freezer_and_database,
        mend=_restart_database,
        database_lives=False,
    ),
    Death(
        key="database-deleted-idle",
        who="idle database pod force-deleted, window stopped",
        moment=moments.frozen_for_long,
        strike=_force_delete_database,
        mend=_resume_and_restart,
        database_lives=False,
        writes=False,
    ),
    Death(key="window-killed", who="window, SIGKILL", moment=moments.frozen, strike=_kill_window),
    Death(
        key="window-stopped-pending",
        who="window, SIGSTOP",
        moment=moments.lock_pending,
        when="lock pending",
        strike=_stop_window,
        mend=_resume_window,
        ends=("LockTimeout",),
    ),
    Death(
        key="window-stopped-locked",
        who="window, SIGSTOP",
        moment=moments.locked,
        when="locked",
        strike=_stop_window,
        mend=_resume_window,
        ends=("LockTimeout", "MySQLUnreachable"),
    ),
    Death(
        key="window-stopped-frozen",
        who="window, SIGSTOP",
        moment=moments.frozen,
        strike=_stop_window,
        mend=_resume_window,
    ),
    Death(
        key="window-stopped-thawed",
        who="window, SIGSTOP",
        moment=moments.thawed,
        when="thawed, not unlocked",
        strike=_stop_window,
        mend=_resume_window,
        ends=("ProofFailed",),
    ),
    Death(
        key="operator-killed",
        who="operator, SIGKILL",
        moment=moments.frozen,
        strike=_kill_operator,
    ),
    Death(
        key="apiserver-killed",
        who="API server, SIGKILL",
        moment=moments.frozen,
        strike=_killing("kube-apiserver"),
        mend=_starting("kube-apiserver"),
    ),
    Death(
        key="kubelet-killed",
        who="kubelet, SIGKILL",
        moment=moments.frozen,
        strike=_killing("kubelet"),
        mend=_starting("kubelet"),
    ),
    Death(
        key="containerd-killed",
        who="containerd, SIGKILL",
        moment=moments.frozen,
        strike=_killing("containerd"),
        mend=_starting("containerd"),
    ),
    Death(
        key="uninstalled",
        who="operator and freezer uninstalled by Helm",
        moment=moments.frozen,
        strike=_uninstall,
        mend=_install,
    ),
)


def death(key: str) -> Death:
    """Return a death by its key."""
    return next(one for one in DEATHS if one.key == key)
