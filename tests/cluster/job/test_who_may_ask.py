"""Who may ask for what: the API server lets nobody have done what they may not do themselves."""

import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cluster.people import SNAPSHOTS, Person, every
from lab.cluster import pki
from lab.cluster.waiting import until
from lab.demo import stage
from lab.demo.shop import Shop

from .conftest import NAMESPACE, OTHER

FREEZE = {"quiesce": {"steps": [{"freeze": {"method": "Agent"}}]}}
EXEC = ("create", "pods/exec")
NEEDS_EXEC = f"may not create pods/exec in namespace {NAMESPACE}, which spec.quiesce takes"
OPERATOR = f"system:serviceaccount:{stage.OPERATOR_NAMESPACE}:disksnapshot-operator"


@pytest.fixture
def asker(shop: Shop) -> Person:
    """A new user who may create DiskSnapshots, and nothing else."""
    name = f"asker-{secrets.token_hex(3)}"
    return Person.called(shop.lab, shop.namespace, name).may("create", SNAPSHOTS)


@pytest.fixture(scope="module", autouse=True)
def _in_force(shop: Shop) -> None:
    """A policy works a moment after it was made: wait for the first refusal."""
    nobody = Person.called(shop.lab, shop.namespace, "nobody-yet").may("create", SNAPSHOTS)
    until(lambda: bool(nobody.tries_to_create(shop.snapshot())), "The policies are in force")


@pytest.fixture
def held(shop: Shop) -> Iterator[dict[str, Any]]:
    """A DiskSnapshot that would hold pods, made by the administrator; it never gets that far."""
    body = shop.snapshot(source={"claims": [{"name": "nowhere"}]})
    shop.apply(body)
    shop.until_reason(body, "ClaimNotFound")
    yield body
    shop.lab.kubectl(
        *where(body), "delete", "dsnap", body["metadata"]["name"], "--ignore-not-found"
    )


def where(body: dict[str, Any]) -> tuple[str, str]:
    return ("--namespace", body["metadata"]["namespace"])


def account_of(shop: Shop) -> str:
    return f"{shop.database.pod}-snapshot"


def unheld(shop: Shop, **spec: Any) -> dict[str, Any]:
    body = shop.snapshot(**spec)
    del body["spec"]["quiesce"]
    return body


def test_who_may_only_create_diskSnapshots_may_not_have_pods_held(  # noqa: N802 - its name
    shop: Shop, asker: Person
) -> None:
    for body in (shop.snapshot(), shop.snapshot(**FREEZE)):
        said = asker.tries_to_create(body)
        assert f"{asker.name} {NEEDS_EXEC}" in said
        assert "(Forbidden)" in said


def test_a_cut_with_nothing_held_takes_no_right_on_pods(shop: Shop, asker: Person) -> None:
    assert asker.tries_to_create(unheld(shop)) == ""


def test_who_may_exec_may_have_pods_frozen(shop: Shop, asker: Person) -> None:
    asker.may(*EXEC)
    assert asker.tries_to_create(shop.snapshot(**FREEZE)) == ""


def test_a_right_in_another_namespace_counts_for_nothing(shop: Shop, asker: Person) -> None:
    asker.may(*EXEC, namespace=OTHER)
    assert NEEDS_EXEC in asker.tries_to_create(shop.snapshot(**FREEZE))


def test_a_secret_is_used_only_for_those_who_may_get_that_very_secret(
    shop: Shop, asker: Person
) -> None:
    asker.may(*EXEC).may("get", "secrets", "another")
    said = asker.tries_to_create(shop.snapshot())
    assert f"{asker.name} may not get secrets/{account_of(shop)} in namespace" in said
    asker.may("get", "secrets", account_of(shop))
    assert asker.tries_to_create(shop.snapshot()) == ""


def test_the_secret_of_an_authority_is_a_secret_like_any_other(shop: Shop, asker: Person) -> None:
    asker.may(*EXEC).may("get", "secrets", account_of(shop))
    tls = {"caSecretRef": {"name": "authority"}}
    body = shop.snapshot(quiesce=shop.mysql(tls=tls))
    assert f"{asker.name} may not get secrets/authority" in asker.tries_to_create(body)
    asker.may("get", "secrets", "authority")
    assert asker.tries_to_create(body) == ""


def test_a_workload_is_taken_to_zero_only_for_those_who_may_scale_that_very_one(
    shop: Shop, asker: Person
) -> None:
    target = {"scaleTargetRef": {"kind": "StatefulSet", "name": "ledger"}}
    body = unheld(shop, offline=target)
    asker.may("patch", "statefulsets/scale.apps", "another")
    said = f"{asker.name} may not patch the scale of StatefulSet ledger in namespace"
    assert said in asker.tries_to_create(body)
    asker.may("patch", "statefulsets/scale.apps", "ledger")
    assert asker.tries_to_create(body) == ""
    target["scaleTargetRef"]["kind"] = "Deployment"
    assert "the scale of Deployment ledger" in asker.tries_to_create(body)


def test_a_user_with_a_certificate_of_their_own_is_held_to_it_too(
    shop: Shop, tmp_path: Path
) -> None:
    name = f"certified-{secrets.token_hex(3)}"
    file = pki.kubeconfig(shop.lab.layout, tmp_path / f"{name}.kubeconfig", user=name)
    subject = {"kind": "User", "name": name, "apiGroup": "rbac.authorization.k8s.io"}
    person = Person(shop.lab, shop.namespace, name, (f"--kubeconfig={file}",), subject)
    person.may("create", SNAPSHOTS)
    assert NEEDS_EXEC in person.tries_to_create(shop.snapshot())


