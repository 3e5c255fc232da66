"""The running lab, as tests and the demo use it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from kubernetes import client, config

from lab.cbs.control import Control
from lab.cluster import control_plane, parts
from lab.cluster.commands import run
from lab.cluster.components import Component
from lab.cluster.errors import LabError
from lab.layout import CBS_CONTROL, CBS_ENDPOINT, CONTAINERD_NAMESPACE, SECRET_ID, Layout


@dataclass(frozen=True, slots=True)
class Lab:
    """One Kubernetes node with an emulated cloud beside it."""

    layout: Layout

    @classmethod
    def running(cls) -> Self:
        """Return the lab; fail with one sentence when it is not up."""
        layout = Layout.from_environment()
        if not layout.kubeconfig.exists() or not control_plane.api_ready(layout):
            raise LabError("The lab is not up: run `make lab-up` first.")
        return cls(layout)

    @property
    def state(self) -> Path:
        return self.layout.state

    @property
    def kubeconfig(self) -> Path:
        return self.layout.kubeconfig

    @property
    def binaries(self) -> Path:
        return self.layout.binaries

    @property
    def ca_file(self) -> Path:
        return self.layout.ca_file

    @property
    def cbs_endpoint(self) -> str:
        return CBS_ENDPOINT

    @property
    def cbs(self) -> Control:
        return Control(CBS_CONTROL)

    @property
    def secret_id(self) -> str:
        return SECRET_ID

    @property
    def secret_key(self) -> str:
        return str(json.loads(self.layout.cbs_secrets.read_text())[SECRET_ID])

    def kubectl(self, *arguments: str, stdin: str | None = None, check: bool = True) -> str:
        argv = (str(self.binaries / "kubectl"), "--kubeconfig", str(self.kubeconfig), *arguments)
        # As Helm's: `kubectl wait` has a --timeout of its own, and what it says is to be heard.
        return run(*argv, stdin=stdin, check=check, seconds=300)

    def helm(self, *arguments: str) -> str:
        argv = (str(self.binaries / "helm"), "--kubeconfig", str(self.kubeconfig), *arguments)
        return run(*argv, seconds=300)

    def ctr(self, *arguments: str) -> str:
        """Run containerd's client in the kubelet's namespace."""
        address = ("--address", str(self.layout.containerd_socket))
        return run("ctr", *address, "--namespace", CONTAINERD_NAMESPACE, *arguments, seconds=300)

    def api(self) -> client.ApiClient:
        made: client.ApiClient = config.new_client_from_config(  # type: ignore[no-untyped-call]  # the client ships no types
            str(self.kubeconfig)
        )
        return made

    def component(self, name: str) -> Component:
        """Return a part of the lab by its name, to kill, stop or start it."""
        known = {part.name: part for part in parts.of_the_lab(self)}
        if name not in known:
            raise LabError(f"The lab has no component {name!r}; it has {', '.join(known)}.")
        return known[name]

    def make_claim(
        self,
        namespace: str,
        name: str,
        size_gib: int = 1,
        disk_id: str | None = None,
        kind: str = "ext4",
    ) -> str:
        """Make a bound claim on a disk (a new one unless given); return the disk's id."""
        # Loaded late: it imports this module for its types.
        from lab.disks import claims  # noqa: PLC0415

        return claims.make_claim(
            self, namespace, name, size_gib=size_gib, disk_id=disk_id, kind=kind
        )

    def remove_claim(self, namespace: str, name: str) -> None:
        from lab.disks import claims  # noqa: PLC0415 - loaded late, as above

        claims.remove_claim(self, namespace, name)
