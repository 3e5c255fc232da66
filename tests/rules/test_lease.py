"""The Lease: one holder at a time, by the holder's own clock and the others'."""

import copy
import socket
import threading
import time
from collections.abc import Mapping
from typing import Any, Self

from kubernetes import client

from disksnapshot.errors import Conflict, Forbidden, Gone, Unavailable
from disksnapshot.kube.api import Api
from disksnapshot.kube.lease import CALL_SECONDS, Lease

TAKEN_OVER_SECONDS = 15


class Server:
    """An API server with one Lease; `fail` is raised by every call while it is set."""

    def __init__(self) -> None:
        self.stored: dict[str, Any] | None = None
        self.fail: Exception | None = None
        self.version = 0

    def limited(self, _seconds: float) -> Self:
        return self

    def get(self, path: str) -> dict[str, Any]:
        self._call()
        if self.stored is None:
            raise Gone(path)
        return copy.deepcopy(self.stored)

    def create(self, _path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        self._call()
        if self.stored is not None:
            raise Conflict("it exists already")
        return self._keep({**body, "metadata": {"uid": "u"}})

    def patch(self, path: str, change: Any, _content_type: str) -> dict[str, Any]:
        self._call()
        if self.stored is None:
            raise Gone(path)
        if change["metadata"]["resourceVersion"] != self.stored["metadata"]["resourceVersion"]:
            raise Conflict("it was changed")
        return self._keep({**self.stored, "spec": self.stored["spec"] | change["spec"]})

    def steal(self, holder: str) -> None:
        assert self.stored is not None
        self._keep({**self.stored, "spec": self.stored["spec"] | {"holderIdentity": holder}})

    @property
    def holder(self) -> str:
        assert self.stored is not None
        return str(self.stored["spec"]["holderIdentity"])

    def _keep(self, body: dict[str, Any]) -> dict[str, Any]:
        self.version += 1
        metadata = body["metadata"] | {"resourceVersion": str(self.version)}
        self.stored = body | {"metadata": metadata}
        return copy.deepcopy(self.stored)

    def _call(self) -> None:
        if self.fail:
            raise self.fail


class Cluster:
    """Some who want the Lease, on one clock, each keeping it when it said it would."""

    def __init__(self, *names: str) -> None:
        self.server = Server()
        self.now = 1000.0
        self.leases = {name: self.joined(name) for name in names}
        self.next = dict.fromkeys(names, 0.0)

    def joined(self, name: str) -> Lease:
        return Lease(self.server, "system", name, lambda: self.now)  # type: ignore[arg-type]  # the part of it that is used

    def pass_time(self, seconds: float, *but: str) -> None:
        """Let time pass for all; those named do nothing meanwhile."""
        for _ in range(round(seconds * 10)):
            self.now += 0.1
            for name, lease in self.leases.items():
                if name not in but and self.now >= self.next[name]:
                    self.next[name] = self.now + lease.keep()
            assert len(self.holders) <= 1, f"two at once: {self.holders}"

    @property
    def holders(self) -> list[str]:
        return [name for name, lease in self.leases.items() if lease.held()]


def test_of_two_one_holds_it_and_goes_on_holding_it() -> None:
    cluster = Cluster("a", "b")
    for _ in range(60):
        cluster.pass_time(1)
        assert cluster.holders == ["a"]


def test_a_standby_takes_over_from_one_that_died_within_fifteen_seconds() -> None:
    cluster = Cluster("a", "b")
    cluster.pass_time(5)
    cluster.pass_time(TAKEN_OVER_SECONDS, "a")
    assert cluster.holders == ["b"]
    cluster.pass_time(30)  # the dead one comes back
    assert cluster.holders == ["b"]


def test_what_is_given_back_is_taken_at_once() -> None:
    cluster = Cluster("a", "b")
    cluster.pass_time(5)
    cluster.leases["a"].release()
    assert cluster.holders == []
    cluster.pass_time(1.1, "a")
    assert cluster.holders == ["b"]


def test_a_container_that_is_restarted_in_its_pod_need_not_wait_for_itself() -> None:
    cluster = Cluster("a", "b")
    cluster.pass_time(5)
    cluster.leases["a"], cluster.next["a"] = cluster.joined("a"), cluster.now
    cluster.pass_time(0.2)
    assert cluster.holders == ["a"]


def test_a_holder_that_reaches_nobody_gives_up_before_another_may_take_it() -> None:
    cluster = Cluster("a", "b")
    cluster.pass_time(5)
    cluster.server.fail = Unavailable("no route")
    cluster.pass_time(5)
    assert cluster.holders == ["a"], "an outage shorter than the Lease costs nothing"
    cluster.pass_time(5)
    assert cluster.holders == []
    cluster.server.fail = None
    cluster.pass_time(2)
    assert len(cluster.holders) == 1


def test_a_holder_that_was_paused_knows_at_once_that_its_time_is_over() -> None:
    cluster = Cluster("a", "b")
    cluster.pass_time(5)
    cluster.now += 60
    assert cluster.holders == []


def test_a_lease_that_somebody_took_away_is_let_go_at_the_next_renewal() -> None:
    cluster = Cluster("a")
    cluster.pass_time(5)
    cluster.server.steal("a person")
    cluster.pass_time(4)
    assert cluster.holders == []
    assert cluster.server.holder == "a person"
    cluster.pass_time(12)
    assert cluster.holders == ["a"], "nobody renewed it, so it is free again"


def test_a_lease_that_somebody_deleted_is_made_anew_by_one() -> None:
    cluster = Cluster("a", "b")
    cluster.pass_time(5)
    cluster.server.stored = None
    # The standby may make it before its holder notices: then two believe, for one renewal.
    cluster.pass_time(4, "b")
    assert cluster.holders == ["a"]
    assert cluster.server.holder == "a"


def test_who_seizes_it_has_it_for_so_long_whoever_held_it() -> None:
    cluster = Cluster("a", "b")
    cluster.pass_time(5)
    cluster.joined("uninstall").seize(30)
    cluster.pass_time(4)
    assert cluster.holders == []
    cluster.pass_time(25)
    assert cluster.holders == []
    cluster.pass_time(5)
    assert len(cluster.holders) == 1


class Renewed(Server):
    """A server at which the holder renews its Lease just before another one takes it away."""

    def patch(self, path: str, change: Any, content_type: str) -> dict[str, Any]:
        if self.version == 1:
            self.steal("a")
        return super().patch(path, change, content_type)


def test_a_renewal_in_between_keeps_nobody_from_seizing_it() -> None:
    server: Any = Renewed()  # the part of an API that is used
    server.create("", {"spec": {"holderIdentity": "a"}})
    Lease(server, "system", "uninstall").seize(30)
    assert server.holder == "uninstall"


def test_an_edit_of_its_labels_by_others_costs_nothing() -> None:
    cluster = Cluster("a", "b")
    cluster.pass_time(5)
    cluster.server.steal("a")
    cluster.pass_time(20)
    assert cluster.holders == ["a"]


def test_without_the_right_to_it_nobody_works() -> None:
    cluster = Cluster("a")
    cluster.server.fail = Forbidden("leases is forbidden")
    cluster.pass_time(30)
    assert cluster.holders == []


def test_an_api_server_that_accepts_and_never_answers_costs_no_more_than_one_call() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        taken: list[socket.socket] = []
        accepting = threading.Thread(target=lambda: taken.append(silent.accept()[0]), daemon=True)
        accepting.start()
        port = silent.getsockname()[1]
        lease = Lease(Api(client.Configuration(host=f"http://127.0.0.1:{port}")), "system", "a")
        began = time.monotonic()
        lease.keep()
        assert CALL_SECONDS * 0.9 <= time.monotonic() - began < CALL_SECONDS * 2
        assert not lease.held()
        accepting.join()
        taken[0].close()


def test_who_has_given_it_back_does_not_take_it_again() -> None:
    cluster = Cluster("a")
    cluster.pass_time(5)
    lease = cluster.leases["a"]
    lease.release()
    lease.keep()  # by a thread that had begun its turn before
    assert cluster.server.holder == ""
    assert not lease.held()
