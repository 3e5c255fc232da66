"""A real API server does what the campaign's, in memory, does: the same checks for both."""

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from kubernetes import client, config

from campaign import apicontract
from cluster.definition import GROUP, KIND, installed, snapshot
from disksnapshot.kube.api import Api
from disksnapshot.naming import DOMAIN
from lab.cluster import Lab

NAMESPACE = "default"
Check = Callable[[Api, str, str], None]


class Regrouped(Api):
    """Asks for the definition under the other group, on whose objects no operator works."""

    def get(self, path: str, **query: str) -> dict[str, Any]:
        return super().get(_regrouped(path), **query)

    def patch(self, path: str, change: Any, content_type: str) -> dict[str, Any]:
        return super().patch(_regrouped(path), change, content_type)


def _regrouped(path: str) -> str:
    return path.replace(f"/apis/{DOMAIN}/", f"/apis/{GROUP}/")


@pytest.fixture(scope="module", autouse=True)
def _definition(lab: Lab) -> Iterator[None]:
    with installed(lab):
        yield


@pytest.fixture
def api(lab: Lab) -> Api:
    configuration = client.Configuration()
    config.load_kube_config(str(lab.kubeconfig), client_configuration=configuration)  # type: ignore[no-untyped-call] # half typed
    return Regrouped(configuration)


@pytest.fixture
def name(lab: Lab) -> Iterator[str]:
    made = f"contract-{uuid.uuid4().hex[:8]}"
    lab.kubectl("create", "--filename=-", stdin=snapshot(made))
    yield made
    bare = '--patch={"metadata":{"finalizers":null}}'
    lab.kubectl("delete", KIND, made, "--ignore-not-found", "--wait=false")
    if lab.kubectl("get", KIND, made, "--ignore-not-found"):
        lab.kubectl("patch", KIND, made, "--type=merge", bare)


@pytest.mark.parametrize("check", apicontract.CHECKS, ids=lambda check: check.__name__)
def test_it_is_so_that(api: Api, name: str, check: Check) -> None:
    check(api, NAMESPACE, name)


def test_an_object_with_a_finalizer_outlives_its_deletion(lab: Lab, api: Api, name: str) -> None:
    def delete() -> None:
        lab.kubectl("delete", KIND, name, "--wait=false")

    apicontract.deletion(api, NAMESPACE, name, delete)
