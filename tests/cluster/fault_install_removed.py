"""What `kubectl apply` made is removed in the order that the file's head gives."""

import json
import os
import re
import secrets
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cluster.install_file import rendered
from lab.cluster import Lab, LabError
from lab.cluster.waiting import until
from lab.demo import stage, taken

SHOP = "install-removed"
DEFINITION = "crd/disksnapshots.disksnapshot.io"
REMOVE_ALL = "To remove it and all DiskSnapshot objects"
KEEP = "To remove it and keep the objects"


@dataclass(frozen=True)
class Installed:
    """A folder with install.yaml, applied as its head says; no other operator is there."""

    lab: Lab
    folder: Path
    text: str

    def head(self, section: str) -> str:
        """Return the commands that the file's head gives under a sentence."""
        _, _, after = self.text.partition("---\n")[0].partition(f"# {section}")
        commands = re.search(r"^#   (?:.|\n#   )+", after, re.MULTILINE)
        assert commands, section
        return commands[0].replace("\n#   ", "\n").removeprefix("#   ")

    def run(self, script: str) -> None:
        """Run commands of the head as they are written, but give up on one that waits for ever."""
        where = {
            "KUBECONFIG": str(self.lab.kubeconfig),
            "PATH": f"{self.lab.binaries}:{os.environ['PATH']}",
        }
        argv = ["bash", "-euo", "pipefail", "-c", script]
        done = subprocess.run(
            argv,
            cwd=self.folder,
            env=where,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def apply(self) -> None:
        lab, system = self.lab, stage.OPERATOR_NAMESPACE
        lab.kubectl("create", "namespace", system)
        keys = (
            f"--from-literal=secretId={lab.secret_id}",
            f"--from-literal=secretKey={lab.secret_key}",
        )
        secret = ("secret", "generic", "cbs-credentials")
        lab.kubectl("--namespace", system, "create", *secret, *keys)
        file = str(self.folder / "install.yaml")
        lab.kubectl("apply", "--server-side", "--force-conflicts", "--filename", file)
        rollout = ("rollout", "status", stage.DEPLOYMENT, "--timeout=120s")
        lab.kubectl("--namespace", system, *rollout)

    def ready(self, policy: str = "Delete") -> str:
        """Return the uid of a DiskSnapshot that is Ready."""
        name = f"s-{secrets.token_hex(3)}"
        body = {
            "apiVersion": "disksnapshot.io/v1alpha1",
            "kind": "DiskSnapshot",
            "metadata": {"name": name, "namespace": SHOP},
            "spec": {"source": {"claims": [{"name": "data"}]}, "deletionPolicy": policy,
                     "whenNotMounted": "Snapshot"},
        }  # fmt: skip
        until(lambda: self._made(body), "the definition is served", seconds=20)
        self.lab.kubectl(
            "-n", SHOP, "wait", "--for=condition=Ready", f"dsnap/{name}", "--timeout=60s"
        )
        return str(stage.get(self.lab, SHOP, name)["metadata"]["uid"])

    def _made(self, body: dict[str, Any]) -> bool:
        try:
            stage.apply(self.lab, body)
        except LabError:
            return False
        return True

    def states(self, uid: str) -> list[str]:
        """Return what the cloud has of an object."""
        return [item["state"] for item in taken.in_the_cloud(self.lab, uid)]

    def exists(self, *what: str) -> bool:
        return bool(self.lab.kubectl("get", *what, "--ignore-not-found"))


@pytest.fixture(scope="module")
def folder(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give a claim and a folder with the file; take every other operator away."""
    _clear(lab)
    stage.uninstall_operator(lab)
    lab.kubectl("create", "namespace", SHOP)
    lab.make_claim(SHOP, "data")
    lab.cbs.settings(creationMilliseconds=0)
    yield tmp_path_factory.mktemp("install")
    lab.cbs.settings(creationMilliseconds=3000)
    _clear(lab)
    stage.uninstall_operator(lab)


def _clear(lab: Lab) -> None:
    _let_go(lab)
    stage.remove_namespace(lab, SHOP)


def _let_go(lab: Lab) -> None:
    found = lab.kubectl("-n", SHOP, "get", "dsnap", "-o", "name", check=False).split()
    for name in found:
        patch = '{"metadata": {"finalizers": null}}'
        lab.kubectl("-n", SHOP, "patch", name, "--type=merge", "-p", patch, check=False)


@pytest.fixture
def installed(lab: Lab, folder: Path) -> Iterator[Installed]:
    more = (
        "--set=image.pullPolicy=Never",
        f"--set=tencent.endpoint={lab.cbs_endpoint}",
        f"--set-file=tencent.caBundle={lab.ca_file}",
    )
    text = rendered(lab, "--image=localhost/operator:lab", "--region=ap-guangzhou", more=more)
    (folder / "install.yaml").write_text(text, encoding="utf-8")
    made = Installed(lab, folder, text)
    try:
        made.apply()
        yield made
    finally:
        # After a failure only: the next test must not begin with what is left of this one.
        _let_go(lab)
        lab.kubectl("delete", "--filename", str(folder / "install.yaml"), "--ignore-not-found")


def test_in_the_order_of_the_head_objects_and_snapshots_go_and_nothing_waits(
    installed: Installed,
) -> None:
    deleted, retained = installed.ready(), installed.ready("Retain")
    assert installed.states(deleted) == ["NORMAL"]
    installed.run(installed.head(REMOVE_ALL))
    assert installed.states(deleted) == []
    assert installed.states(retained) == ["NORMAL"]
    assert not installed.exists(DEFINITION)
    assert not installed.exists("namespace", stage.OPERATOR_NAMESPACE)


def test_objects_and_snapshots_are_kept_by_the_commands_of_the_head(installed: Installed) -> None:
    uid = installed.ready()
    installed.run(installed.head(KEEP))
    assert installed.states(uid) == ["NORMAL"]
    assert not installed.exists("namespace", stage.OPERATOR_NAMESPACE)
    [kept] = json.loads(installed.lab.kubectl("-n", SHOP, "get", "dsnap", "-o", "json"))["items"]
    assert kept["metadata"]["uid"] == uid
    assert not kept["metadata"].get("finalizers")
    installed.apply()
    name = kept["metadata"]["name"]
    # Only an operator that is at work again can hold the object until its snapshot is gone.
    until(lambda: "finalizers" in stage.get(installed.lab, SHOP, name)["metadata"], "a finalizer",
          seconds=40)  # fmt: skip
    installed.run(installed.head(REMOVE_ALL))
    assert installed.states(uid) == []


def test_after_the_wrong_order_the_operator_comes_back_and_finishes(installed: Installed) -> None:
    uid = installed.ready()
    with pytest.raises(AssertionError, match="timed out"):
        installed.run("kubectl delete -f install.yaml --timeout=10s")
    system = f"namespace/{stage.OPERATOR_NAMESPACE}"
    installed.lab.kubectl("wait", "--for=delete", system, "--timeout=60s")
    assert installed.states(uid) == ["NORMAL"]
    assert installed.exists(DEFINITION)
    installed.apply()
    until(lambda: not installed.exists(DEFINITION), "the definition is gone", seconds=60)
    assert installed.states(uid) == []
    installed.run("kubectl delete -f install.yaml --ignore-not-found")
