"""The DiskSnapshot definition under another group, so that no operator works on the objects."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import yaml

from lab.cluster import Lab
from lab.cluster.waiting import until

REPOSITORY: Final = Path(__file__).resolve().parents[2]
SOURCE: Final = REPOSITORY / "crds" / "disksnapshots.yaml"
GROUP: Final = "rules.disksnapshot.test"
KIND: Final = f"disksnapshots.{GROUP}"
CLAIM: Final = {"claims": [{"name": "data-mysql-0"}]}
MYSQL: Final = {"mysql": {"credentialsSecretRef": {"name": "mysql-snapshot"}}}
FREEZE: Final = {"freeze": {"method": "Agent"}}
BY_EXEC: Final = {"freeze": {"method": "Exec"}}
SYNC: Final[dict[str, Any]] = {"sync": {}}


def keep(lab: Lab) -> None:
    """Make sure of the definition itself, for an operator whose chart does not bring it."""
    lab.kubectl("apply", "--server-side", "--force-conflicts", f"--filename={SOURCE}")
    group = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))["spec"]["group"]
    until(lambda: _is_served(lab, group), f"The API server serves {group}")


@contextmanager
def installed(lab: Lab) -> Iterator[None]:
    """Serve the definition from the lab's API server, and take it away again."""
    _remove(lab)  # with the objects of a run that was cut off
    lab.kubectl("create", "--filename=-", stdin=json.dumps(_definition()))
    try:
        # Not `kubectl wait`: it fails at once while there are no conditions yet.
        until(lambda: _is_served(lab, GROUP), f"The API server serves {KIND}")
        yield
    finally:
        _remove(lab)


def snapshot(name: str = "orders", **spec: Any) -> str:
    """Return a DiskSnapshot of one claim, as text for kubectl."""
    return json.dumps(
        {
            "apiVersion": f"{GROUP}/v1alpha1",
            "kind": "DiskSnapshot",
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"source": CLAIM, **spec},
        }
    )


def stored(lab: Lab, document: str) -> Any:
    """Return the object as the API server would keep it, without keeping it."""
    output = "--output=json"
    return json.loads(
        lab.kubectl("create", "--dry-run=server", output, "--filename=-", stdin=document)
    )


def _remove(lab: Lab) -> None:
    lab.kubectl("delete", "crd", KIND, "--timeout=60s", "--ignore-not-found")


def _definition() -> Any:
    definition = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))
    definition["metadata"]["name"] = KIND
    definition["spec"]["group"] = GROUP
    return definition


def _is_served(lab: Lab, group: str) -> bool:
    path = f"/apis/{group}/v1alpha1/disksnapshots"
    return "DiskSnapshotList" in lab.kubectl("get", "--raw", path, check=False)
