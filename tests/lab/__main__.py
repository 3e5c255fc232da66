"""`python -m lab up|down|check|status|demo`: the lab's commands."""

import argparse
import fcntl
import importlib
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from lab.cluster import LabError, check
from lab.cluster.down import down
from lab.cluster.progress import say
from lab.cluster.up import status, up
from lab.layout import Layout


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m lab", description=__doc__)
    parser.add_argument("command", choices=sorted(_COMMANDS))
    command = _COMMANDS[parser.parse_args().command]
    try:
        command(Layout.from_environment())
    except LabError as error:
        say(str(error))
        return 1
    return 0


def _up(layout: Layout) -> None:
    with _alone(layout):
        up(layout)
    say(f"The lab is up. KUBECONFIG={layout.kubeconfig}")


def _down(layout: Layout) -> None:
    with _alone(layout):
        down(layout)
    say("The lab is down; its caches are kept.")


def _check(layout: Layout) -> None:
    check.machine(layout)
    say("This machine can run the lab.")


def _demo(_layout: Layout) -> None:
    # Only here: the demo needs parts of the lab that the other commands do without.
    importlib.import_module("lab.demo.main").main()


_COMMANDS: Final[Mapping[str, Callable[[Layout], None]]] = {
    "up": _up,
    "down": _down,
    "check": _check,
    "status": status,
    "demo": _demo,
}


@contextmanager
def _alone(layout: Layout) -> Iterator[None]:
    """Keep a second `up` or `down` waiting; the kernel lets go when we die."""
    layout.cache.mkdir(parents=True, exist_ok=True)
    with (layout.cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    sys.exit(main())
