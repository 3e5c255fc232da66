"""What the operator relies on in an API server, as checks that any server can be put to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from disksnapshot.errors import Conflict, Gone
from disksnapshot.kube.objects import Objects

if TYPE_CHECKING:
    from collections.abc import Callable

    from disksnapshot.kube.api import Api

STATUS: dict[str, Any] = {"observedGeneration": 1, "conditions": []}


def raises(kind: type[Exception] | tuple[type[Exception], ...], act: Callable[[], object]) -> bool:
    try:
        act()
    except kind:
        return True
    return False


def an_unread_change_refuses_a_status(api: Api, namespace: str, name: str) -> None:
    objects = Objects(api)
    read = objects.read(namespace, name)
    objects.write_status(read, STATUS)
    assert raises(Conflict, lambda: objects.write_status(read, STATUS))


def a_status_makes_no_generation_and_leaves_the_spec(api: Api, namespace: str, name: str) -> None:
    objects = Objects(api)
    read = objects.read(namespace, name)
    wrote = objects.write_status(read, STATUS)
    assert wrote["metadata"]["generation"] == read["metadata"]["generation"]
    assert wrote["metadata"]["resourceVersion"] != read["metadata"]["resourceVersion"]
    assert wrote["spec"] == read["spec"]
    assert wrote["status"]["observedGeneration"] == 1


def an_unread_change_refuses_a_finalizer(api: Api, namespace: str, name: str) -> None:
    objects = Objects(api)
    read = objects.read(namespace, name)
    objects.write_status(read, STATUS)
    assert raises(Conflict, lambda: objects.add_finalizer(read))


def a_finalizer_leaves_the_status(api: Api, namespace: str, name: str) -> None:
    objects = Objects(api)
    objects.write_status(objects.read(namespace, name), STATUS)
    marked = objects.add_finalizer(objects.read(namespace, name))
    assert marked["status"]["observedGeneration"] == 1
    assert objects.read(namespace, name)["metadata"]["finalizers"]


def another_nonce_refuses_a_record(api: Api, namespace: str, name: str) -> None:
    """Also where there is no intent at all: a test of what isn't there fails."""
    objects = Objects(api)
    read = objects.read(namespace, name)
    believed = {**read, "status": {"intent": {"nonce": "another", "state": "Open"}}}
    assert raises(Conflict, lambda: objects.record(believed, STATUS))


def what_is_not_there_is_gone(api: Api, namespace: str, name: str) -> None:
    assert raises(Gone, lambda: Objects(api).read(namespace, f"{name}-not"))


CHECKS = (
    an_unread_change_refuses_a_status,
    a_status_makes_no_generation_and_leaves_the_spec,
    an_unread_change_refuses_a_finalizer,
    a_finalizer_leaves_the_status,
    another_nonce_refuses_a_record,
    what_is_not_there_is_gone,
)


def deletion(api: Api, namespace: str, name: str, delete: Callable[[], None]) -> None:
    """With a finalizer an object stays until it is taken off; none can be put on meanwhile."""
    objects = Objects(api)
    objects.add_finalizer(objects.read(namespace, name))
    delete()
    going = objects.read(namespace, name)
    assert going["metadata"]["deletionTimestamp"]
    another = {**going, "metadata": {**going["metadata"], "finalizers": []}}
    objects.drop_finalizer(going)
    assert raises(Gone, lambda: objects.read(namespace, name))
    assert raises((Conflict, Gone), lambda: objects.add_finalizer(another))
