"""Run the emulator as a program until it is told to stop."""

import argparse
import json
import signal
import sys
from pathlib import Path

from lab.cbs.errors import StartError
from lab.cbs.server import REGION, Emulator


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    asked = _arguments()
    # Blocked before any thread starts, so that sigwait is the only one to take them.
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    emulator = Emulator(
        asked.store,
        asked.listen,
        asked.cert,
        asked.key,
        asked.control,
        json.loads(asked.secrets.read_text()),
        asked.log,
        region=asked.region,
        sts=asked.sts,
        metadata=asked.metadata,
    )
    try:
        with emulator:
            print(_addresses(emulator), flush=True)
            signal.sigwait(ends)
    except StartError as error:
        sys.exit(str(error))


def _addresses(emulator: Emulator) -> str:
    known = f"API on https://{emulator.endpoint}, control on {emulator.control_url}"
    if emulator.sts_endpoint:
        known += f", STS on https://{emulator.sts_endpoint}"
    if emulator.metadata_url:
        known += f", metadata on {emulator.metadata_url}"
    return known


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m lab.cbs", description=__doc__)
    parser.add_argument("--store", type=Path, required=True, help="folder with reflinks")
    parser.add_argument("--listen", required=True, help="host:port of the API")
    parser.add_argument("--cert", type=Path, required=True, help="server certificate, PEM")
    parser.add_argument("--key", type=Path, required=True, help="its key, PEM")
    parser.add_argument("--control", required=True, help="host:port of the control port")
    parser.add_argument("--secrets", type=Path, required=True, help='{"SecretId": "SecretKey"}')
    parser.add_argument("--region", default=REGION)
    parser.add_argument("--sts", default="", help="host:port of STS, over TLS; none without it")
    parser.add_argument("--metadata", default="", help="host:port of the metadata address, HTTP")
    parser.add_argument("--log", type=Path, help="file that gets a line of JSON a call")
    return parser.parse_args()


if __name__ == "__main__":
    main()
