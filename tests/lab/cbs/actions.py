"""The table of actions: what each takes, and what it does; and the services that have them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lab.cbs import disk_actions, disk_changes, snapshot_actions
from lab.cbs.cloud import Cloud
from lab.cbs.parameters import Structure


@dataclass(frozen=True, slots=True)
class Action:
    """One action of the API."""

    takes: Structure
    act: Callable[[Cloud, dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """One service of the cloud, at one version."""

    service: str  # as it stands in signatures
    version: str
    actions: Mapping[str, Action]
    unsigned: frozenset[str] = frozenset()  # actions that bring a proof of their own
    unlogged: frozenset[str] = frozenset()  # parameters that no log may show


_CBS_ACTIONS: Mapping[str, Action] = {
    "DescribeDisks": Action(disk_actions.DESCRIBE, disk_actions.describe),
    "CreateDisks": Action(disk_actions.CREATE, disk_actions.create),
    "AttachDisks": Action(disk_changes.ATTACH, disk_changes.attach),
    "DetachDisks": Action(disk_changes.DETACH, disk_changes.detach),
    "TerminateDisks": Action(disk_changes.TERMINATE, disk_changes.terminate),
    "CreateSnapshot": Action(snapshot_actions.CREATE, snapshot_actions.create),
    "DescribeSnapshots": Action(snapshot_actions.DESCRIBE, snapshot_actions.describe),
    "DeleteSnapshots": Action(snapshot_actions.DELETE, snapshot_actions.delete),
    "ModifySnapshotAttribute": Action(snapshot_actions.MODIFY, snapshot_actions.modify),
    "DescribeSnapshotOverview": Action(snapshot_actions.OVERVIEW, snapshot_actions.overview),
}
CBS = Api(service="cbs", version="2017-03-12", actions=_CBS_ACTIONS)
