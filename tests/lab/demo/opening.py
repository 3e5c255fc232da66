"""Raise the lab for the demo; while it compiles, show what needs no Kubernetes."""

import subprocess
import sys

from rich.console import Console

from lab.cluster import Lab, builds, check, packages
from lab.cluster.errors import LabError
from lab.demo import meanwhile
from lab.layout import Layout


def raise_the_lab(console: Console) -> Lab:
    """Return the running lab; on a first run, play the local act while Kubernetes compiles."""
    layout = Layout.from_environment()
    check.machine(layout)
    first_run = bool(builds.missing(layout))
    if first_run:
        packages.install()  # the local act needs the database server
    with subprocess.Popen([sys.executable, "-m", "lab", "up"]) as rising:
        if first_run:
            meanwhile.play(console)
    if rising.returncode:
        raise LabError("The lab did not come up; its own words are above.")
    return Lab.running()
