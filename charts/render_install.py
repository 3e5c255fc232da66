"""Write dist/install.yaml from the chart, for those who use `kubectl apply` instead of Helm."""

import subprocess
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

CHART = Path(__file__).resolve().parent / "disksnapshot-operator"
NAME = "disksnapshot-operator"

_HEAD = """\
# The operator and all that it needs, but for one Secret. Made by `make install-yaml` from the
# chart {chart}.
#
#   kubectl create namespace {namespace}
#   kubectl -n {namespace} create secret generic {credentials} \\
#     --from-literal=secretId=AKID... --from-literal=secretKey=...
#   kubectl apply --server-side -f install.yaml
#   kubectl -n {namespace} rollout status deployment/{name}
#
# To remove it and all DiskSnapshot objects: first the objects, while the operator runs, for nobody
# else deletes the snapshots of those with deletionPolicy Delete. The first command waits for that.
#
#   kubectl delete dsnap --all --all-namespaces
#   kubectl delete -f install.yaml
#
# To remove it and keep the objects and every snapshot: first the operator, which lets go of what
# it holds; then its finalizers; then all but the definition. An operator that is installed again
# goes on with the objects; until then a workload that is at zero for a snapshot stays there,
# unless you run the command that its object has in status.offline.undo.
#
#   kubectl -n {namespace} delete deployment {name} --cascade=foreground
#   kubectl get dsnap --all-namespaces --output \\
#     jsonpath='{{range .items[*]}}{{.metadata.namespace}}/{{.metadata.name}}{{"\\n"}}{{end}}' |
#     while IFS=/ read -r namespace name; do
#       kubectl -n "$namespace" patch dsnap "$name" --type=merge \\
#         --patch '{{"metadata": {{"finalizers": null}}}}'
#     done
#   kubectl delete -f install.yaml -l app.kubernetes.io/component!=definition
#
# `kubectl delete -f install.yaml` alone, while an object still has a finalizer, takes the operator
# and its rights away and then waits for ever; no snapshot is deleted. What to do then:
# docs/ends.md, "Removing what kubectl applied".
---
apiVersion: v1
kind: Namespace
metadata:
  name: {namespace}
  labels:
    pod-security.kubernetes.io/enforce: restricted
"""


def render(asked: Namespace, *more: str) -> str:
    """Return the whole file; `more` are arguments for Helm."""
    values = [
        f"tencent.region={asked.region}",
        f"tencent.credentials.existingSecret={asked.credentials}",
        f"namespaces={{{asked.open}}}",
        f"execNamespaces={{{asked.open_exec}}}",
        f"scaleNamespaces={{{asked.open_scale}}}",
        f"freezer.enabled={str(asked.freezer).lower()}",
    ]
    chosen = [f"--set={value}" for value in values if not value.endswith("={}")]
    # A tag such as 1.2 would be taken for a number.
    chosen += [f"--set-string={value}" for value in _image(asked.image)]
    # Without hooks: kubectl would run at once what is meant for before an uninstall.
    template = [asked.helm, "template", NAME, str(CHART), f"--namespace={asked.namespace}"]
    template += ["--no-hooks"]
    made = subprocess.run(
        [*template, *chosen, *more], check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    # Else what kubectl made would call itself Helm's, and a later `helm install` would believe it.
    made = made.replace(
        "app.kubernetes.io/managed-by: Helm", "app.kubernetes.io/managed-by: kubectl"
    )
    head = _HEAD.format(
        chart=_version(), namespace=asked.namespace, credentials=asked.credentials, name=NAME
    )
    return head + made


def write(text: str, into: Path | None) -> None:
    """Write the whole file or, if this is cut off, none: kubectl would apply half of one."""
    if into is None:
        sys.stdout.write(text)
        return
    into.parent.mkdir(parents=True, exist_ok=True)
    partial = into.with_name(f"{into.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(into)


def parse(arguments: Sequence[str] | None = None) -> Namespace:
    """Return what is asked for on the command line."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--image", required=True, help="such as registry.test/disksnapshot:0.1.0")
    parser.add_argument("--region", required=True, help="of the disks, such as ap-guangzhou")
    parser.add_argument("--namespace", default="disksnapshot-system")
    parser.add_argument("--credentials", default="cbs-credentials", help="name of the Secret")
    parser.add_argument("--open", default="", help="namespaces whose Secrets may be read: a,b")
    parser.add_argument("--open-exec", default="", help="namespaces for commands in pods: a,b")
    parser.add_argument("--open-scale", default="", help="namespaces for spec.offline: a,b")
    parser.add_argument("--freezer", action="store_true", help="install the freezer too")
    parser.add_argument("--helm", default="helm", help="the program")
    parser.add_argument("--into", type=Path, help="the file, instead of standard output")
    return parser.parse_args(arguments)


def _image(image: str) -> list[str]:
    name, _, digest = image.partition("@")
    if digest:
        return [f"image.repository={name}", f"image.digest={digest}"]
    folder, _, last = image.rpartition("/")
    last, _, tag = last.partition(":")
    repository = f"{folder}/{last}" if folder else last
    return [f"image.repository={repository}", f"image.tag={tag}"]


def _version() -> str:
    lines = (CHART / "Chart.yaml").read_text(encoding="utf-8").splitlines()
    return next(line.partition(" ")[2] for line in lines if line.startswith("version: "))


def main() -> int:
    """Print the file, or write it where it is wanted."""
    asked = parse()
    try:
        write(render(asked), asked.into)
    except FileNotFoundError as error:
        print(f"{error.filename} was not found; Helm 3 is needed", file=sys.stderr)  # noqa: T201 - a program
        return 1
    except subprocess.CalledProcessError as error:
        return int(error.returncode)  # Helm has said why
    return 0


if __name__ == "__main__":
    sys.exit(main())
