"""Run the CSI plugin until it is told to stop."""

import argparse
import signal
import sys
from pathlib import Path
from typing import Any

from kubernetes import config

from lab.cbs.control import Control
from lab.disks.csi import identity, messages, rpc
from lab.disks.csi.attachments import Attachments
from lab.disks.csi.node import Node
from lab.disks.csi.sockets import Sockets


def main() -> None:
    """Serve the kubelet and follow the attachments until SIGTERM or SIGINT."""
    asked = _arguments()
    for end in (signal.SIGTERM, signal.SIGINT):
        signal.signal(end, _leave)
    api = config.new_client_from_config(str(asked.kubeconfig))  # type: ignore[no-untyped-call]  # the client ships no types
    servers = _serve(asked)
    try:
        # Here and not in a thread: if it fails in a way that it doesn't know, all of us ends.
        Attachments(api, Control(asked.control), asked.disks).run()
    finally:
        for server in servers:
            server.stop(grace=1).wait()


def _leave(number: int, _: object) -> None:
    sys.exit(f"Told to stop by {signal.Signals(number).name}")


def _serve(asked: argparse.Namespace) -> list[Any]:
    csi, api = messages.load(asked.messages)
    sockets = Sockets(asked.kubelet)
    node = Node(csi, asked.disks)
    # The registration last: once it is there, the kubelet calls the others.
    return [
        rpc.serve(
            sockets.plugin,
            {
                "csi.v1.Identity": (csi, identity.identity(csi)),
                "csi.v1.Node": (csi, node.methods()),
            },
        ),
        rpc.serve(
            sockets.registration,
            {
                "pluginregistration.Registration": (
                    api,
                    identity.registration(api, sockets.plugin),
                )
            },
        ),
    ]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m lab.disks.csi", description=__doc__)
    parser.add_argument("--kubelet", type=Path, required=True, help="the kubelet's folder")
    parser.add_argument("--kubeconfig", type=Path, required=True)
    parser.add_argument("--disks", type=Path, required=True, help="folder of the disks' files")
    parser.add_argument("--control", required=True, help="URL of the emulator's control port")
    parser.add_argument("--messages", type=Path, required=True, help="folder of the messages")
    return parser.parse_args()


if __name__ == "__main__":
    main()
