"""Write a container image as a docker-archive: layers, a config, and a manifest in one tar."""

import hashlib
import io
import json
import os
import platform
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

_FILE: Final = 0o644
_PROGRAM: Final = 0o755


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A name, the layers from the bottom up as uncompressed tar files, and how it is run."""

    name: str
    layers: Sequence[Path]
    entrypoint: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)

    def config(self, digests: Sequence[str]) -> bytes:
        """The image's config; its layers are named by their digests."""
        said: dict[str, Any] = {
            "architecture": _architecture(),
            "os": "linux",
            "config": {
                "Entrypoint": list(self.entrypoint),
                "Env": [f"{name}={value}" for name, value in self.environment.items()],
            },
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in digests]},
            # buildah builds on an image only if its history has one entry a layer.
            "history": [{"created_by": "disksnapshot-lab"} for _ in digests],
        }
        return json.dumps(said, sort_keys=True).encode()


def write(image: Image, target: IO[bytes]) -> None:
    """Write the archive as a stream; the target needn't be a file."""
    digests = [_digest(layer) for layer in image.layers]
    config = image.config(digests)
    config_name = f"{hashlib.sha256(config).hexdigest()}.json"
    names = [f"{digest}/layer.tar" for digest in digests]
    manifest = [{"Config": config_name, "RepoTags": [image.name], "Layers": names}]
    with tarfile.open(fileobj=target, mode="w|") as archive:
        for layer, name in zip(image.layers, names, strict=True):
            _add_file(archive, layer, name)
        _add(archive, config_name, config)
        _add(archive, "manifest.json", json.dumps(manifest).encode())


def layer_of(files: Mapping[str, Path], target: Path) -> Path:
    """Write a layer of single files, named by their paths in the image."""
    with tarfile.open(target, "w") as layer:
        for name, source in sorted(files.items()):
            # Not the checkout's own modes: those hang on the umask of whoever made it.
            mode = _PROGRAM if os.access(source, os.X_OK) else _FILE
            _add(layer, name.lstrip("/"), source.read_bytes(), mode=mode)
    return target


def _add(archive: tarfile.TarFile, name: str, content: bytes, *, mode: int = _FILE) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    entry.mode = mode
    archive.addfile(entry, io.BytesIO(content))


def _add_file(archive: tarfile.TarFile, source: Path, name: str) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = source.stat().st_size
    entry.mode = _FILE
    with source.open("rb") as content:
        archive.addfile(entry, content)


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _architecture() -> str:
    return {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
