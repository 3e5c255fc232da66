"""Run any build of the operator against the lab's cluster, as a process beside it."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.request import urlopen

from lab.bench.builds import Build
from lab.cluster import Lab, pki
from lab.cluster.waiting import until
from lab.demo import stage
from lab.layout import REGION

USER: Final = "bench-operator"
_PROBES: Final = 18080
_FREEZER: Final = (
    f"app.kubernetes.io/name=disksnapshot-operator,app.kubernetes.io/instance={stage.RELEASE},"
    "app.kubernetes.io/component=freezer"
)


@contextmanager
def paused(lab: Lab) -> Iterator[None]:
    """Stop the operator that Helm installed: two would share the work, and the counts."""
    where = ("-n", stage.OPERATOR_NAMESPACE)
    selector = "app.kubernetes.io/component=operator"
    lab.kubectl(*where, "scale", stage.DEPLOYMENT, "--replicas=0")
    lab.kubectl(*where, "wait", "--for=delete", "pod", "-l", selector, "--timeout=60s")
    try:
        yield
    finally:
        lab.kubectl(*where, "scale", stage.DEPLOYMENT, "--replicas=1")
        lab.kubectl(*where, "rollout", "status", stage.DEPLOYMENT, "--timeout=120s")


@contextmanager
def operating(build: Build, lab: Lab, **more: str) -> Iterator[None]:
    """Run a build until the end of the context; the freezer of the cluster serves it too.

    It takes no Lease, unless `more` of its environment asks for one.
    """
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log").open("w+") as log:
        environment = build.environment | _settings(lab, Path(folder)) | more
        argv = [sys.executable, "-m", "disksnapshot"]
        with subprocess.Popen(argv, env=environment, stdout=log, stderr=log) as process:
            try:
                until(_ready, f"{build.name} is ready", seconds=30)
                yield
            except BaseException:
                log.seek(0)
                print(log.read()[-5000:])
                raise
            finally:
                process.terminate()


def _ready() -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{_PROBES}/readyz", timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _settings(lab: Lab, folder: Path) -> dict[str, str]:
    access = pki.kubeconfig(
        lab.layout, lab.layout.pki / f"{USER}.kubeconfig", user=USER, group="system:masters"
    )
    for name, content in (("secretId", lab.secret_id), ("secretKey", lab.secret_key)):
        (folder / name).write_text(content)
    return {
        "KUBECONFIG": str(access),
        "DISKSNAPSHOT_ENDPOINT": lab.cbs_endpoint,
        "DISKSNAPSHOT_REGION": REGION,
        "DISKSNAPSHOT_CA_BUNDLE": str(lab.ca_file),
        "DISKSNAPSHOT_CREDENTIALS_DIR": str(folder),
        "DISKSNAPSHOT_FREEZER_ENABLED": "true",
        "DISKSNAPSHOT_FREEZER_NAMESPACE": stage.FREEZER_NAMESPACE,
        "DISKSNAPSHOT_FREEZER_SELECTOR": _FREEZER,
        "DISKSNAPSHOT_PROBE_PORT": str(_PROBES),
    }


def events_on(lab: Lab, namespace: str, kind: str, name: str) -> list[str]:
    """Return the reasons of all events on an object."""
    selector = f"involvedObject.kind={kind},involvedObject.name={name}"
    where = ("-n", namespace, "get", "events", "--field-selector", selector, "-o", "json")
    return [item["reason"] for item in json.loads(lab.kubectl(*where))["items"]]
