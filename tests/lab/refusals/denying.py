"""Ask the API server to store what it must not, and write down what it says."""

import json
import subprocess
from collections.abc import Sequence

from lab.cluster.waiting import until
from lab.demo import stage, taken
from lab.refusals.case import NAMESPACE, Denial
from lab.refusals.refusing import versions
from lab.refusals.rows import Row
from lab.refusals.scene import Scene

_KIND = "disksnapshots.disksnapshot.io"


def deny(scene: Scene, denials: Sequence[Denial]) -> list[Row]:
    """Try each, once the policies are in force."""
    # A policy works a moment after it was made.
    unheld = next((one for one in denials if one.user and not one.change), None)
    if unheld:
        until(
            lambda: unheld.says in _said(scene, unheld, "--dry-run=server"),
            "The policies are in force",
        )
    said = versions(scene)
    return [_row(scene, one, said) for one in denials]


def _row(scene: Scene, denial: Denial, version: str) -> Row:
    said = _change(scene, denial) if denial.change else _said(scene, denial)
    stored = scene.lab.kubectl(
        "-n", NAMESPACE, "get", _KIND, denial.key, "--ignore-not-found", "-o", "json"
    )
    kept = bool(stored) and not denial.change
    if stored:
        uid = json.loads(stored)["metadata"]["uid"]
        scene.lab.kubectl("-n", NAMESPACE, "delete", _KIND, denial.key)
        assert taken.in_the_cloud(scene.lab, uid) == []
    return Row(
        key=denial.key,
        what=denial.what,
        wanted="",
        word="stored" if kept or not said else "",
        message=said,
        says=denial.says,
        printed="",
        versions=version,
    )


def _change(scene: Scene, denial: Denial) -> str:
    """Create the object as the administrator, then try to change it."""
    body = _body(denial)
    stage.apply(scene.lab, body)
    patch = ["patch", _KIND, denial.key, "--type=merge", f"--patch={json.dumps(denial.change)}"]
    if denial.subresource:
        patch.append(f"--subresource={denial.subresource}")
    return _kubectl(scene, denial.user, *patch)


def _said(scene: Scene, denial: Denial, *more: str) -> str:
    return _kubectl(
        scene, denial.user, "create", "--filename=-", *more, stdin=json.dumps(_body(denial))
    )


def _body(denial: Denial) -> dict[str, object]:
    return {
        "apiVersion": "disksnapshot.io/v1alpha1",
        "kind": "DiskSnapshot",
        "metadata": {"name": denial.key, "namespace": NAMESPACE},
        "spec": denial.spec,
    }


def _kubectl(scene: Scene, user: str, *arguments: str, stdin: str = "") -> str:
    """Return what the API server says to somebody; empty where it lets it pass."""
    argv = [str(scene.lab.binaries / "kubectl"), "--kubeconfig", str(scene.lab.kubeconfig)]
    argv += [*([f"--as={user}"] if user else []), "--namespace", NAMESPACE, *arguments]
    done = subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False)
    return done.stderr.strip() if done.returncode else ""
