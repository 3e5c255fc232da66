"""The file for `kubectl apply`: what is in it, and that an operator comes of it."""

import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from lab.cluster import Lab

REPOSITORY = Path(__file__).resolve().parents[2]
NAME = "install-test"
FREEZER = "install-test-freezer"
NEEDED = ["--image=registry.test/team/disksnapshot:1.2", "--region=ap-guangzhou"]
# Another operator may live on this cluster, and owns the definitions.
APART = (f"--set=fullnameOverride={NAME},crds.install=false,freezer.namespace={FREEZER}",)


def program() -> ModuleType:
    """Load the program from its file: charts/ is no package."""
    file = REPOSITORY / "charts" / "render_install.py"
    spec = importlib.util.spec_from_file_location("render_install", file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rendered(lab: Lab, *arguments: str, more: tuple[str, ...] = ()) -> str:
    made = program()
    helm = f"--helm={lab.binaries / 'helm'}"
    return str(made.render(made.parse([helm, *arguments]), "--kube-version=1.34.4", *more))


def objects(text: str) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(text) if document]


def names(text: str) -> list[str]:
    return [f"{made['kind']}/{made['metadata']['name']}" for made in objects(text)]


def test_the_file_holds_all_but_the_secret_and_its_namespace_comes_first(lab: Lab) -> None:
    kinds = [name.partition("/")[0] for name in names(rendered(lab, *NEEDED))]
    assert kinds[0] == "Namespace"
    assert {"CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding"} < set(kinds)
    assert {"ServiceAccount", "Deployment"} < set(kinds)
    assert kinds.count("ValidatingAdmissionPolicy") == 2
    assert kinds.count("ValidatingAdmissionPolicyBinding") == 2
    assert "Secret" not in kinds


@pytest.mark.parametrize(
    ("image", "wanted"),
    [
        ("registry.test:5000/a/b:1.2", "registry.test:5000/a/b:1.2"),
        ("registry.test:5000/b", "registry.test:5000/b:0.1.0"),
        (f"b@sha256:{'a' * 64}", f"b@sha256:{'a' * 64}"),
    ],
)
def test_the_image_is_the_one_that_was_asked_for(lab: Lab, image: str, wanted: str) -> None:
    text = rendered(lab, f"--image={image}", "--region=ap-guangzhou")
    assert re.findall(r"^ +image: (\S+)$", text, re.MULTILINE) == [wanted]


def test_nothing_in_it_takes_itself_for_helm_s(lab: Lab) -> None:
    assert "managed-by: Helm" not in rendered(lab, *NEEDED, "--freezer", "--open=shop")


def test_a_namespace_is_opened_and_the_freezer_is_added_when_asked_for(lab: Lab) -> None:
    assert not [name for name in names(rendered(lab, *NEEDED)) if "freezer" in name]
    made = objects(rendered(lab, *NEEDED, "--freezer", "--open=shop,store"))
    assert "DaemonSet" in {item["kind"] for item in made}
    places = {item["metadata"].get("namespace") for item in made if item["kind"] == "Role"}
    assert {"shop", "store"} <= places


@pytest.fixture
def applied(lab: Lab, tmp_path: Path) -> Iterator[str]:
    text = rendered(
        lab,
        "--image=localhost/operator:lab",
        "--region=ap-guangzhou",
        f"--namespace={NAME}",
        "--freezer",
        more=(
            *APART,
            "--set=image.pullPolicy=Never",
            f"--set=tencent.endpoint={lab.cbs_endpoint}",
            f"--set-file=tencent.caBundle={lab.ca_file}",
            f"--set=freezer.kubeletDir={lab.state / 'kubelet'}",
            f"--set=freezer.recordDir={lab.state / 'run' / NAME}",
        ),
    )
    file = tmp_path / "install.yaml"
    file.write_text(text, encoding="utf-8")
    remove(lab, file)  # what a run that was cut off has left
    lab.kubectl("create", "namespace", NAME)
    secret = ("secret", "generic", "cbs-credentials")
    keys = (
        f"--from-literal=secretId={lab.secret_id}",
        f"--from-literal=secretKey={lab.secret_key}",
    )
    lab.kubectl("--namespace", NAME, "create", *secret, *keys)
    lab.kubectl("apply", "--server-side", "--filename", str(file))
    yield text
    remove(lab, file)


def remove(lab: Lab, file: Path) -> None:
    lab.kubectl(
        "delete", "--ignore-not-found", "--wait", "--timeout=120s", "--filename", str(file)
    )


def test_kubectl_apply_makes_an_operator_that_is_ready_and_delete_removes_it(
    lab: Lab, applied: str, tmp_path: Path
) -> None:
    for namespace, kind in ((NAME, f"deployment/{NAME}"), (FREEZER, f"daemonset/{NAME}-freezer")):
        lab.kubectl("--namespace", namespace, "rollout", "status", kind, "--timeout=120s")
    again = ("apply", "--server-side", "--filename", str(tmp_path / "install.yaml"))
    assert len(lab.kubectl(*again).splitlines()) == len(objects(applied))
    remove(lab, tmp_path / "install.yaml")
    for made in objects(applied):
        where = ("--namespace", made["metadata"].get("namespace", "default"))
        found = ("get", made["kind"], made["metadata"]["name"], "--ignore-not-found")
        assert lab.kubectl(*where, *found) == "", json.dumps(made)[:200]
