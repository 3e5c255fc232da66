"""Holds by commands in the database's own pod: what they prove, who may, what refuses."""

import base64
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from disksnapshot.kube.exec import ApiAccess, ExecError, ExecSession, PodProgram
from lab.cluster.waiting import until
from lab.demo import bycommands, kill, stage
from lab.demo.load import Load, Server, longest_pause
from lab.demo.shop import Shop, condition
from lab.disks.images import MARIADB_IMAGE
from lab.layout import PAUSE_IMAGE

MAX_HOLD_SECONDS = 10
SILENT, CRASHING = "silent", "crashing"


@pytest.fixture
def load(shop: Shop, tmp_path: Path) -> Iterator[Load]:
    database = shop.database
    server = Server(host=database.address, port=3306, password=database.password)
    with Load(server, tmp_path / "ledgers") as load:
        yield load


@pytest.fixture
def silent(shop: Shop) -> Iterator[str]:
    """A pod without a shell that mounts the claim too."""
    start_beside(shop, SILENT, image=PAUSE_IMAGE)
    shop.lab.kubectl(
        *where(shop), "wait", "--for=condition=Ready", f"pod/{SILENT}", "--timeout=60s"
    )
    yield SILENT
    shop.lab.kubectl(*where(shop), "delete", "pod", SILENT, "--wait")


@pytest.fixture
def crashing(shop: Shop) -> Iterator[str]:
    """A pod that mounts the claim too, and whose program ends again and again."""
    start_beside(shop, CRASHING, image=MARIADB_IMAGE, command=["false"])
    waits = "--for=jsonpath={.status.containerStatuses[0].state.waiting.reason}=CrashLoopBackOff"
    shop.lab.kubectl(*where(shop), "wait", waits, f"pod/{CRASHING}", "--timeout=60s")
    yield CRASHING
    shop.lab.kubectl(*where(shop), "delete", "pod", CRASHING, "--wait")


def where(shop: Shop) -> tuple[str, str]:
    return ("-n", shop.namespace)


def start_beside(shop: Shop, name: str, **container: Any) -> None:
    mount = {"name": "data", "mountPath": "/data"}
    alone = {"name": "alone", "imagePullPolicy": "Never", "volumeMounts": [mount], **container}
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": shop.database.claim}}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": shop.namespace, "labels": {"app": name}},
        "spec": {
            "terminationGracePeriodSeconds": 0,
            "containers": [alone],
            "volumes": [volume],
        },
    }
    stage.apply(shop.lab, pod)


def by_commands(shop: Shop, **spec: Any) -> dict[str, Any]:
    body = bycommands.disk_snapshot(shop.database, shop.snapshot()["metadata"]["name"])
    body["spec"] |= spec
    return body


def quiesce(*steps: dict[str, Any]) -> dict[str, Any]:
    return {"steps": list(steps)}


def command(**more: Any) -> dict[str, Any]:
    return {"exec": {"acquire": ["true"], "release": ["true"], **more}}


def refused(shop: Shop, body: dict[str, Any], reason: str) -> str:
    shop.apply(body)
    seen = shop.until_reason(body, reason)
    assert shop.in_the_cloud(body) == []
    shop.writes_go_on()
    return str(condition(seen, "Ready")["message"])


def test_the_example_holds_by_commands_alone_and_says_that_it_is_claimed(shop: Shop) -> None:
    status = shop.ready(by_commands(shop))["status"]
    words = (status["consistency"], status["fileSystem"], status["application"])
    assert words == ("ApplicationConsistent", "Clean", "Claimed")
    assert status["quiesce"]["proven"] is True
    assert [step["name"] for step in status["quiesce"]["steps"]] == ["0-exec", "1-freeze"]
    assert 0 < status["quiesce"]["holdMilliseconds"] < MAX_HOLD_SECONDS * 1000


