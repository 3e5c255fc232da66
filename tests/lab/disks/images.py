"""The images that pods of the lab run from, made here and given to containerd."""

import hashlib
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from lab.cluster import golang
from lab.cluster.commands import run
from lab.cluster.errors import LabError
from lab.cluster.progress import step
from lab.cluster.waiting import until
from lab.disks import archive, buildah, rootfs
from lab.layout import CONTAINERD_NAMESPACE, PAUSE_IMAGE, Layout

if TYPE_CHECKING:
    from lab.cluster import Lab

MARIADB_IMAGE: Final = "localhost/mariadb:lab"
MYSQL_IMAGE: Final = "localhost/mysql:lab"

_HERE: Final = Path(__file__).parent
_LABEL: Final = "disksnapshot-lab"
_SEEN: Final = "io.cri-containerd.image"
_LONGEST_KEY: Final = 12
_SECONDS_TO_IMPORT: Final = 300.0


def ensure(lab: "Lab") -> None:
    """Give containerd every image of the lab that it lacks or has in an older state."""
    layout = lab.layout
    ensure_pause(layout)
    ensure_mariadb(layout)
    ensure_operator(layout)


def ensure_pause(layout: Layout) -> None:
    """Give containerd the image that holds each pod's namespaces."""
    source = _HERE / "pause" / "main.go"
    key = _key_of([source])
    if _has(layout, PAUSE_IMAGE, key):
        return
    with tempfile.TemporaryDirectory(dir=_scratch(layout)) as folder:
        layer = archive.layer_of({"/pause": _built_pause(layout, source)}, Path(folder, "layer"))
        image = archive.Image(name=PAUSE_IMAGE, layers=[layer], entrypoint=["/pause"])
        _give(layout, image, key)


def ensure_mariadb(layout: Layout) -> None:
    """Give containerd the database server of which most of the lab makes use."""
    _ensure_server(layout, MARIADB_IMAGE, rootfs.MARIADB)


def ensure_mysql(layout: Layout) -> None:
    """Give containerd the other database server; only where it is needed, since it is large."""
    _ensure_server(layout, MYSQL_IMAGE, rootfs.MYSQL)


def _ensure_server(layout: Layout, name: str, recipe: rootfs.Recipe) -> None:
    folder = _HERE / recipe.name
    entrypoint, settings = folder / "entrypoint.sh", folder / "lab.cnf"
    files = {"/usr/local/bin/entrypoint.sh": entrypoint, "/etc/mysql/lab.cnf": settings}
    key = _key_of([entrypoint, settings], recipe.key)
    if _has(layout, name, key):
        return
    base = rootfs.ensure(recipe, layout.cache / "rootfs")
    with tempfile.TemporaryDirectory(dir=_scratch(layout)) as scratch:
        image = archive.Image(
            name=name,
            layers=[base, archive.layer_of(files, Path(scratch, "layer"))],
            entrypoint=["/usr/local/bin/entrypoint.sh"],
            environment={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
        )
        _give(layout, image, key)


def ensure_operator(layout: Layout) -> None:
    """Give containerd the operator as it is in this checkout."""
    key = buildah.key()
    if _has(layout, buildah.OPERATOR_IMAGE, key):
        return
    buildah.ensure(layout)
    with tempfile.TemporaryDirectory(dir=_scratch(layout)) as folder:
        file = Path(folder, "operator.tar")
        buildah.save(layout, file)
        with _import(layout, buildah.OPERATOR_IMAGE, key) as target, file.open("rb") as content:
            while block := content.read(1 << 20):
                target.write(block)


def _built_pause(layout: Layout, source: Path) -> Path:
    target = layout.cache / "images" / f"pause-{_key_of([source])}"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_name(f".{target.name}")
        flags = ("-trimpath", "-ldflags", "-s -w", "-o", str(unfinished))
        environment = {"CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"}
        run(golang.program(layout), "build", *flags, str(source), environment=environment)
        unfinished.rename(target)
    return target


def _give(layout: Layout, image: archive.Image, key: str) -> None:
    with _import(layout, image.name, key) as target:
        archive.write(image, target)


@contextmanager
def _import(layout: Layout, name: str, key: str) -> Iterator[IO[bytes]]:
    """Yield a stream that takes a docker-archive; at the end the image is there, with its key."""
    with step(f"Importing the image {name}"):
        command = _ctr(layout, "images", "import", "-")
        with (
            tempfile.TemporaryFile() as said,
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=said, stderr=said) as ctr,
        ):
            assert ctr.stdin
            # If it stopped reading, its own words below say more than "broken pipe".
            with suppress(BrokenPipeError):
                yield ctr.stdin
                ctr.stdin.close()
            if ctr.wait(_SECONDS_TO_IMPORT):
                said.seek(0)
                raise LabError(f"containerd refused the image {name}: {said.read().decode()}")
        # containerd's Kubernetes plugin sees the image a little later, and sets its labels anew.
        until(lambda: _has_label(layout, name, _SEEN, "managed"), f"Kubernetes sees {name}")
        # Last: an import that was cut off has no key, and is done again.
        run(*_ctr(layout, "images", "label", name, f"{_LABEL}={key}"))


def _has(layout: Layout, name: str, key: str) -> bool:
    return _has_label(layout, name, _LABEL, key)


def _has_label(layout: Layout, name: str, label: str, value: str) -> bool:
    wanted = f'name=={name},labels."{label}"=={value}'
    return bool(run(*_ctr(layout, "images", "ls", "--quiet", wanted)).strip())


def _ctr(layout: Layout, *arguments: str) -> tuple[str, ...]:
    socket = str(layout.containerd_socket)
    return ("ctr", "--address", socket, "--namespace", CONTAINERD_NAMESPACE, *arguments)


def _key_of(files: list[Path], base: str = "") -> str:
    digest = hashlib.sha256(base.encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:_LONGEST_KEY]


def _scratch(layout: Layout) -> Path:
    folder = layout.state / "scratch"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
