"""The lab's certificate authority, and the certificates and kubeconfigs signed by it."""

import base64
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import trustme
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from lab.layout import API_SERVER, Layout

# Sizes and formats are left to trustme; a lab's certificates live as long as its state folder.
_PRIVATE: Final = 0o600


class Pair(NamedTuple):
    """A certificate and its key, as files."""

    certificate: Path
    key: Path


def ensure_authority(layout: Layout) -> None:
    """Make the authority and the service accounts' key, once in the life of a lab."""
    layout.pki.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not layout.ca_file.exists():
        authority = trustme.CA(organization_name="disksnapshot-lab")
        _write(layout.ca_key_file, authority.private_key_pem.bytes(), mode=_PRIVATE)
        _write(layout.ca_file, authority.cert_pem.bytes())
    if not service_account_key(layout).exists():
        key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
        _write(service_account_key(layout), pem, mode=_PRIVATE)


def service_account_key(layout: Layout) -> Path:
    return layout.pki / "service-account.key"


def issue(
    layout: Layout, name: str, *, hosts: Sequence[str] = (), user: str = "", group: str = ""
) -> Pair:
    """Return a pair for a server (its hosts) or a client (user and group), cached by name."""
    pair = Pair(layout.pki / f"{name}.pem", layout.pki / f"{name}.key")
    if not pair.certificate.exists():
        authority = trustme.CA.from_pem(
            layout.ca_file.read_bytes(), layout.ca_key_file.read_bytes()
        )
        # A client has no host, but Go refuses a certificate whose list of names is empty.
        names = hosts or (f"{name}.client.invalid",)
        leaf = authority.issue_cert(
            *names, common_name=user or name, organization_name=group or None
        )
        _write(pair.key, leaf.private_key_pem.bytes(), mode=_PRIVATE)
        _write(pair.certificate, b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
    return pair


def kubeconfig(layout: Layout, file: Path, *, user: str, group: str = "") -> Path:
    """Write the kubeconfig of a user, certificates inside it, and return its path."""
    if not file.exists():
        pair = issue(layout, f"client-{file.stem}", user=user, group=group)
        _write(file, _kubeconfig(layout, pair).encode(), mode=_PRIVATE)
    return file


def _kubeconfig(layout: Layout, pair: Pair) -> str:
    def encoded(part: Path) -> str:
        return base64.b64encode(part.read_bytes()).decode()

    cluster = {"server": API_SERVER, "certificate-authority-data": encoded(layout.ca_file)}
    user = {
        "client-certificate-data": encoded(pair.certificate),
        "client-key-data": encoded(pair.key),
    }
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "lab", "cluster": cluster}],
        "users": [{"name": "lab", "user": user}],
        "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "lab"}}],
        "current-context": "lab",
    }
    return json.dumps(document, indent=2)


def _write(file: Path, content: bytes, *, mode: int = 0o644) -> None:
    # Whole or not at all: a killed `up` must not leave half a key for the next one.
    partial = file.with_name(f".{file.name}.partial")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as out:
        out.write(content)
    partial.replace(file)
