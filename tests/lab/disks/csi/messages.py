"""The messages that the kubelet speaks, compiled from the protos in Kubernetes' own modules."""

import hashlib
import importlib
import sys
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Final

from lab.cluster import golang
from lab.cluster.commands import run
from lab.cluster.progress import step
from lab.layout import TESTS, Layout

_KUBERNETES: Final = TESTS / "lab" / "go" / "kubernetes"
_PROTOS: Final = {
    "github.com/container-storage-interface/spec": "csi.proto",
    "k8s.io/kubelet": "pkg/apis/pluginregistration/v1/api.proto",
}
_SECONDS_TO_DOWNLOAD: Final = 300.0


def folder(layout: Layout) -> Path:
    """Return where the compiled messages lie, named by what they are made from."""
    made_from = hashlib.sha256((_KUBERNETES / "go.mod").read_bytes())
    made_from.update(f"{sys.version} {version('grpcio-tools')}".encode())
    return layout.cache / "csi" / made_from.hexdigest()[:12]


def ensure(layout: Layout) -> None:
    """Compile the messages if the cache has none for this version."""
    target = folder(layout)
    if target.exists():
        return
    with step("Compiling the messages of CSI"):
        unfinished = target.with_name(f".{target.name}")
        unfinished.mkdir(parents=True, exist_ok=True)
        for module, proto in _PROTOS.items():
            _compile(_source(golang.program(layout), module) / proto, unfinished)
        unfinished.rename(target)


def load(where: Path) -> tuple[ModuleType, ModuleType]:
    """Return the messages of CSI and those of the kubelet's plugin registration."""
    sys.path.insert(0, str(where))
    return importlib.import_module("csi_pb2"), importlib.import_module("api_pb2")


def _source(go: str, module: str) -> Path:
    # The version is the one that this version of Kubernetes requires: asked in its go.mod.
    def ask(*arguments: str) -> str:
        environment = {"GOFLAGS": "-mod=readonly", "GOWORK": "off"}
        argv = (go, "-C", str(_KUBERNETES), *arguments)
        return run(*argv, environment=environment, seconds=_SECONDS_TO_DOWNLOAD)

    ask("mod", "download", module)
    return Path(ask("list", "-m", "-f", "{{.Dir}}", module).strip())


def _compile(proto: Path, target: Path) -> None:
    compiler = (sys.executable, "-m", "grpc_tools.protoc")
    run(*compiler, f"-I{proto.parent}", f"--python_out={target}", proto.name)