def test_a_controller_that_has_the_rights_gets_a_proven_snapshot(shop: Shop) -> None:
    controller = Person.account(shop.lab, shop.namespace, f"gitops-{secrets.token_hex(3)}")
    controller.may("create", SNAPSHOTS).may("get", SNAPSHOTS)
    body = shop.snapshot()
    full_name = f"system:serviceaccount:{shop.namespace}:{controller.name}"
    assert f"{full_name} {NEEDS_EXEC}" in controller.tries_to_create(body)
    controller.may(*EXEC).may("get", "secrets", account_of(shop))
    controller.does("create", "--filename=-", stdin=json.dumps(body))
    name = f"dsnap/{body['metadata']['name']}"
    shop.lab.kubectl(*where(body), "wait", "--for=condition=Ready", name, "--timeout=60s")
    assert shop.get(body)["status"]["consistency"] == "ApplicationConsistent"


def test_labels_and_finalizers_change_without_the_rights_of_the_author(
    shop: Shop, held: dict[str, Any]
) -> None:
    name = ("dsnap", held["metadata"]["name"])
    person = Person.called(shop.lab, shop.namespace, f"labeller-{secrets.token_hex(3)}")
    person.may("patch", SNAPSHOTS).may("get", SNAPSHOTS)
    person.does("label", *name, "team=shop")
    person.does("annotate", *name, "note=seen")
    finalizers = {"metadata": {"finalizers": ["shop.test/later"]}}
    person.does("patch", *name, "--type=merge", f"--patch={json.dumps(finalizers)}")
    finalizers["metadata"]["finalizers"] = []
    person.does("patch", *name, "--type=merge", f"--patch={json.dumps(finalizers)}")
    policy = json.dumps({"spec": {"deletionPolicy": "Delete"}})
    assert NEEDS_EXEC in person.refused("patch", *name, "--type=merge", f"--patch={policy}")


def test_a_deletion_is_held_up_by_nothing(shop: Shop, held: dict[str, Any]) -> None:
    person = Person.called(shop.lab, shop.namespace, f"deleter-{secrets.token_hex(3)}")
    person.may("delete", SNAPSHOTS).may("get", SNAPSHOTS)
    person.does("delete", "dsnap", held["metadata"]["name"], "--wait=false")
    gone = ("wait", "--for=delete", f"dsnap/{held['metadata']['name']}", "--timeout=30s")
    shop.lab.kubectl(*where(held), *gone)


def test_a_right_to_patch_the_status_is_not_enough_to_write_it(
    shop: Shop, held: dict[str, Any]
) -> None:
    person = Person.called(shop.lab, shop.namespace, f"forger-{secrets.token_hex(3)}")
    person.may("patch", "disksnapshots/status.disksnapshot.io")
    person.may("get", "disksnapshots/status.disksnapshot.io")
    name = ("dsnap", held["metadata"]["name"])
    forged = json.dumps({"status": {"snapshotID": "snap-abcdefgh"}})
    change = ("patch", *name, "--subresource=status", "--type=merge", f"--patch={forged}")
    assert "written by the operator alone" in person.refused(*change)
    assert "snapshotID" not in shop.get(held)["status"]


VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")
READ = set(VERBS[:3])


@pytest.mark.parametrize(
    ("role", "verbs"), [("view", READ), ("edit", {*READ, "create"}), ("admin", set(VERBS))]
)
def test_the_clusters_own_roles_take_diskSnapshots_in(  # noqa: N802 - its name
    shop: Shop, role: str, verbs: set[str]
) -> None:
    person = Person.called(shop.lab, shop.namespace, f"{role}-{secrets.token_hex(3)}")
    person.has_role(role)
    until(lambda: every(person, VERBS) == {verb: verb in verbs for verb in VERBS}, role)
    assert not person.can("patch", "disksnapshots/status.disksnapshot.io")
    assert (person.tries_to_create(shop.snapshot()) == "") == ("create" in verbs)


def test_the_operator_itself_may_not_exec_into_the_pods_of_a_namespace_that_was_not_opened(
    shop: Shop,
) -> None:
    pod = f"/api/v1/namespaces/{OTHER}/pods/ledger/exec?command=true&stdout=true"
    operator = Person.called(shop.lab, OTHER, OPERATOR)
    assert 'cannot get resource "pods/exec"' in operator.refused("get", "--raw", pod)
    assert 'cannot create resource "pods/exec"' in operator.refused(
        "create", "--raw", pod, "--filename=-", stdin="{}"
    )


def test_the_policies_ask_for_nothing_that_the_definition_does_not_have(shop: Shop) -> None:
    kind = "validatingadmissionpolicy"
    for name in ("disksnapshot-operator-ask", "disksnapshot-operator-record"):
        found: dict[str, Any] = {}

        def checked(name: str = name, found: dict[str, Any] = found) -> bool:
            found.update(json.loads(shop.lab.kubectl("get", kind, name, "--output=json")))
            seen = found.get("status", {}).get("observedGeneration")
            return bool(seen == found["metadata"]["generation"])

        until(checked, f"The expressions of {name} are checked")
        assert found["status"].get("typeChecking", {}).get("expressionWarnings") is None
