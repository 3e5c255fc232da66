"""`down` leaves the machine as it was before `up`."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.cluster import Lab, cgroups, machine
from lab.cluster.down import down
from lab.cluster.up import up
from lab.cluster.waiting import until
from lab.layout import BRIDGE, POD_BRIDGE, Layout

_LINKS = (BRIDGE, POD_BRIDGE)


@pytest.fixture
def lab_taken_down() -> Iterator[Layout]:
    layout = Layout.from_environment()
    down(layout)
    try:
        yield layout
    finally:
        up(layout)


def _output(*argv: str) -> list[str]:
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.splitlines()


def _rules() -> list[str]:
    saved = [*_output("iptables-save"), *_output("ip6tables-save")]
    # An empty built-in chain (":INPUT ACCEPT [0:0]") says nothing but that somebody looked.
    return [line for line in saved if line.startswith("-A") or " - [" in line]


def _links() -> list[str]:
    return sorted(re.sub(r"^\d+: |@\S+", "", line) for line in _output("ip", "-o", "link"))


def _settings() -> dict[str, str]:
    names = ("kernel/panic", "kernel/panic_on_oops", "net/ipv4/ip_forward", "vm/overcommit_memory")
    return {name: Path("/proc/sys", name).read_text() for name in names}


def _machine() -> dict[str, object]:
    """Describe what must be the same before and after."""
    folders = ("/run/containerd", "/run/netns", "/var/lib/cni", "/var/lib/kubelet")
    return {
        "rules": _rules(),
        "links": _links(),
        "routes": _output("ip", "-o", "-4", "route"),
        "network namespaces": _output("ip", "netns", "list"),
        "settings": _settings(),
        "folders": {name: Path(name).exists() for name in folders},
        "logs": sorted(entry.name for entry in Path("/var/log").iterdir()),
    }


def _left_of_the_lab(layout: Layout) -> list[str]:
    """List what bears the lab's marks: there must be none after `down`."""
    state = str(layout.state)
    mounts = Path("/proc/self/mounts").read_text().splitlines()
    return [
        *(line for line in mounts if state in line),
        *(line for line in _output("losetup", "--list", "--noheadings") if state in line),
        *(line for line in _links() if line.startswith(_LINKS)),
        *(line for line in _rules() if "KUBE-" in line),
        *(str(group) for group in Path("/sys/fs/cgroup").rglob(cgroups.NAME)),
        *_processes(layout),
    ]


def _processes(layout: Layout) -> list[str]:
    """Name every other process that was started by the lab, or that sees its mounts."""
    return [
        f"process {entry.name}: {_text(entry / 'comm').strip()}"
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and int(entry.name) != os.getpid() and _belongs(entry, layout)
    ]


def _belongs(entry: Path, layout: Layout) -> bool:
    clues = _text(entry / "cmdline") + _text(entry / "mountinfo")
    return str(layout.state) in clues or f"/{cgroups.NAME}/" in _text(entry / "cgroup")


def _text(file: Path) -> str:
    try:
        return file.read_text(errors="replace")
    except OSError:
        return ""  # The process ended in between.


def _run_a_writer_on_a_disk(lab: Lab) -> None:
    lab.make_claim("default", "leftover")
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "leftover"},
        "spec": {
            "containers": [
                {
                    "name": "main",
                    "image": "localhost/mariadb:lab",
                    "imagePullPolicy": "Never",
                    "command": ["sh", "-c", "while :; do date >>/disk/log; done"],
                    "volumeMounts": [{"name": "disk", "mountPath": "/disk"}],
                }
            ],
            "volumes": [{"name": "disk", "persistentVolumeClaim": {"claimName": "leftover"}}],
        },
    }
    lab.kubectl("create", "-f", "-", stdin=json.dumps(pod))
    lab.kubectl("wait", "--for=condition=Ready", "pod/leftover", "--timeout=60s")


def _kill_an_up_halfway(layout: Layout) -> None:
    """Start `up` as its user does, and kill it between the first component and the last."""
    argv = [sys.executable, "-m", "lab", "up"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with subprocess.Popen(argv, env=environment, stdout=subprocess.DEVNULL) as rising:
        started = layout.run / "containerd.pid"
        until(lambda: started.exists() or rising.poll() is not None, "containerd", seconds=60)
        rising.kill()
    assert rising.returncode == -signal.SIGKILL
    assert not (layout.run / "csi.pid").exists()


def test_an_up_that_was_killed_is_made_good_by_the_next_and_down_leaves_nothing_of_both(
    lab_taken_down: Layout,
) -> None:
    before = _machine()
    _kill_an_up_halfway(lab_taken_down)
    lab = up(lab_taken_down)
    # The worst case for `down`: a writer on a disk that somebody has frozen.
    _run_a_writer_on_a_disk(lab)
    mounted = next(lab_taken_down.kubelet.glob("pods/*/volumes/kubernetes.io~csi/*/mount"))
    # Its writer can't be killed until somebody thaws the disk: `down` must.
    subprocess.run(["fsfreeze", "--freeze", str(mounted)], check=True)

    down(lab_taken_down)

    assert _left_of_the_lab(lab_taken_down) == []
    assert _machine() == before
    # An earlier `down` could have forgotten the same: this was noted before the first `up`.
    assert machine.changed(lab_taken_down) == {}
    assert not lab_taken_down.state.exists()


def test_down_on_a_machine_without_a_lab_changes_nothing(lab_taken_down: Layout) -> None:
    before = _machine()

    down(lab_taken_down)

    assert _machine() == before
