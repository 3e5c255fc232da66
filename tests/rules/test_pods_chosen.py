"""In which pod and container something is done: in the one that is meant, or nowhere."""

from typing import Any

import pytest

from disksnapshot.errors import Problem
from disksnapshot.kube import pods
from rules.apiserver import pod, serving
from rules.apiserver import pods as listing

DATA, FILES = "data", "files"


def running(*items: dict[str, Any]) -> list[pods.Pod]:
    with serving(listing(*items)) as api:
        return pods.mounting(api, "shop", (DATA, FILES))


def database(name: str = "db", *claims: str, **more: Any) -> dict[str, Any]:
    """Return a pod of two containers, one of which is a sidecar by the older way."""
    made: dict[str, Any] = pod(*(claims or (DATA,)), name=name, **more)
    made["spec"]["containers"] = [{"name": "mariadb"}, {"name": "exporter"}]
    runs: dict[str, Any] = {"state": {"running": {}}}
    made["status"]["containerStatuses"] = [
        {"name": "mariadb", "ready": True, **runs},
        {"name": "exporter", "ready": False, **runs},
    ]
    return made


def unready(name: str = "db") -> dict[str, Any]:
    made = database(name)
    made["status"]["conditions"] = []
    return made


def with_sidecar(made: dict[str, Any]) -> dict[str, Any]:
    """Add a sidecar that mounts the claim, and an init container that has ended long ago."""
    for volume in made["spec"]["volumes"]:
        volume["name"] = volume["persistentVolumeClaim"]["claimName"]
    mount = [{"name": DATA, "mountPath": "/data"}]
    made["spec"]["initContainers"] = [
        {"name": "tools", "restartPolicy": "Always", "volumeMounts": mount},
        {"name": "chown", "volumeMounts": mount},
    ]
    made["status"]["initContainerStatuses"] = [
        {"name": "tools", "ready": True, "state": {"running": {}}},
        {"name": "chown", "ready": True, "state": {"terminated": {}}},
    ]
    return made


def chosen(*found: dict[str, Any], claims: tuple[str, ...] = (DATA,), **more: Any) -> str:
    return pods.target(running(*found), claims, more.pop("container", None), **more).name


def refusal(*found: dict[str, Any], **more: Any) -> tuple[str, str]:
    with pytest.raises(Problem) as problem:
        chosen(*found, **more)
    assert not problem.value.final
    return problem.value.reason, str(problem.value)


def test_no_pod_is_one_reason_and_a_pod_that_is_not_ready_another() -> None:
    assert refusal(database("other", FILES)) == ("PodNotFound", "no running pod mounts data")
    assert refusal(unready()) == ("PodNotReady", "pod db mounts data but isn't Ready")


def test_of_two_pods_that_mount_the_claim_the_one_that_is_ready_is_meant() -> None:
    assert chosen(unready("starting"), database()) == "db"


def test_a_pod_that_has_completed_is_not_in_the_way() -> None:
    assert chosen(database("job", phase="Succeeded"), database()) == "db"


def test_of_a_container_that_is_named_the_readiness_alone_counts() -> None:
    assert chosen(unready(), container="mariadb") == "db"
    reason, message = refusal(database(), container="exporter")
    assert (reason, message) == ("PodNotReady", "container exporter of pod db isn't ready")


def test_a_container_that_no_pod_has_is_told_as_such_and_not_as_a_missing_pod() -> None:
    reason, message = refusal(database(), container="mysql")
    assert reason == "ContainerNotFound"
    assert message == "no container mysql: pod db has mariadb, exporter"


def test_a_pod_without_the_container_doesnt_make_the_choice_ambiguous() -> None:
    other = pod(DATA, name="backup")
    other["spec"]["containers"] = [{"name": "backup"}]
    assert chosen(database(), other, container="mariadb") == "db"


def test_without_a_selector_the_database_is_the_pod_that_mounts_all_claims() -> None:
    both = database("db", DATA, FILES)
    assert chosen(both, database("web", FILES), claims=(DATA, FILES)) == "db"
    reason, message = refusal(database(), database("web", FILES), claims=(DATA, FILES))
    assert reason == "PodNotFound"
    assert "no running pod mounts all of data, files" in message
    assert "mysql.target.podSelector" in message


def test_a_selector_may_choose_a_database_beside_pods_with_the_other_claims() -> None:
    assert chosen(database(), claims=(DATA, FILES), selected=True) == "db"


def test_a_selector_that_fits_two_databases_is_ambiguous() -> None:
    found = (database("db-0"), database("db-1", FILES))
    reason, message = refusal(*found, claims=(DATA, FILES), selected=True)
    assert reason == "AmbiguousPod"
    assert "db-0, db-1" in message


def test_a_container_that_is_not_running_is_no_place_to_run_anything() -> None:
    made = database()
    made["status"]["containerStatuses"][0]["state"] = {"waiting": {"reason": "CrashLoopBackOff"}}
    [found] = running(made)
    with pytest.raises(Problem, match="container mariadb of pod db isn't running") as refused:
        pods.container(found, "mariadb")
    assert (refused.value.reason, refused.value.final) == ("PodNotReady", False)
    assert pods.container(found, "exporter") == "exporter"


def test_a_sidecar_can_be_named_but_is_never_meant_by_itself() -> None:
    made = with_sidecar(database())
    made["spec"]["containers"] = [{"name": "mariadb"}]
    [found] = running(made)
    assert pods.container(found, None) == "mariadb"
    assert pods.container(found, "tools") == "tools"
    assert found.mounts[("tools", DATA)] == "/data"
    assert pods.target([found], (DATA,), "tools").name == "db"


def test_an_init_container_that_has_ended_is_no_place_to_run_anything() -> None:
    [found] = running(with_sidecar(database()))
    with pytest.raises(Problem, match="no container chown: pod db has mariadb, exporter, tools"):
        pods.container(found, "chown")
    assert refusal(with_sidecar(database()), container="chown")[0] == "ContainerNotFound"


def test_a_claim_that_is_made_with_its_pod_is_found_where_the_container_mounts_it() -> None:
    made = pod(name="db")
    made["spec"]["volumes"] = [{"name": "cache", "ephemeral": {"volumeClaimTemplate": {}}}]
    mount = [{"name": "cache", "mountPath": "/cache/"}]
    made["spec"]["containers"] = [{"name": "mariadb", "volumeMounts": mount}]
    with serving(listing(made)) as api:
        [found] = pods.mounting(api, "shop", ("db-cache",))
    assert found.mounts == {("mariadb", "db-cache"): "/cache"}
