"""Let the poller follow many snapshots for one sweep; print as JSON what it asked of the cloud."""

import json
import tempfile
import threading
from argparse import ArgumentParser
from pathlib import Path
from typing import Final

from disksnapshot.cbs.poller import Poller
from lab.cbs.caller import Caller, client
from lab.local import SECRET_ID, Local, local

_SECONDS: Final = 60.0


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--pending", type=int, default=250)
    pending = parser.parse_args().pending
    with tempfile.TemporaryDirectory(prefix="dsb-") as folder, local(Path(folder)) as here:
        print(json.dumps({"calls": _sweep(here, _cut(here, pending))}))


def _cut(here: Local, pending: int) -> list[str]:
    ca_file, key = here.folder / "ca.pem", (here.folder / "key").read_text()
    caller = Caller(client(f"{here.address.host}:{here.address.port}", SECRET_ID, key, ca_file))
    here.control.settings(creationMilliseconds=0, visibilityDelayMilliseconds=0)
    for number in range(pending):
        caller.call("CreateSnapshot", DiskId=here.disk_id, SnapshotName=f"pending-{number}")
    return [snapshot["id"] for snapshot in here.control.snapshots()]


def _sweep(here: Local, snapshot_ids: list[str]) -> int:
    seen, all_seen = set[str](), threading.Event()

    def changed(snapshot_id: str) -> None:
        seen.add(snapshot_id)
        if len(seen) == len(snapshot_ids):
            all_seen.set()

    poller: Poller[str] = Poller(here.cloud, changed)
    for snapshot_id in snapshot_ids:
        poller.follow([snapshot_id], snapshot_id)
    _, since = here.control.calls()
    sweeping = threading.Thread(target=poller.run)
    sweeping.start()
    try:
        if not all_seen.wait(_SECONDS):
            raise TimeoutError(f"{len(seen)} of {len(snapshot_ids)} snapshots were seen")
    finally:
        poller.stop()
        sweeping.join(_SECONDS)
    calls, _ = here.control.calls(since)
    return sum(call["action"] == "DescribeSnapshots" for call in calls)


if __name__ == "__main__":
    main()
