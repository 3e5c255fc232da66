"""Kill the operator in the middle of a freeze, and see what is left: the last act."""

import json
import os
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from lab.cluster import Lab
from lab.cluster.errors import LabError
from lab.cluster.waiting import until
from lab.demo import stage, taken
from lab.demo.load import Load, Pause, longest_pause
from lab.demo.taken import Taken

_SELECTOR = "app.kubernetes.io/component=operator"


@dataclass(frozen=True, kw_only=True)
class Killed:
    """What was seen: times in ns, the writers' pauses, and the object at its end."""

    cut: int
    killed: int
    frozen: list[str]
    pauses: list[Pause]
    taken: Taken
    snapshots: list[dict[str, Any]]
    restarts: int


def kill_while_frozen(lab: Lab, database: stage.Database, load: Load, name: str) -> Killed:
    """Lose the reply to CreateSnapshot, so that the hold lasts, and SIGKILL the operator in it."""
    _, before = lab.cbs.calls()
    operator = next_operator_pid(lab)  # first: its pod then tells of the last restart
    restarts = _restarts(lab)
    lab.cbs.fault("CreateSnapshot", "ReplyLostAfterAct", times=1)
    try:
        body = stage.disk_snapshot(database, name)
        stage.apply(lab, body)
        call = lab.cbs.wait_call("CreateSnapshot", since=before, timeout=taken.NET)
        frozen = frozen_devices(lab)
        os.kill(operator, signal.SIGKILL)
        killed = time.time_ns()
    finally:
        lab.cbs.clear_faults()
    load.wait_for_rows(20, since=killed)
    pauses = [longest_pause(ledger, killed, time.time_ns()) for ledger in load.read()]
    end = taken.take(lab, body)
    # The kubelet tells of a restart some time after it.
    until(lambda: _restarts(lab) > restarts, "the operator's restart is told", seconds=30)
    return Killed(
        cut=int(call["time"] * 1e9),
        killed=killed,
        frozen=frozen,
        pauses=pauses,
        taken=end,
        snapshots=taken.in_the_cloud(lab, end.body["metadata"]["uid"]),
        restarts=_restarts(lab) - restarts,
    )


def frozen_devices(lab: Lab) -> list[str]:
    """Return the devices that a freezer of the node says are frozen now, as major:minor."""
    records = sorted(lab.layout.freezer.iterdir())
    return [record.name for record in records if record.stat().st_size]


def operator_pid(lab: Lab) -> int:
    """Return the operator's process on the node; LabError while there is none to be found."""
    return container_pid(lab, _operator(lab))


def next_operator_pid(lab: Lab) -> int:
    """Return it once there is one: the kubelet tells of a restart some time after it."""
    found: list[int] = []

    def runs() -> bool:
        with suppress(LabError, LookupError):
            found.append(operator_pid(lab))
        return bool(found)

    until(runs, "the operator's pod tells of a container that runs", seconds=taken.NET)
    return found[0]


def container_pid(lab: Lab, pod: Mapping[str, Any]) -> int:
    """Return a pod's process on the node: the first of its first container."""
    identity = pod["status"]["containerStatuses"][0]["containerID"]
    wanted = identity.removeprefix("containerd://")
    for line in lab.ctr("tasks", "ls").splitlines():
        words = line.split()
        if words and words[0] == wanted:
            return int(words[1])
    raise LabError(f"The container {wanted} has no process.")


def _restarts(lab: Lab) -> int:
    return int(_operator(lab)["status"]["containerStatuses"][0]["restartCount"])


def _operator(lab: Lab) -> dict[str, Any]:
    where = ("-n", stage.OPERATOR_NAMESPACE, "get", "pods", "-l", _SELECTOR, "-o", "json")
    items = json.loads(lab.kubectl(*where))["items"]
    running = [item for item in items if "deletionTimestamp" not in item["metadata"]]
    return dict(running[0])
