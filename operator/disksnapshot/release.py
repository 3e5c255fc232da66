"""Let go of all before an uninstall: no finalizer, no workload at zero, no snapshot deleted."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import time
from typing import TYPE_CHECKING, Any

from disksnapshot import logs
from disksnapshot.errors import Conflict, Forbidden, Gone, Problem, Unavailable
from disksnapshot.kube import api as kube_api
from disksnapshot.kube import workloads
from disksnapshot.kube.api import Invalid
from disksnapshot.kube.lease import Lease
from disksnapshot.kube.objects import Objects
from disksnapshot.naming import FINALIZER
from disksnapshot.snapshot import status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from disksnapshot.kube.api import Api

    Said = dict[tuple[str, str], list[str]]  # lines of each object, by its uid and name

HOLDER = "uninstall"
# Longer than Helm takes to delete the operator after this; and a new one needn't wait long.
SEIZED_SECONDS, RENEW_SECONDS = 30, 10.0
# The operator renews each 3 s and so notices; its windows let go at once, and it records.
STEPS_DOWN_SECONDS = 8.0
TRIES = 5

logger = logging.getLogger(__name__)


class Release:
    """Takes the Lease from the operator, so that it does nothing more, and the finalizers off."""

    def __init__(
        self, objects: Objects, lease: Lease, back: Callable[[Mapping[str, Any]], str],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:  # fmt: skip
        self._objects = objects
        self._lease = lease
        self._back = back
        self._sleep = sleep
        self._seized = 0.0

    def run(self) -> list[str]:
        """Let go of every object; return a line on each whose snapshots stay."""
        self._hold()
        self._sleep(STEPS_DOWN_SECONDS)
        said: Said = {}
        for _ in range(TRIES):
            # Also of what went with its finalizer, which a later pass doesn't see any more.
            lines, dropped = self._pass()
            said |= lines
            if not dropped:
                break
        self._lease.seize(SEIZED_SECONDS)
        return [line for lines in said.values() for line in lines]

    def _pass(self) -> tuple[Said, int]:
        """Let go of each object; return its lines, and how many finalizers were taken off.

        Until a pass finds none: what the operator had sent may be done after it stepped down.
        """
        said: Said = {}
        hindered, dropped = [], 0
        for body in self._every():
            self._hold()
            # First: without the finalizer a deletion would take along what is written of it.
            lines = [self._back(body), what_stays(body)]
            try:
                dropped += self._let_go(body)
            except (Conflict, Forbidden, Invalid) as error:  # one must not keep back all others
                hindered.append(str(error))
            metadata = body["metadata"]
            said[metadata["uid"], metadata["name"]] = [line for line in lines if line]
        if hindered:
            raise Conflict("; ".join(hindered))
        return said, dropped

    def _every(self) -> Iterator[Mapping[str, Any]]:
        try:
            yield from self._objects.every()
        except Gone as error:
            if self._has_kind():  # a page of a list that the API server remembers no more
                raise Unavailable(f"the list of objects broke off: {error}") from error
            # The definition was deleted before us, and every object with it.
            logger.info("no such kind is left in this cluster")

    def _has_kind(self) -> bool:
        try:
            self._objects.require_reachable()
        except Gone:
            return False
        return True

    def _hold(self) -> None:
        now = time.monotonic()
        if not self._seized or now - self._seized > RENEW_SECONDS:
            self._lease.seize(SEIZED_SECONDS)
            self._seized = now

    def _let_go(self, body: Mapping[str, Any]) -> bool:
        """Take the finalizer off; tell whether there was one."""
        metadata = body["metadata"]
        with contextlib.suppress(Gone):
            for _ in range(TRIES):
                if FINALIZER not in body["metadata"].get("finalizers", []):
                    return False
                try:
                    self._objects.drop_finalizer(body)
                except Conflict:
                    body = self._objects.read(metadata["namespace"], metadata["name"])
                else:
                    return True
            raise Conflict(f"{metadata['namespace']}/{metadata['name']}: others keep changing it")
        return False


def what_stays(body: Mapping[str, Any]) -> str:
    """Name what an object leaves in the cloud, or may leave; nothing if it leaves nothing."""
    metadata, done = body["metadata"], status.parse(body.get("status", {}))
    named = ", ".join(sorted(done.snapshots.values()))
    if not named and done.intent and done.intent.state == status.OPEN:
        disks = ", ".join(done.intent.disk_ids)
        named = f"a snapshot of {disks} that may still appear, attempt {done.intent.attempt}"
    return f"{metadata['namespace']}/{metadata['name']}: {named}" if named else ""


def scale_back(api: Api, body: Mapping[str, Any]) -> str:
    """Give a workload that is at zero for a snapshot its replicas back; say what was not done."""
    down, namespace = status.parse(body.get("status", {})).offline, body["metadata"]["namespace"]
    if down is None or down.over:
        return ""
    place = workloads.Place(namespace, down.kind, down.name)
    try:
        scale = workloads.scale(api, place)
        if scale.uid == down.uid and scale.replicas == 0:
            workloads.set_scale(api, place, down.replicas, scale.version)
    except Gone:
        return ""
    except (Conflict, Problem) as error:
        return f"{namespace}: {down.label} may be at zero ({error}); {down.undo(namespace)}"
    return ""


def main() -> int:
    """Let go, and list what stays; 1 if something is left to be done."""
    logs.set_up("INFO", os.environ.get("DISKSNAPSHOT_LOG_FORMAT", "text"))
    api, _ = kube_api.connect()
    lease = Lease(api, os.environ["DISKSNAPSHOT_LEASE_NAMESPACE"], HOLDER)
    try:
        said = Release(Objects(api), lease, lambda body: scale_back(api, body)).run()
    except (Conflict, Forbidden, Gone, Invalid, Unavailable) as error:
        logger.error("not all finalizers could be taken off: %s", error)  # noqa: TRY400 - the answer says all
        return 1
    logger.info(
        "no object has a finalizer of the operator any more; %d leave something", len(said)
    )
    for line in said:
        logger.info("stays: %s", line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
