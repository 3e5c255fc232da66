"""Names, addresses and folders of the lab, in one place."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

TESTS = Path(__file__).resolve().parent.parent
"""The source root of the package `lab`, for the PYTHONPATH of components in Python."""

BRIDGE = "dslab0"
POD_BRIDGE = "dslab1"
NODE_ADDRESS = "10.231.0.1"
NODE_NETWORK = "10.231.0.1/24"
NODE_NAME = "lab-node"
POD_NETWORK = "10.231.64.0/18"
SERVICE_NETWORK = "10.96.0.0/16"
SERVICE_ADDRESS = "10.96.0.1"
API_SERVER = f"https://{NODE_ADDRESS}:6443"

CBS_ENDPOINT = f"{NODE_ADDRESS}:9443"
CBS_CONTROL = "http://127.0.0.1:9444"
# Where roles get temporary keys: STS for pods, the metadata address for the machine.
STS_ENDPOINT = f"{NODE_ADDRESS}:9445"
METADATA_ADDRESS = f"{NODE_ADDRESS}:9446"
REGION = "ap-guangzhou"
ZONE = "ap-guangzhou-3"
INSTANCE_ID = "ins-lab00001"
CSI_DRIVER = "com.tencent.cloud.csi.cbs"
SECRET_ID = "AKIDlab" + "x" * 29  # public on purpose: only the key beside it is secret

PAUSE_IMAGE = "localhost/pause:lab"
CONTAINERD_NAMESPACE = "k8s.io"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The two folders that the lab writes to, and what lies in them."""

    cache: Path
    state: Path

    @classmethod
    def from_environment(cls) -> Self:
        caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        cache = Path(os.environ.get("DISKSNAPSHOT_LAB_CACHE") or caches / "disksnapshot-lab")
        state = Path(os.environ.get("DISKSNAPSHOT_LAB_STATE") or "/var/lib/disksnapshot-lab")
        return cls(cache=cache.absolute(), state=state.absolute())

    @property
    def pki(self) -> Path:
        return self.state / "pki"

    @property
    def etcd(self) -> Path:
        return self.state / "etcd"

    @property
    def containerd(self) -> Path:
        """Images, kept from one life of the lab to the next: importing them takes longest."""
        digest = hashlib.sha256(str(self.state).encode()).hexdigest()[:8]
        return self.cache / f"containerd-{digest}"

    @property
    def kubelet(self) -> Path:
        return self.state / "kubelet"

    @property
    def run(self) -> Path:
        """Sockets and pid files."""
        return self.state / "run"

    @property
    def logs(self) -> Path:
        return self.state / "logs"

    @property
    def config(self) -> Path:
        """Configuration files that the lab generates for its components."""
        return self.state / "config"

    @property
    def store(self) -> Path:
        """The mount point of the reflink store."""
        return self.state / "store"

    @property
    def freezer(self) -> Path:
        """The tmpfs with the freezer's records."""
        return self.state / "freezer"

    @property
    def kubeconfig(self) -> Path:
        return self.state / "admin.kubeconfig"

    @property
    def ca_file(self) -> Path:
        return self.pki / "ca.pem"

    @property
    def ca_key_file(self) -> Path:
        return self.pki / "ca.key"

    @property
    def cbs_secrets(self) -> Path:
        return self.pki / "cbs-secrets.json"

    @property
    def binaries(self) -> Path:
        """Links to the programs that the lab built: kubectl, helm and the rest."""
        return self.state / "bin"

    @property
    def machine(self) -> Path:
        """What the machine was like before the lab: settings to restore."""
        return self.state / "machine.json"

    @property
    def first_picture(self) -> Path:
        """All settings of the machine before the first `up` since it was booted; it stays."""
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return self.cache / f"machine-{boot}.json"

    @property
    def containerd_socket(self) -> Path:
        return self.run / "containerd.sock"
