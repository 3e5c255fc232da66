"""Build the operator's image from the project's own Dockerfile, as its users would."""

import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from lab.cluster.commands import run
from lab.cluster.progress import step
from lab.disks import archive, rootfs
from lab.layout import Layout

OPERATOR_IMAGE: Final = "localhost/operator:lab"

_PROJECT: Final = Path(__file__).resolve().parents[3]
_CERTIFICATES: Final = Path("/etc/ssl/certs")
_SECONDS_TO_BUILD: Final = 1200.0
_LABEL: Final = "disksnapshot-lab"
_LONGEST_KEY: Final = 12


def key() -> str:
    """Change whenever anything does that ends up in the operator's image."""
    digest = hashlib.sha256(rootfs.PYTHON.key.encode())
    for file in _ingredients():
        digest.update(f"{file.relative_to(_PROJECT)}\0".encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:_LONGEST_KEY]


def ensure(layout: Layout) -> None:
    """Have the operator's image, as it is in this checkout, in buildah's storage."""
    wanted = key()
    if not _buildah(layout, "images", "--quiet", "--filter", f"label={_LABEL}={wanted}").strip():
        base = _base(layout)
        with step("Building the operator's image from the Dockerfile"):
            _build(layout, base, f"{_LABEL}={wanted}")


def save(layout: Layout, target: Path) -> None:
    """Write the operator's image to a docker-archive."""
    _buildah(
        layout, "push", "--quiet", OPERATOR_IMAGE, f"docker-archive:{target}:{OPERATOR_IMAGE}"
    )


def _ingredients() -> Iterator[Path]:
    for name in ("Dockerfile", ".dockerignore", "requirements.lock"):
        if (_PROJECT / name).exists():
            yield _PROJECT / name
    code = (_PROJECT / "operator").rglob("*")
    yield from sorted(p for p in code if p.is_file() and "__pycache__" not in p.parts)


def _base(layout: Layout) -> str:
    """Return the name of the Python base image in buildah's storage."""
    name = f"localhost/python:{rootfs.PYTHON.key}"
    if not _buildah(layout, "images", "--quiet", "--filter", f"reference={name}").strip():
        tar = rootfs.ensure(rootfs.PYTHON, layout.cache / "rootfs")
        image = archive.Image(name=name, layers=[tar])
        with (
            step("Importing the Python base image"),
            tempfile.NamedTemporaryFile(dir=layout.state, suffix=".tar") as file,
        ):
            archive.write(image, file)
            file.flush()
            _buildah(layout, "pull", "--quiet", f"docker-archive:{file.name}")
    _buildah(layout, "tag", name, "localhost/python:lab")
    return name


def _build(layout: Layout, base: str, label: str) -> None:
    # With `--layers` a change of the code doesn't install the dependencies again: 5 s, not 37.
    arguments = ["--layers", "--isolation", "chroot", "--build-arg", f"BASE={base}"]
    if _CERTIFICATES.is_dir():
        arguments += ["--build-context", f"certs={_CERTIFICATES}"]
    arguments += ["--label", label, "--tag", OPERATOR_IMAGE, str(_PROJECT)]
    _buildah(layout, "bud", *arguments, seconds=_SECONDS_TO_BUILD)


def _buildah(layout: Layout, *arguments: str, seconds: float = 300) -> str:
    # A storage of our own: images of the machine's other users are neither seen nor touched.
    storage = ("--root", str(layout.cache / "buildah"), "--runroot", str(layout.run / "buildah"))
    return run("buildah", *storage, *arguments, seconds=seconds)
