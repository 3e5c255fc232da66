"""The operator's settings: the environment, read once into one frozen value."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PREFIX = "DISKSNAPSHOT_"


class SettingsError(Exception):
    """A setting is missing or wrong; the message names it."""


@dataclass(frozen=True, slots=True)
class KeysFromFiles:
    """The account's keys lie in the files of a mounted Secret."""

    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysFromPodIdentity:
    """Keys of a role that the pod's own token is exchanged for (TKE pod identity)."""

    endpoint: str
    region: str
    provider_id: str
    role_arn: str
    token_file: Path


@dataclass(frozen=True, slots=True)
class KeysFromRole:
    """Keys of the CAM role of the machine; `role` is empty for whatever role it has."""

    address: str
    role: str


Keys = KeysFromFiles | KeysFromPodIdentity | KeysFromRole


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that differs between installations."""

    region: str
    endpoint: str
    ca_bundle: str | None
    signature_seconds: int
    keys: Keys
    cluster_id: str
    freezer_enabled: bool
    freezer_namespace: str
    freezer_selector: str
    probe_port: int
    lease_namespace: str
    pod_name: str
    metrics_port: int
    sweep_seconds: int
    deletes_orphans: bool
    log_level: str
    log_format: str

    @property
    def host_and_port(self) -> tuple[str, int]:
        """The cloud's address; 443 unless the endpoint names a port."""
        host, _, port = self.endpoint.partition(":")
        return host, int(port or 443)


def read(environment: Mapping[str, str]) -> Settings:
    """Return the settings; raise SettingsError for one that is missing or wrong."""

    def text(name: str, default: str | None = None) -> str:
        value = environment.get(f"{PREFIX}{name}") or default
        if value is None:
            raise SettingsError(f"{PREFIX}{name} is not set")
        return value

    return Settings(
        region=text("REGION"),
        endpoint=_endpoint(text("ENDPOINT", "cbs.internal.tencentcloudapi.com")),
        ca_bundle=text("CA_BUNDLE", "") or None,
        signature_seconds=_seconds(text("SIGNATURE_SECONDS", "300"), 60, 300, "SIGNATURE_SECONDS"),
        keys=_keys(environment, text),
        cluster_id=text("CLUSTER_ID", ""),
        freezer_enabled=text("FREEZER_ENABLED", "false") == "true",
        freezer_namespace=text("FREEZER_NAMESPACE", "disksnapshot-freezer"),
        freezer_selector=text("FREEZER_SELECTOR", "app.kubernetes.io/component=freezer"),
        probe_port=_number(text("PROBE_PORT", "8080"), "PROBE_PORT"),
        # Without it this operator believes that it is alone.
        lease_namespace=text("LEASE_NAMESPACE", ""),
        pod_name=text("POD_NAME", environment.get("HOSTNAME") or "disksnapshot"),
        metrics_port=_number(text("METRICS_PORT", "0"), "METRICS_PORT"),  # 0: none
        sweep_seconds=_number(text("SWEEP_SECONDS", "3600"), "SWEEP_SECONDS"),
        deletes_orphans=text("DELETE_ORPHANS", "false") == "true",
        log_level=text("LOG_LEVEL", "INFO"),
        log_format=_one_of(text("LOG_FORMAT", "text"), ("text", "json"), "LOG_FORMAT"),
    )


def _keys(environment: Mapping[str, str], text: Callable[[str, str], str]) -> Keys:
    """Return the one place of the keys: none is tried after another."""
    match text("CREDENTIALS_MODE", "Secret"):
        case "Secret":
            return KeysFromFiles(Path(text("CREDENTIALS_DIR", "/etc/disksnapshot/credentials")))
        case "PodIdentity":
            endpoint = text("STS_ENDPOINT", "sts.internal.tencentcloudapi.com")
            return _pod_identity(environment, _endpoint(endpoint, "STS_ENDPOINT"))
        case "CVMRole":
            address = text("METADATA_URL", "http://metadata.tencentyun.com/latest/meta-data/")
            return KeysFromRole(address, text("CVM_ROLE", ""))
        case other:
            raise SettingsError(
                f"{PREFIX}CREDENTIALS_MODE must be Secret, PodIdentity or CVMRole, not {other!r}"
            )


def _pod_identity(environment: Mapping[str, str], endpoint: str) -> KeysFromPodIdentity:
    """Read what TKE's webhook puts into the environment of a pod."""
    names = ("TKE_REGION", "TKE_PROVIDER_ID", "TKE_ROLE_ARN", "TKE_WEB_IDENTITY_TOKEN_FILE")
    missing = [name for name in names if not environment.get(name)]
    if missing:
        raise SettingsError(
            f"{', '.join(missing)} not set: TKE's pod-identity-webhook sets them in the pods of "
            "an annotated service account; is it installed, and was it when this pod was made?"
        )
    region, provider, role, token_file = (environment[name] for name in names)
    return KeysFromPodIdentity(
        endpoint=endpoint,
        region=region,
        provider_id=provider,
        role_arn=role,
        token_file=Path(token_file),
    )


def _endpoint(value: str, name: str = "ENDPOINT") -> str:
    # With a scheme the SDK would sign the wrong Host, and every call would be refused.
    if "/" in value:
        raise SettingsError(f"{PREFIX}{name} must be host or host:port, without https://")
    if ":" in value:
        _number(value.partition(":")[2], f"{name}'s port")
    return value


def _number(value: str, name: str) -> int:
    if not value.isdigit():
        raise SettingsError(f"{PREFIX}{name} must be a number, not {value!r}")
    return int(value)


def _seconds(value: str, least: int, most: int, name: str) -> int:
    seconds = _number(value, name)
    if not least <= seconds <= most:
        raise SettingsError(f"{PREFIX}{name} must be {least} to {most}, not {seconds}")
    return seconds


def _one_of(value: str, words: tuple[str, ...], name: str) -> str:
    if value not in words:
        raise SettingsError(f"{PREFIX}{name} must be {' or '.join(words)}, not {value!r}")
    return value
