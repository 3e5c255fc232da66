"""Kubernetes, etcd and Helm, built from their Go modules into a cache keyed by version."""

import hashlib
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lab.cluster import golang
from lab.cluster.errors import LabError
from lab.cluster.progress import say
from lab.layout import TESTS, Layout

KUBERNETES_VERSION: Final = "v1.34.4"
_MODULES: Final = TESTS / "lab" / "go"
_HEARTBEAT_SECONDS: Final = 20
_ENVIRONMENT: Final = {
    "CGO_ENABLED": "0",
    "GOFLAGS": "-buildvcs=false -trimpath -mod=readonly",
    "GOTOOLCHAIN": "local",
    "GOWORK": "off",
}


def _kubernetes_stamp() -> str:
    # kubectl and the API server refuse to compare versions that were not stamped in.
    _, minor, _ = KUBERNETES_VERSION.split(".")
    values = {
        "gitVersion": KUBERNETES_VERSION,
        "gitMajor": "1",
        "gitMinor": minor,
        "gitTreeState": "clean",
        "gitCommit": KUBERNETES_VERSION,
        "buildDate": "1970-01-01T00:00:00Z",
    }
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    return " ".join(f"-X {p}.{key}={value}" for p in packages for key, value in values.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """One go.mod of the lab, and the programs built from it."""

    name: str
    version: str
    programs: dict[str, str]
    stamp: str = ""

    @property
    def source(self) -> Path:
        return _MODULES / self.name

    @property
    def flags(self) -> str:
        return f"-s -w {self.stamp}".strip()

    def folder(self, layout: Layout) -> Path:
        """Return where its programs lie; another name for anything that would change them."""
        digest = hashlib.sha256(f"{self.flags} {sorted(_ENVIRONMENT.items())}".encode())
        for name in ("go.mod", "go.sum"):
            digest.update((self.source / name).read_bytes())
        return layout.cache / "bin" / f"{self.name}-{self.version}-{digest.hexdigest()[:12]}"


MODULES: Final = (
    Module(
        name="kubernetes",
        version=KUBERNETES_VERSION,
        programs={
            name: f"k8s.io/kubernetes/cmd/{name}"
            for name in (
                "kube-apiserver",
                "kube-controller-manager",
                "kube-scheduler",
                "kube-proxy",
                "kubelet",
                "kubectl",
            )
        },
        stamp=_kubernetes_stamp(),
    ),
    Module(name="etcd", version="v3.6", programs={"etcd": "go.etcd.io/etcd/server/v3"}),
    Module(
        name="helm",
        version="v3.22.0",
        programs={"helm": "helm.sh/helm/v3/cmd/helm"},
        # Without the last two `helm template` takes the cluster for a 1.20.
        stamp="-X helm.sh/helm/v3/internal/version.version=v3.22.0"
        " -X helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor=1"
        " -X helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor=34",
    ),
)


def missing(layout: Layout) -> list[tuple[Module, str]]:
    return [
        (module, program)
        for module in MODULES
        for program in module.programs
        if not (module.folder(layout) / program).exists()
    ]


def ensure(layout: Layout) -> None:
    """Build what the cache lacks, and link every program into one folder."""
    wanted = missing(layout)
    go = golang.program(layout) if wanted else ""
    for number, (module, program) in enumerate(wanted, start=1):
        _build(go, module, program, layout, label=f"{number} of {len(wanted)}")
    _link(layout)


def path(layout: Layout, program: str) -> str:
    """Return a program's place in the cache, which names its version."""
    module = next(m for m in MODULES if program in m.programs)
    return str(module.folder(layout) / program)


def _build(go: str, module: Module, program: str, layout: Layout, *, label: str) -> None:
    folder = module.folder(layout)
    folder.mkdir(parents=True, exist_ok=True)
    # Renamed when complete: a build that was killed never looks like a program.
    partial = folder / f".{program}.partial"
    what = f"Building {program} {module.version} from its Go module ({label})"
    argv = [go, "build", "-ldflags", module.flags, "-o", str(partial), module.programs[program]]
    begun = time.monotonic()
    say(f"{what} ...")
    for seconds in _running(argv, module.source, log=folder / f".{program}.log"):
        say(f"{what} ... {seconds} s")
    partial.rename(folder / program)
    say(f"{what}: {time.monotonic() - begun:.0f} s")


def _running(argv: list[str], folder: Path, *, log: Path) -> Iterator[int]:
    """Run the build; yield the seconds so far at each heartbeat."""
    begun = time.monotonic()
    environment = {**os.environ, **_ENVIRONMENT}
    with (
        log.open("w") as output,
        subprocess.Popen(argv, cwd=folder, env=environment, stdout=output, stderr=output) as build,
    ):
        while _still_runs(build):
            yield int(time.monotonic() - begun)
    if build.returncode:
        words = " ".join(log.read_text(errors="replace").split())[-600:]
        raise LabError(f"`{' '.join(argv[:2])} {argv[-1]}` failed: {words}")


def _still_runs(build: subprocess.Popen[bytes]) -> bool:
    try:
        build.wait(_HEARTBEAT_SECONDS)
    except subprocess.TimeoutExpired:
        return True
    return False


def _link(layout: Layout) -> None:
    layout.binaries.mkdir(parents=True, exist_ok=True)
    for module in MODULES:
        for program in module.programs:
            link, target = layout.binaries / program, module.folder(layout) / program
            if not link.is_symlink() or link.readlink() != target:
                link.unlink(missing_ok=True)
                link.symlink_to(target)