@pytest.mark.parametrize("sync", [{}, {"method": "Exec", "target": {"container": "mariadb"}}])
def test_a_lock_with_a_sync_under_it_is_consistent_for_the_database(
    shop: Shop, sync: dict[str, Any]
) -> None:
    mysql = {"credentialsSecretRef": {"name": f"{shop.database.pod}-snapshot"}}
    body = shop.snapshot(quiesce=quiesce({"mysql": mysql}, {"sync": sync}))
    status = shop.ready(body)["status"]
    words = (status["consistency"], status["fileSystem"], status["application"])
    assert words == ("ApplicationConsistent", "NeedsReplay", "Proven")


def test_an_operator_killed_in_a_hold_by_commands_leaves_writers_free(
    shop: Shop, load: Load
) -> None:
    shop.lab.cbs.fault("CreateSnapshot", "ReplyLostAfterAct", times=1)
    body = by_commands(shop)
    shop.apply_until_sent(body)
    began = time.time_ns()
    os.kill(kill.next_operator_pid(shop.lab), signal.SIGKILL)
    load.wait_for_rows(5, since=began)
    pauses = [longest_pause(ledger, began, time.time_ns()) for ledger in load.read()]
    # The end of their input ended the guards, long before their deadline would have.
    assert max(pause.milliseconds for pause in pauses) < MAX_HOLD_SECONDS * 1000 / 2
    assert shop.ready(body)["status"]["consistency"] == "Unknown"
    assert len(shop.in_the_cloud(body)) == 1


@pytest.fixture
def doomed(shop: Shop) -> Iterator[stage.Database]:
    """A database of its own, which may be deleted."""
    database = stage.start_database(shop.lab, shop.namespace, "doomed")
    yield database
    stage.remove_database(shop.lab, database)


def test_a_pod_that_is_deleted_in_the_middle_of_a_freeze_thaws_before_it_ends(
    shop: Shop, doomed: stage.Database
) -> None:
    shop.lab.cbs.fault("CreateSnapshot", "ReplyLostAfterAct", times=1)
    body = bycommands.disk_snapshot(doomed, shop.snapshot()["metadata"]["name"])
    shop.apply_until_sent(body)
    shop.lab.kubectl("-n", shop.namespace, "delete", "pod", doomed.pod, "--wait=false")
    # A database doesn't start on a file system that is still frozen.
    assert stage.restart_database(shop.lab, doomed).address
    assert shop.ready(body)["status"]["consistency"] == "Unknown"
    assert len(shop.in_the_cloud(body)) == 1


def test_a_command_that_fails_is_told_without_what_it_printed(shop: Shop) -> None:
    acquire = ["sh", "-c", "echo a-secret; echo a-secret >&2; exit 4"]
    step = command(acquire=acquire, target={"container": "mariadb"})
    body = shop.snapshot(quiesce=quiesce(step))
    message = refused(shop, body, "CommandFailed")
    assert "status 4 in container mariadb of pod orders" in message
    assert "a-secret" not in json.dumps(shop.get(body)["status"])
    logs = ("-n", stage.OPERATOR_NAMESPACE, "logs", stage.DEPLOYMENT)
    assert "a-secret" not in shop.lab.kubectl(*logs)


def test_a_container_that_is_not_named_or_not_there_is_asked_for(shop: Shop) -> None:
    message = refused(shop, shop.snapshot(quiesce=quiesce(command())), "ContainerNotFound")
    assert "has mariadb, tools: name one" in message
    elsewhere = command(target={"container": "postgres"})
    message = refused(shop, shop.snapshot(quiesce=quiesce(elsewhere)), "ContainerNotFound")
    assert "no container postgres" in message


def test_a_container_without_a_shell_is_refused(shop: Shop, silent: str) -> None:
    target = {"podSelector": {"matchLabels": {"app": silent}}}
    message = refused(shop, shop.snapshot(quiesce=quiesce(command(target=target))), "NoShell")
    assert f"container alone of pod {silent}" in message


