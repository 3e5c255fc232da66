"""An operator that is started while the API server is away waits for it, alive and not ready."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from lab.cluster.waiting import until
from rules.apiserver import serving

KUBE_SYSTEM = {"/api/v1/namespaces/kube-system": {"metadata": {"uid": "cluster-1"}}}


def free_port() -> int:
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def kubeconfig(port: int) -> str:
    cluster = {"name": "c", "cluster": {"server": f"http://127.0.0.1:{port}"}}
    context = {"name": "c", "context": {"cluster": "c", "user": "u"}}
    users = [{"name": "u", "user": {}}]
    return json.dumps(
        {"clusters": [cluster], "contexts": [context], "users": users, "current-context": "c"}
    )


class Started:
    """An operator's process, and what it says of itself."""

    def __init__(self, folder: Path) -> None:
        self.api_port, self.probe_port = free_port(), free_port()
        (folder / "kubeconfig").write_text(kubeconfig(self.api_port))
        self.log = folder / "log"
        settings = {
            "KUBECONFIG": str(folder / "kubeconfig"),
            "DISKSNAPSHOT_REGION": "ap-guangzhou",
            "DISKSNAPSHOT_ENDPOINT": f"127.0.0.1:{free_port()}",
            "DISKSNAPSHOT_SECRET_ID": "id",
            "DISKSNAPSHOT_SECRET_KEY": "key",
            "DISKSNAPSHOT_PROBE_PORT": str(self.probe_port),
        }
        argv = (sys.executable, "-m", "disksnapshot")
        with self.log.open("w") as log:
            self.process = subprocess.Popen(argv, env=os.environ | settings, stderr=log)

    def says(self, words: str) -> bool:
        return words in self.log.read_text()

    def answers(self, path: str) -> int:
        try:
            with urlopen(f"http://127.0.0.1:{self.probe_port}{path}", timeout=5) as answer:
                return int(answer.status)
        except HTTPError as error:
            error.close()
            return error.code

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(10)


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Started]:
    operator = Started(tmp_path)
    until(lambda: operator.says("the cluster's identity can't be read"), "A word of the outage")
    yield operator
    operator.process.kill()
    operator.process.wait()


def test_an_operator_that_starts_in_an_outage_is_alive_and_not_ready_and_begins_after_it(
    started: Started,
) -> None:
    assert (started.answers("/healthz"), started.answers("/readyz")) == (200, 503)
    with serving(KUBE_SYSTEM, started.api_port):
        until(lambda: started.says("started"), "The start")
        assert started.process.poll() is None
        assert started.answers("/readyz") == 503, "its own kind can't be seen yet"
        assert started.stop() == 0


def test_an_operator_that_waits_for_the_api_server_ends_when_it_is_told_to(
    started: Started,
) -> None:
    assert started.stop() == 0
    assert not started.says("Traceback")
