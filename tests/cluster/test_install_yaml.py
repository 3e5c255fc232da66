"""The file for `kubectl apply`: what is in it, and that an operator comes of it."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster import definition
from cluster.install_file import NEEDED, REPOSITORY, objects, rendered
from lab.cluster import Lab

NAME = "install-test"
FREEZER = "install-test-freezer"
# Another operator may live on this cluster, and owns the definitions.
APART = (f"--set=fullnameOverride={NAME},crds.install=false,freezer.namespace={FREEZER}",)


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


def test_workloads_are_scaled_where_it_was_asked_for_and_nowhere_else(lab: Lab) -> None:
    made = objects(rendered(lab, *NEEDED, "--open-scale=shop,store"))
    scaled = {
        item["metadata"]["namespace"]
        for item in made
        if item["kind"] == "Role" and "statefulsets/scale" in str(item["rules"])
    }
    assert scaled == {"shop", "store"}
    assert "statefulsets/scale" not in rendered(lab, *NEEDED)


def test_the_definition_alone_can_be_left_out_of_what_is_deleted(lab: Lab) -> None:
    made = objects(rendered(lab, *NEEDED, "--freezer", "--open=shop"))
    label = "app.kubernetes.io/component"
    labels = [item["metadata"].get("labels", {}).get(label) for item in made]
    kinds = [item["kind"] for item in made]
    assert [kind for kind, has in zip(kinds, labels, strict=True) if has == "definition"] == [
        "CustomResourceDefinition"
    ]


def test_a_refused_value_leaves_no_file_and_the_last_good_one_stays(
    lab: Lab, tmp_path: Path
) -> None:
    file = tmp_path / "dist" / "install.yaml"
    assert written(lab, file, "--region=hk") != 0
    assert not file.exists()
    assert written(lab, file, "--region=ap-guangzhou") == 0
    before = file.read_text(encoding="utf-8")
    assert written(lab, file, "--region=hk") != 0
    assert file.read_text(encoding="utf-8") == before
    assert sorted(file.parent.iterdir()) == [file]


def written(lab: Lab, file: Path, *arguments: str) -> int:
    program = str(REPOSITORY / "charts" / "render_install.py")
    helm = f"--helm={lab.binaries / 'helm'}"
    argv = [sys.executable, program, helm, "--image=a/b:1", f"--into={file}", *arguments]
    return subprocess.run(argv, capture_output=True, check=False).returncode


def test_make_takes_the_helm_on_the_path_where_there_is_no_lab(tmp_path: Path) -> None:
    assert '--helm "helm"' in what_make_runs(tmp_path)


def test_make_hands_on_each_namespace_that_is_opened(tmp_path: Path) -> None:
    run = what_make_runs(tmp_path, "OPEN=a", "EXEC=b", "SCALE=c,d", "FREEZER=1")
    for option in ('--open "a"', '--open-exec "b"', '--open-scale "c,d"', "--freezer"):
        assert option in run


def what_make_runs(state: Path, *options: str) -> str:
    argv = ["make", "--dry-run", "install-yaml", "IMAGE=a/b:1", "REGION=ap-guangzhou", *options]
    without = {key: value for key, value in os.environ.items() if key != "HELM"}
    environment = without | {"DISKSNAPSHOT_LAB_STATE": str(state)}
    return subprocess.run(
        argv, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=True
    ).stdout


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
    definition.keep(lab)
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
