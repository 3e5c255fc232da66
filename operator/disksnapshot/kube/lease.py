"""One operator at work: its Lease, renewed while it lives, and taken by another when it isn't."""

from __future__ import annotations

import logging
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from disksnapshot.errors import Conflict, Forbidden, Gone, Unavailable
from disksnapshot.kube.api import MERGE, Api, Invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

NAME = "disksnapshot-operator"  # whatever the release's name: of two releases only one shall work
CALL_SECONDS = 3.0
DURATION_SECONDS = 10
# Its holder stops so long before another may take it: time in which its windows let go.
MARGIN_SECONDS = 2.0
RENEW_SECONDS, LOOK_SECONDS = 3.0, 1.0
RELEASE_SECONDS = 1.0
SEIZE_TRIES = 5

logger = logging.getLogger(__name__)


class Lease:
    """The Lease, seen by one of those who want it.

    Only the own monotonic clock counts. It is ours from the moment that a renewal was *sent*,
    and another's until it has been seen unchanged for its whole duration: so two clocks that
    run apart, and an answer that takes long, never make two holders.
    """

    def __init__(
        self, api: Api, namespace: str, identity: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        # Calls of its own, short: what hangs elsewhere must not cost the Lease.
        self._api = api.limited(CALL_SECONDS)
        self._quick = api.limited(RELEASE_SECONDS)
        self._folder = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
        self._identity = identity
        self._clock = clock
        self._seen: Mapping[str, Any] | None = None
        self._unchanged_since = 0.0
        self._until = 0.0
        self._lock = threading.Lock()  # one writer at a time
        self._given_back = False  # the last word: a renewal may wait for the lock just then

    def held(self) -> bool:
        """Tell whether it is ours now; needs no call, and ends by itself."""
        return self._clock() < self._until

    def keep(self) -> float:
        """Renew it, or take it when it is free; return the seconds until this is to be done again.

        A call that fails costs nothing yet: it is ours until the time is over.
        """
        try:
            with self._lock:
                if not self._given_back:
                    self._renew() if self.held() else self._try()
        except Conflict:
            self._seen = None  # somebody wrote in between: look who
        except (Forbidden, Gone, Invalid, Unavailable) as error:
            logger.warning("the Lease can't be kept: %s", error)
            return LOOK_SECONDS
        if not self.held():
            return LOOK_SECONDS
        return RENEW_SECONDS if self._seen else 0.0

    def release(self) -> None:
        """Give it back for good, so that nobody need wait for its end; else it ends by itself."""
        self._given_back = True
        if not self._lock.acquire(timeout=RELEASE_SECONDS):
            return  # a call hangs
        try:
            if self.held() and self._seen is not None:
                self._write(self._quick, self._seen, {"holderIdentity": "", "renewTime": _stamp()})
        except (Conflict, Forbidden, Gone, Invalid, Unavailable) as error:
            logger.info("the Lease ends by itself: %s", error)
        finally:
            self._until = 0.0
            self._lock.release()

    def seize(self, seconds: int) -> None:
        """Take it for so long, whoever holds it, who then lets go of everything within seconds.

        Raise what hinders it; not that its holder renews it in between.
        """
        with self._lock:
            for tries_left in reversed(range(SEIZE_TRIES)):
                try:
                    self._seen = self._take_away(seconds)
                except Conflict:
                    if not tries_left:
                        raise
                else:
                    return

    def _take_away(self, seconds: int) -> Mapping[str, Any]:
        try:
            found = self._api.get(f"{self._folder}/{NAME}")
        except Gone:
            found = self._api.create(self._folder, self._new())
        taken = self._taken(found["spec"]) | {"leaseDurationSeconds": seconds}
        return self._write(self._api, found, taken)

    def _renew(self) -> None:
        if self._seen is None:
            self._try()
            return
        asked = self._clock()
        try:
            self._note(self._write(self._api, self._seen, {"renewTime": _stamp()}))
        except Gone:  # deleted by somebody; another may make it anew before us
            self._seen = None
            return
        self._until = asked + DURATION_SECONDS - MARGIN_SECONDS

    def _try(self) -> None:
        asked = self._clock()
        try:
            found = self._api.get(f"{self._folder}/{NAME}")
        except Gone:
            self._note(self._api.create(self._folder, self._new()))
        else:
            self._note(found)
            if not self._is_free(found["spec"]):
                self._until = 0.0
                return
            self._note(self._write(self._api, found, self._taken(found["spec"])))
        self._until = asked + DURATION_SECONDS - MARGIN_SECONDS

    def _is_free(self, spec: Mapping[str, Any]) -> bool:
        holder = spec.get("holderIdentity")
        # Ours already: of this pod's container before it was restarted, which is surely dead.
        if not holder or holder == self._identity:
            return True
        unchanged = self._clock() - self._unchanged_since
        return unchanged >= int(spec.get("leaseDurationSeconds") or DURATION_SECONDS)

    def _note(self, lease: Mapping[str, Any]) -> None:
        version = lease["metadata"]["resourceVersion"]
        if self._seen is None or self._seen["metadata"]["resourceVersion"] != version:
            self._unchanged_since = self._clock()
        self._seen = lease

    def _write(self, api: Api, last: Mapping[str, Any], spec: Mapping[str, Any]) -> dict[str, Any]:
        metadata = {name: last["metadata"][name] for name in ("uid", "resourceVersion")}
        return api.patch(f"{self._folder}/{NAME}", {"metadata": metadata, "spec": spec}, MERGE)

    def _new(self) -> dict[str, Any]:
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": NAME},
            "spec": self._taken({}),
        }

    def _taken(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        """Return the spec of a Lease that changes hands, with its number of changes."""
        changes = int(spec.get("leaseTransitions") or 0)
        return {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": DURATION_SECONDS,
            "acquireTime": _stamp(),
            "renewTime": _stamp(),
            "leaseTransitions": changes + (spec.get("holderIdentity") != self._identity),
        }


class Alone:
    """No Lease at all: for an operator beside which none can run, as on a developer's machine."""

    def held(self) -> bool:
        """It is always at work."""
        return True

    def keep(self) -> float:
        """Nothing is to be kept."""
        return RENEW_SECONDS

    def release(self) -> None:
        """Nothing is to be given back."""


def _stamp() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
