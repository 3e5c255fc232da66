"""Where refusals happen: the operator, a database, and pods and claims that are all wrong."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lab.cluster import Lab
from lab.cluster.waiting import until
from lab.deaths import watching
from lab.demo import stage
from lab.freezing import fsfreeze
from lab.refusals import things
from lab.refusals.case import CLOSED, NAMESPACE

_DISKS: Final = ("shelf", "frozen", "slow", "lost", "covered")
_MORE_DISKS: Final = ("brief", "contested", "deaf")  # of pods that come and go
_RUNNING: Final = (*_DISKS, "host", "brief", "contested-0", "deaf-0")
_SECONDS: Final = "120s"


@dataclass(frozen=True, kw_only=True)
class Scene:
    """The lab with everything in it."""

    lab: Lab
    database: stage.Database

    @property
    def open(self) -> Sequence[str]:
        """The namespaces that the operator is installed for."""
        return (NAMESPACE,)

    def volume(self, pod: str) -> Path:
        """Return where the node has mounted the volume of one of the pods."""
        uid = stage.get(self.lab, NAMESPACE, pod, "pod")["metadata"]["uid"]
        name = stage.get(self.lab, NAMESPACE, f"data-{pod}", "pvc")["spec"]["volumeName"]
        volumes = self.lab.layout.kubelet / "pods" / str(uid) / "volumes" / "kubernetes.io~csi"
        return volumes / str(name) / "mount"

    def held(self) -> str:
        """Ask the kernel, the server and the pods what is still held; empty if nothing is."""
        for pod in _DISKS:
            # The kernel refuses to thaw what isn't frozen: that is its answer.
            if fsfreeze("--unfreeze", self.volume(pod)).returncode == 0:
                return f"the file system of pod {pod} was frozen"
        if (self.volume("shelf") / "held").exists():
            return "what acquire had taken was not released"
        return watching.still_held(
            self.lab, self.database, stage.mount_of(self.lab, self.database)
        )


@contextmanager
def staged(lab: Lab) -> Iterator[Scene]:
    """Set everything up, and take it away again."""
    _clear(lab)
    lab.cbs.settings(creationMilliseconds=0, visibilityDelayMilliseconds=50)
    try:
        database = stage.start_database(lab, NAMESPACE)
        watching.list_locks(database)
        _furnish(lab)
        stage.install_operator(lab, [NAMESPACE])
        yield Scene(lab=lab, database=database)
    finally:
        lab.cbs.clear_faults()
        lab.cbs.settings(creationMilliseconds=3000, visibilityDelayMilliseconds=50)
        _clear(lab)


def _furnish(lab: Lab) -> None:
    closed = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": CLOSED}}
    stage.apply(lab, closed, *things.secrets(), *things.users())
    disks = {name: lab.make_claim(NAMESPACE, f"data-{name}") for name in _DISKS}
    for name in _MORE_DISKS:
        lab.make_claim(NAMESPACE, f"data-{name}")
    lab.make_claim(CLOSED, "data-shut")
    lab.make_claim(NAMESPACE, "idle")
    shut = things.pod("shut", things.container("app"), namespace=CLOSED)
    stage.apply(lab, *things.pods(), *things.workloads(), shut)
    _make_foreign(lab, disks)
    _wait(lab, "--for=condition=Ready", *(f"pod/{name}" for name in _RUNNING))
    _wait(lab, "--for=jsonpath={.status.phase}=Succeeded", "pod/over")
    _wait(lab, "--for=jsonpath={.status.phase}=Running", "pod/unready")
    waits = "{.status.containerStatuses[0].state.waiting.reason}"
    _wait(lab, f"--for=jsonpath={waits}=CrashLoopBackOff", "pod/crashing")
    _wait(lab, "--for=condition=Ready", "pod/shut", namespace=CLOSED)


def _make_foreign(lab: Lab, disks: dict[str, str]) -> None:
    """Make the volumes that are no disks, or not their own, and all claims without a volume."""
    sources = things.foreign_volumes(disks["shelf"], disks["frozen"])
    stage.apply(lab, *(things.volume(name, source) for name, source in sources.items()))
    # A claim that the controller sees before its volume is looked at again only 15 s later.
    volumes = [f"pv/pv-{name}" for name in sources]
    _wait(lab, "--for=jsonpath={.status.phase}=Available", *volumes)
    modes = {name: source.get("volumeMode", "Filesystem") for name, source in sources.items()}
    stage.apply(lab, *(things.claim(name, f"pv-{name}", mode) for name, mode in modes.items()))
    _wait(lab, "--for=jsonpath={.status.phase}=Bound", *(f"pvc/{name}" for name in sources))
    unbound = things.claim("unbound", "no-such-volume")
    thief = things.claim("thief", f"pv-{disks['shelf']}")
    stage.apply(lab, unbound, thief, *things.empty_claims())


def _wait(lab: Lab, condition: str, *names: str, namespace: str = NAMESPACE) -> None:
    lab.kubectl("-n", namespace, "wait", condition, *names, f"--timeout={_SECONDS}")


def _clear(lab: Lab) -> None:
    for namespace in (NAMESPACE, CLOSED):
        _forget_objects(lab, namespace)
        # One pod takes minutes to end, and a set would only make it anew.
        lab.kubectl("-n", namespace, "delete", "statefulsets", "--all", "--cascade=orphan")
        lab.kubectl("-n", namespace, "delete", "pods", "--all", "--force", "--grace-period=0")
        lab.kubectl(
            "delete", "namespace", namespace, "--ignore-not-found", f"--timeout={_SECONDS}"
        )
    label = ",".join(f"{key}={value}" for key, value in things.LABEL.items())
    lab.kubectl("delete", "pv", "-l", label, f"--timeout={_SECONDS}")
    for namespace in (NAMESPACE, CLOSED):
        stage.remove_volumes(lab, namespace)


def _forget_objects(lab: Lab, namespace: str) -> None:
    """Delete all DiskSnapshots, with or without an operator that would let them go."""
    where = ("-n", namespace)
    names = lab.kubectl(*where, "get", "dsnap", "-o", "name", check=False).split()
    for name in names:
        lab.kubectl(*where, "delete", name, "--wait=false", "--ignore-not-found")
        free = ("patch", name, "--type=merge", "-p", '{"metadata": {"finalizers": null}}')
        lab.kubectl(*where, *free, check=False)
    until(
        lambda: not lab.kubectl(*where, "get", "dsnap", "-o", "name", check=False),
        f"The end of the DiskSnapshots in {namespace}",
    )