def test_a_container_that_is_not_running_is_named(shop: Shop, crashing: str) -> None:
    target = {"podSelector": {"matchLabels": {"app": crashing}}}
    body = shop.snapshot(quiesce=quiesce(command(target=target)))
    message = refused(shop, body, "PodNotReady")
    assert message == f"container alone of pod {crashing} isn't running"


def test_a_freeze_without_the_capability_is_refused_in_fsfreezes_words(shop: Shop) -> None:
    freeze = {"freeze": {"method": "Exec", "target": {"container": "mariadb"}}}
    message = refused(shop, shop.snapshot(quiesce=quiesce(freeze)), "FreezeRefused")
    assert "Operation not permitted" in message


def test_a_namespace_that_was_not_opened_for_commands_is_named(shop: Shop) -> None:
    name = f"{stage.RELEASE}-exec"
    found = shop.lab.kubectl(*where(shop), "get", "rolebinding", name, "-o", "json")
    binding = json.loads(found)
    for field in ("uid", "resourceVersion", "creationTimestamp"):
        del binding["metadata"][field]
    shop.lab.kubectl(*where(shop), "delete", "rolebinding", name)
    try:
        step = command(target={"container": "mariadb"})
        refused(shop, shop.snapshot(quiesce=quiesce(step)), "ExecForbidden")
    finally:
        stage.apply(shop.lab, binding)


class Database(NamedTuple):
    """The database's container, reached as the lab's administrator."""

    access: ApiAccess
    shop: Shop

    def open(self, *argv: str, uid: str = "") -> ExecSession:
        pod = self.shop.database.pod
        program = PodProgram(self.access, self.shop.namespace, pod, "mariadb", uid=uid)
        return program.open(list(argv), time.monotonic() + 10)


@pytest.fixture
def database(shop: Shop, tmp_path: Path) -> Database:
    seen = json.loads(shop.lab.kubectl("config", "view", "--raw", "-o", "json"))
    cluster, user = seen["clusters"][0]["cluster"], seen["users"][0]["user"]

    def file(name: str, encoded: str) -> str:
        (tmp_path / name).write_bytes(base64.b64decode(encoded))
        return str(tmp_path / name)

    pair = (
        file("certificate", user["client-certificate-data"]),
        file("key", user["client-key-data"]),
    )
    authority = file("authority", cluster["certificate-authority-data"])
    return Database(ApiAccess(cluster["server"], authority, certificate_files=pair), shop)


def uid_of(shop: Shop) -> str:
    return str(stage.get(shop.lab, shop.namespace, shop.database.pod, "pod")["metadata"]["uid"])


def test_an_exit_status_comes_by_the_status_channel(shop: Shop, database: Database) -> None:
    for status in (0, 7):
        opened = database.open("sh", "-c", f"exit {status}", uid=uid_of(shop))
        assert opened.exit_code(time.monotonic() + 10) == status
        opened.close()


def test_a_pod_that_was_replaced_by_another_of_its_name_is_not_touched(
    database: Database,
) -> None:
    with pytest.raises(ExecError, match="replaced by another") as refusal:
        database.open("cat", uid="of-the-one-before")
    assert refusal.value.status == 404


def test_a_program_that_never_ends_its_line_does_not_fill_our_memory(
    database: Database,
) -> None:
    opened = database.open("cat", "/dev/zero")
    with pytest.raises(ExecError, match="has no end"):
        opened.read_line(time.monotonic() + 20)
    opened.close()


def test_nothing_is_left_of_the_guards_in_the_pod(shop: Shop) -> None:
    shop.ready(by_commands(shop))
    where = ("-n", shop.namespace, "exec", shop.database.pod, "-c", "tools", "--")

    def left() -> set[str]:
        names = shop.lab.kubectl(*where, "sh", "-c", "cat /proc/[0-9]*/comm 2>/dev/null || :")
        return set(names.split()) - {"sh", "sleep", "cat"}

    until(lambda: not left(), "only the container's own processes run", seconds=30)
