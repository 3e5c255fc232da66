"""The API server in memory does what the operator relies on in a real one."""

from collections.abc import Callable

import pytest

from campaign import apicontract, situation, wire
from campaign.apiserver import ApiServer
from campaign.points import Points, Tap
from campaign.situation import SUBJECT
from disksnapshot.kube.api import Api

Check = Callable[[Api, str, str], None]


@pytest.fixture
def server() -> ApiServer:
    made = ApiServer()
    made.put(situation.path(SUBJECT), situation.snapshot(SUBJECT, {}))
    return made


@pytest.mark.parametrize("check", apicontract.CHECKS, ids=lambda check: check.__name__)
def test_it_is_so_that(server: ApiServer, check: Check) -> None:
    check(wire.api(server, Tap(Points())), SUBJECT.namespace, SUBJECT.name)


def test_an_object_with_a_finalizer_outlives_its_deletion(server: ApiServer) -> None:
    api = wire.api(server, Tap(Points()))
    apicontract.deletion(
        api, SUBJECT.namespace, SUBJECT.name, lambda: server.delete(situation.path(SUBJECT))
    )
