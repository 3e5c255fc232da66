"""Whoever ends a demo or a test in the middle of Helm's work can begin again."""

import subprocess

from lab.cluster import Lab
from lab.cluster.waiting import until
from lab.demo import stage


def test_an_install_that_was_killed_is_begun_anew(lab: Lab) -> None:
    stage.uninstall_operator(lab)
    where = ("--namespace", stage.OPERATOR_NAMESPACE, "--create-namespace")
    argv = [
        str(lab.binaries / "helm"), "--kubeconfig", str(lab.kubeconfig), "install", stage.RELEASE,
        str(stage.CHART), *where, "--set", "tencent.region=ap-guangzhou",
        "--set", "tencent.credentials.existingSecret=cbs-credentials",
        "--set", "image.repository=localhost/nowhere", "--wait",
    ]  # fmt: skip
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as helm:
        until(lambda: stage.release_status(lab) == "pending-install", "Helm is at work")
        helm.kill()
    assert stage.release_status(lab) == "pending-install"
    stage.install_operator(lab, [])
    assert stage.release_status(lab) == "deployed"
    stage.uninstall_operator(lab)
