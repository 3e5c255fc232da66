"""People of the cluster: who they are, what they were granted, what the API server tells them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lab.cluster import Lab, LabError
from lab.cluster.commands import run
from lab.cluster.waiting import until
from lab.demo import stage
from lab.layout import API_SERVER

SNAPSHOTS: Final = "disksnapshots.disksnapshot.io"


@dataclass(frozen=True)
class Person:
    """A user or a service account, with rights in one namespace only, and how they log in."""

    lab: Lab
    namespace: str
    name: str
    login: tuple[str, ...]
    subject: Mapping[str, str]

    @classmethod
    def called(cls, lab: Lab, namespace: str, name: str) -> "Person":
        """Return a user whom the administrator's certificate stands in for."""
        subject = {"kind": "User", "name": name, "apiGroup": "rbac.authorization.k8s.io"}
        kubeconfig = f"--kubeconfig={lab.kubeconfig}"
        return cls(lab, namespace, name, (kubeconfig, f"--as={name}"), subject)

    @classmethod
    def account(cls, lab: Lab, namespace: str, name: str) -> "Person":
        """Return a service account with a token, as a controller has it."""
        place = {"name": name, "namespace": namespace}
        stage.apply(lab, {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": place})
        token = lab.kubectl("--namespace", namespace, "create", "token", name).strip()
        server = (f"--server={API_SERVER}", f"--certificate-authority={lab.ca_file}")
        login = ("--kubeconfig=/dev/null", *server, f"--token={token}")
        return cls(lab, namespace, name, login, {"kind": "ServiceAccount", **place})

    def may(self, verb: str, resource: str, *names: str, namespace: str = "") -> "Person":
        """Grant one right by a Role of its own; return when the API server knows of it."""
        plural, _, group = resource.partition(".")
        rule: dict[str, Any] = {"apiGroups": [group], "resources": [plural], "verbs": [verb]}
        if names:
            rule["resourceNames"] = list(names)
        label = "-".join([self.name, verb, plural.replace("/", "-"), *names])
        role = {"kind": "Role", "metadata": {"name": label}, "rules": [rule]}
        place = namespace or self.namespace
        self._bind(place, label, {"kind": "Role", "name": label}, role)
        until(lambda: self._is_allowed(verb, resource, place, *names), f"{label} is granted")
        return self

    def has_role(self, name: str) -> "Person":
        """Bind a ClusterRole, as `view`, in the namespace."""
        label = f"{self.name}-{name}"
        self._bind(self.namespace, label, {"kind": "ClusterRole", "name": name})
        until(lambda: self._is_allowed("get", SNAPSHOTS, self.namespace), f"{label} is granted")
        return self

    def does(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl as this person; raise LabError with what the API server says."""
        kubectl = str(self.lab.binaries / "kubectl")
        return run(kubectl, *self.login, "--namespace", self.namespace, *arguments, stdin=stdin)

    def refused(self, *arguments: str, stdin: str | None = None) -> str:
        """Return what the API server says to it; empty when it lets it pass."""
        try:
            self.does(*arguments, stdin=stdin)
        except LabError as error:
            return str(error)
        return ""

    def tries_to_create(self, body: Mapping[str, Any]) -> str:
        """Return why the API server would not take an object; empty when it would."""
        dry = ("create", "--dry-run=server", "--filename=-")
        return self.refused(*dry, stdin=json.dumps(body))

    def can(self, verb: str, resource: str) -> bool:
        """Ask the API server whether a right is held."""
        return self._is_allowed(verb, resource, self.namespace)

    def _bind(
        self, namespace: str, label: str, role: Mapping[str, str], *more: Mapping[str, Any]
    ) -> None:
        group = "rbac.authorization.k8s.io"
        binding = {
            "kind": "RoleBinding",
            "metadata": {"name": label},
            "roleRef": {**role, "apiGroup": group},
            "subjects": [dict(self.subject)],
        }
        for made in (*more, binding):
            metadata = {**made["metadata"], "namespace": namespace}
            stage.apply(self.lab, {**made, "apiVersion": f"{group}/v1", "metadata": metadata})

    def _is_allowed(self, verb: str, resource: str, namespace: str, *names: str) -> bool:
        plural, _, group = resource.partition(".")
        plural, _, subresource = plural.partition("/")
        asked = {"verb": verb, "resource": plural, "group": group, "namespace": namespace}
        asked |= {"subresource": subresource, "name": names[0] if names else ""}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": asked},
        }
        # kubectl would look for a schema of its own accord, which takes rights on definitions.
        ask = ("create", "--validate=false", "--output=json", "--filename=-")
        said = self.does(*ask, stdin=json.dumps(review))
        return bool(json.loads(said)["status"]["allowed"])


def every(person: Person, verbs: Sequence[str]) -> dict[str, bool]:
    """Return which of the verbs on DiskSnapshots a person holds."""
    return {verb: person.can(verb, SNAPSHOTS) for verb in verbs}
