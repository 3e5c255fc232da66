"""What the chart makes of its values, by the real Helm."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.cluster import Lab, LabError

REPOSITORY = Path(__file__).resolve().parents[2]
CHART = REPOSITORY / "charts" / "disksnapshot-operator"
DIGEST = f"sha256:{'a' * 64}"
NEEDED = {
    "image": {"registry": "registry.test", "repository": "disksnapshot", "tag": "1"},
    "tencent": {"region": "ap-guangzhou", "credentials": {"existingSecret": "cbs"}},
}
MISSING = [
    ({"image": {"repository": ""}}, "set image.repository"),
    ({"tencent": {"region": ""}}, "set tencent.region"),
    ({"tencent": {"credentials": {"existingSecret": ""}}}, "set tencent.credentials"),
    ({"tencent": {"credentials": {"mode": "PodIdentity"}}}, "set tencent.credentials.roleARN"),
    ({"freezer": {"enabled": True, "namespace": "here"}}, "freezer.namespace must not be"),
    ({"serviceAccount": {"create": False}}, "set serviceAccount.name"),
]
MISTAKEN = [
    {"namespace": ["shop"]},
    {"namespaces": ["shop", "shop"]},
    {"execNamespaces": ["shop", "shop"]},
    {"scaleNamespaces": ["shop", "shop"]},
    {"tencent": {"endpoint": "https://cbs.test"}},
    {"tencent": {"region": "hk"}},
    {"tencent": {"credentials": {"mode": "Anything"}}},
    {"tencent": {"credentials": {"mode": "PodIdentity", "roleARN": "snapshots"}}},
    {"tencent": {"credentials": {"mode": "CVMRole", "metadataURL": "metadata.test"}}},
    {"tencent": {"caBundle": "/etc/ssl/ca.pem"}},
    {"freezer": {"recordDir": "run/disksnapshot"}},
    {"logLevel": "LOUD"},
    {"replicas": 3},
    {"log": {"format": "xml"}},
    {"metrics": {"prometheusRule": {"snapshotMaxAgeSeconds": -1}}},
]


def rendered(
    lab: Lab, folder: Path, *values: dict[str, Any], version: str = "1.34.4"
) -> dict[str, Any]:
    """Return what would be installed, by kind and name."""
    files = []
    for number, part in enumerate([NEEDED, *values]):
        file = folder / f"values-{number}.yaml"
        file.write_text(json.dumps(part), encoding="utf-8")
        files.append(f"--values={file}")
    text = lab.helm(
        "template", "op", str(CHART), "--namespace=here", f"--kube-version={version}", *files
    )
    objects = [document for document in yaml.safe_load_all(text) if document]
    return {f"{made['kind']}/{made['metadata']['name']}": made for made in objects}


def operator(objects: dict[str, Any]) -> Any:
    return objects["Deployment/op-disksnapshot-operator"]["spec"]["template"]["spec"]


def environment(objects: dict[str, Any]) -> dict[str, str]:
    return {entry["name"]: entry["value"] for entry in operator(objects)["containers"][0]["env"]}


def test_the_chart_passes_helms_strict_lint(lab: Lab) -> None:
    assert "1 chart(s) linted, 0 chart(s) failed" in lab.helm("lint", "--strict", str(CHART))


@pytest.mark.parametrize(("values", "answer"), MISSING, ids=str)
def test_a_missing_value_is_asked_for_by_name(
    lab: Lab, tmp_path: Path, values: dict[str, Any], answer: str
) -> None:
    with pytest.raises(LabError, match=answer):
        rendered(lab, tmp_path, values)


@pytest.mark.parametrize("values", MISTAKEN, ids=json.dumps)
def test_a_mistaken_value_is_refused(lab: Lab, tmp_path: Path, values: dict[str, Any]) -> None:
    with pytest.raises(LabError, match="don't meet the specifications of the schema"):
        rendered(lab, tmp_path, values)


def test_the_definitions_come_with_the_chart_and_outlive_it(lab: Lab, tmp_path: Path) -> None:
    made = rendered(lab, tmp_path)["CustomResourceDefinition/disksnapshots.disksnapshot.io"]
    source = yaml.safe_load((REPOSITORY / "crds/disksnapshots.yaml").read_text(encoding="utf-8"))
    assert made["spec"] == source["spec"]
    assert made["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}


def test_the_definitions_can_be_left_out(lab: Lab, tmp_path: Path) -> None:
    objects = rendered(lab, tmp_path, {"crds": {"install": False}})
    assert not [name for name in objects if name.startswith("CustomResourceDefinition/")]


def test_who_may_ask_is_checked_unless_that_is_switched_off(lab: Lab, tmp_path: Path) -> None:
    kinds = [name.partition("/")[0] for name in rendered(lab, tmp_path)]
    assert kinds.count("ValidatingAdmissionPolicy") == 2
    assert kinds.count("ValidatingAdmissionPolicyBinding") == 2
    off = rendered(lab, tmp_path, {"admission": {"enabled": False}})
    assert not [name for name in off if name.startswith("Validating")]


def test_a_cluster_that_can_t_check_it_is_told_so(lab: Lab, tmp_path: Path) -> None:
    old = "1.29.15"
    with pytest.raises(LabError, match=r"set admission\.enabled=false"):
        rendered(lab, tmp_path, version=old)
    assert rendered(lab, tmp_path, {"admission": {"enabled": False}}, version=old)


def test_the_clusters_own_roles_are_left_alone_when_asked_for(lab: Lab, tmp_path: Path) -> None:
    objects = rendered(lab, tmp_path, {"userRoles": {"enabled": False}})
    assert [name for name in objects if name.startswith("ClusterRole/")] == [
        "ClusterRole/op-disksnapshot-operator"
    ]


def test_nobody_is_given_the_status_by_the_clusters_own_roles(lab: Lab, tmp_path: Path) -> None:
    objects = rendered(lab, tmp_path)
    for role in ("view", "edit", "admin"):
        made = objects[f"ClusterRole/op-disksnapshot-operator-{role}"]
        assert made["metadata"]["labels"][f"rbac.authorization.k8s.io/aggregate-to-{role}"]
        (rule,) = made["rules"]
        assert rule["resources"] == ["disksnapshots"]
        assert not {"*", "record"} & set(rule["verbs"])


def test_nothing_of_the_freezer_is_installed_unless_asked_for(lab: Lab, tmp_path: Path) -> None:
    objects = rendered(lab, tmp_path)
    assert not [name for name in objects if "freezer" in name]
    assert environment(objects)["DISKSNAPSHOT_FREEZER_ENABLED"] == "false"


def test_the_operator_looks_for_the_freezer_by_labels_that_its_pods_have(
    lab: Lab, tmp_path: Path
) -> None:
    objects = rendered(lab, tmp_path, {"freezer": {"enabled": True}})
    freezer = objects["DaemonSet/op-disksnapshot-operator-freezer"]
    selector = environment(objects)["DISKSNAPSHOT_FREEZER_SELECTOR"]
    wanted = dict(part.split("=") for part in selector.split(","))
    assert wanted.items() <= freezer["spec"]["template"]["metadata"]["labels"].items()
    namespace = environment(objects)["DISKSNAPSHOT_FREEZER_NAMESPACE"]
    assert freezer["metadata"]["namespace"] == namespace


def test_one_operator_is_replaced_and_two_are_renewed_one_by_one(lab: Lab, tmp_path: Path) -> None:
    def strategy(**values: Any) -> tuple[int, str]:
        spec = rendered(lab, tmp_path, values)["Deployment/op-disksnapshot-operator"]["spec"]
        return spec["replicas"], spec["strategy"]["type"]

    assert strategy() == (1, "Recreate")
    assert strategy(replicas=2) == (2, "RollingUpdate")


def test_metrics_have_a_service_and_are_left_out_where_nobody_wants_them(
    lab: Lab, tmp_path: Path
) -> None:
    monitored = {"metrics": {"serviceMonitor": {"enabled": True, "labels": {"release": "prom"}}}}
    objects = rendered(lab, tmp_path, monitored)
    service = objects["Service/op-disksnapshot-operator-metrics"]
    (port,) = service["spec"]["ports"]
    ports = {item["name"] for item in operator(objects)["containers"][0]["ports"]}
    assert port["targetPort"] in ports
    monitor = objects["ServiceMonitor/op-disksnapshot-operator"]
    assert monitor["metadata"]["labels"]["release"] == "prom"
    selector = monitor["spec"]["selector"]["matchLabels"]
    assert selector.items() <= service["metadata"]["labels"].items()
    without = rendered(lab, tmp_path, {"metrics": {"enabled": False}})
    assert not [name for name in without if "metrics" in name or "Monitor" in name]
    assert environment(without)["DISKSNAPSHOT_METRICS_PORT"] == "0"


def test_alerts_are_made_for_who_asks_for_them(lab: Lab, tmp_path: Path) -> None:
    name = "PrometheusRule/op-disksnapshot-operator"
    assert name not in rendered(lab, tmp_path)

    def alerts(**asked: Any) -> dict[str, str]:
        values = {"metrics": {"prometheusRule": {"enabled": True, **asked}}}
        (group,) = rendered(lab, tmp_path, values)[name]["spec"]["groups"]
        return {rule["alert"]: rule["expr"] for rule in group["rules"]}

    assert "DiskSnapshotHoldEndUnseen" in alerts()
    assert "DiskSnapshotTooOld" not in alerts()
    assert alerts(snapshotMaxAgeSeconds=90000)["DiskSnapshotTooOld"].endswith("> 90000")


def test_commands_in_pods_are_allowed_only_in_the_namespaces_that_were_opened(
    lab: Lab, tmp_path: Path
) -> None:
    assert not [name for name in rendered(lab, tmp_path) if name.endswith("-exec")]
    objects = rendered(lab, tmp_path, {"execNamespaces": ["shop"]})
    role = objects["Role/op-disksnapshot-operator-exec"]
    assert role["metadata"]["namespace"] == "shop"
    assert role["rules"] == [
        {"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["get", "create"]}
    ]


def test_workloads_are_scaled_only_in_the_namespaces_that_were_opened(
    lab: Lab, tmp_path: Path
) -> None:
    closed = rendered(lab, tmp_path)
    assert not [name for name in closed if name.endswith(("-scale", "-attached"))]
    objects = rendered(lab, tmp_path, {"scaleNamespaces": ["shop"]})
    role = objects["Role/op-disksnapshot-operator-scale"]
    assert role["metadata"]["namespace"] == "shop"
    scales = ["statefulsets/scale", "deployments/scale"]
    assert role["rules"] == [
        {"apiGroups": ["apps"], "resources": scales, "verbs": ["get", "patch"]},
        {"apiGroups": ["apps"], "resources": ["statefulsets", "replicasets"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["watch"]},
    ]
    everywhere = objects["ClusterRole/op-disksnapshot-operator-attached"]
    namespace = {"resources": ["namespaces"], "resourceNames": ["shop"], "verbs": ["get"]}
    assert everywhere["rules"] == [
        {"apiGroups": ["storage.k8s.io"], "resources": ["volumeattachments"], "verbs": ["list"]},
        {"apiGroups": [""], **namespace},
    ]


def test_a_digest_counts_instead_of_the_tag(lab: Lab, tmp_path: Path) -> None:
    container = operator(rendered(lab, tmp_path))["containers"][0]
    assert container["image"] == "registry.test/disksnapshot:1"
    objects = rendered(lab, tmp_path, {"image": {"digest": DIGEST}})
    image = operator(objects)["containers"][0]["image"]
    assert image == f"registry.test/disksnapshot@{DIGEST}"


ROLE = "qcs::cam::uin/100000000001:roleName/snapshots"
# No Secret is named, none is mounted: the keys come from one place alone.
POD_IDENTITY = {"mode": "PodIdentity", "existingSecret": "", "roleARN": ROLE}
CVM_ROLE = {"mode": "CVMRole", "existingSecret": ""}


@pytest.mark.parametrize("mode", [POD_IDENTITY, CVM_ROLE], ids=["PodIdentity", "CVMRole"])
def test_with_a_role_no_secret_is_asked_for_or_mounted(
    lab: Lab, tmp_path: Path, mode: dict[str, Any]
) -> None:
    objects = rendered(lab, tmp_path, {"tencent": {"credentials": mode}})
    assert environment(objects)["DISKSNAPSHOT_CREDENTIALS_MODE"] == mode["mode"]
    assert "credentials" not in json.dumps(operator(objects)["volumes"])
    assert "/etc/disksnapshot/credentials" not in json.dumps(operator(objects)["containers"])


def test_for_pod_identity_the_service_account_says_what_tkes_webhook_reads(
    lab: Lab, tmp_path: Path
) -> None:
    mine = {"serviceAccount": {"annotations": {"mine": "too"}}}
    objects = rendered(lab, tmp_path, {"tencent": {"credentials": POD_IDENTITY}}, mine)
    assert objects["ServiceAccount/op-disksnapshot-operator"]["metadata"]["annotations"] == {
        "tke.cloud.tencent.com/role-arn": ROLE,
        "tke.cloud.tencent.com/audience": "sts.cloud.tencent.com",
        "tke.cloud.tencent.com/token-expiration": "86400",
        "mine": "too",
    }


def test_the_certificate_authorities_reach_the_operator(lab: Lab, tmp_path: Path) -> None:
    pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    objects = rendered(lab, tmp_path, {"tencent": {"caBundle": pem}})
    assert objects["ConfigMap/op-disksnapshot-operator-ca"]["data"]["ca.pem"] == pem
    bundle = Path(environment(objects)["DISKSNAPSHOT_CA_BUNDLE"])
    mounts = {mount["mountPath"] for mount in operator(objects)["containers"][0]["volumeMounts"]}
    assert bundle.name == "ca.pem"
    assert str(bundle.parent) in mounts
    assert environment(rendered(lab, tmp_path))["DISKSNAPSHOT_CA_BUNDLE"] == ""


def test_long_names_stay_within_what_kubernetes_allows(lab: Lab, tmp_path: Path) -> None:
    values = {"fullnameOverride": "x" * 80, "freezer": {"enabled": True}, "namespaces": ["shop"]}
    values["execNamespaces"] = values["scaleNamespaces"] = ["shop"]
    objects = rendered(lab, tmp_path, values)
    own = [made["metadata"]["name"] for name, made in objects.items() if "xxx" in name]
    assert own
    assert max(map(len, own)) <= 63
