"""The command `probe-cut`: its options, and one run from the first write to the report."""

from __future__ import annotations

import argparse
import json
import os
import secrets
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from disksnapshot import settings as environment
from disksnapshot.cbs import credentials
from disksnapshot.cbs.client import Cloud
from disksnapshot.cbs.clock import CloudClock
from disksnapshot.cbs.limits import Limits
from disksnapshot.errors import Problem, Unavailable
from disksnapshot.probecut import counter
from disksnapshot.probecut.calls import Calls, ProbeError
from disksnapshot.probecut.copies import Copies
from disksnapshot.probecut.device import BLOCK, Device, DeviceError
from disksnapshot.probecut.report import Report, judged
from disksnapshot.window.hold import CloudAddress, HoldError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from disksnapshot.probecut.report import Moments

WARM_SECONDS = 0.5  # of writing, before the cut
DESCRIPTION = """\
Find out when CBS cuts, relative to its reply to CreateSnapshot. Nobody publishes that, and the
operator's holds depend on it. ALL DATA ON THE DISK IS LOST: use a new one, of a few GiB.

The probe writes a counter to the disk without a pause, asks for a snapshot in the middle of it,
makes a second disk of the snapshot, and looks how far the counter had come in there."""
EPILOG = """\
Run it as root where the disk is attached: on a CVM, or in a privileged pod of the operator's
image. The account comes from the operator's own environment variables: at least
DISKSNAPSHOT_REGION, and DISKSNAPSHOT_CREDENTIALS_DIR (a folder with the files secretId and
secretKey). It must be allowed DescribeDisks, CreateSnapshot, DescribeSnapshots, DeleteSnapshots,
CreateDisks and TerminateDisks, with --attach-to also AttachDisks and DetachDisks.

It costs two small disks and a snapshot for some minutes. If the program dies, the cloud deletes
the snapshot after 25 hours; a disk named probe-cut-... is to be removed by hand."""


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(
        prog="python -m disksnapshot probe-cut",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--disk-id", required=True, help="the disk to overwrite, such as disk-abcdefgh")
    add("--device", required=True, type=Path, help="the disk on this machine, such as /dev/vdb")
    attach = "attach the restored disk to this machine, such as ins-abcdefgh; without it, the "
    attach += "program asks you to do so, and waits"
    add("--attach-to", metavar="INSTANCE", default="", help=attach)
    where = "where the restored disk will be; default: BY_ID_FOLDER/virtio-<its id>"
    add("--restored-device", type=Path, metavar="DEVICE", help=where)
    by_id = Path("/dev/disk/by-id")
    add("--by-id-folder", type=Path, default=by_id, metavar="DIR", help="default: %(default)s")
    writing = "go on writing for so long once the snapshot is listed (default: %(default)s)"
    add("--write-seconds", type=float, default=10.0, metavar="SECONDS", help=writing)
    patience = "for the copy, and for the restored disk (default: %(default)s)"
    add("--timeout", type=float, default=1800.0, metavar="SECONDS", help=patience)
    add("--skip-signature", action="store_true", help="don't measure the life of a signature")
    add("--keep", action="store_true", help="leave the snapshot and the restored disk")
    add("--json", type=Path, metavar="FILE", help="write the report there too")
    destroy = "use the device although it is not blank; never one that is mounted or in use"
    add("--yes-destroy", action="store_true", help=destroy)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    """Run the command; 0 with a report, 1 without one, 2 when it was asked wrongly."""
    options = parsed(arguments)
    try:
        settings = environment.read(os.environ)
    except environment.SettingsError as error:
        _say(str(error))
        return 2
    clock = CloudClock()
    cloud = Cloud(
        credentials.opened(settings.keys, settings.ca_bundle, clock),
        settings.region,
        settings.endpoint,
        settings.ca_bundle,
        Limits(),
        clock,
    )
    host, port = settings.host_and_port
    address = CloudAddress(host=host, port=port, ca_file=settings.ca_bundle)
    try:
        report = Probe(options, cloud, address).run()
    except (DeviceError, HoldError, ProbeError, Problem, Unavailable) as error:
        _say(f"probe-cut: {error}")
        return 1
    except KeyboardInterrupt:
        _say("probe-cut: stopped")
        return 1
    print("\n".join(report.lines()))  # noqa: T201 - a program's answer
    if options.json:
        options.json.write_text(json.dumps(report.document(), indent=2) + "\n", encoding="utf-8")
    return 0


class Probe:
    """One run."""

    def __init__(self, options: argparse.Namespace, cloud: Cloud, address: CloudAddress) -> None:
        self._options = options
        self._cloud = cloud
        self._calls = Calls(cloud, address)
        self._run = secrets.token_bytes(16)
        self._name = f"probe-cut-{self._run.hex()[:12]}"
        self._copies = Copies(cloud, self._name, options.timeout, _say)

    def run(self) -> Report:
        """Write, cut, restore, judge; then take away what was made, whatever happened."""
        options = self._options
        source = self._copies.disk(options.disk_id)
        try:
            with Device(options.device) as device:
                device.require_disk(options.disk_id, int(source["DiskSize"]))
                if not options.yes_destroy:
                    device.require_blank()
                writer, moments = self._cut(device)
                life = self._signature()
                self._copies.await_snapshot()
                self._copies.restore(source)
                copy = self._found(self._restored(device), int(source["DiskSize"]))
            ahead = 0.0 - self._cloud.clock.ahead.total_seconds()  # never -0.0
            return judged(
                moments, writer.began, writer.ended, copy, clock_seconds=round(ahead, 1), **life
            )
        finally:
            if not options.keep:
                _say("taking away what was made")
                self._copies.take_away(detach=bool(options.attach_to))

    def _cut(self, device: Device) -> tuple[counter.Writer, Moments]:
        with counter.Writer(device, self._run) as writer:
            _say(f"writing to {device.path}")
            time.sleep(WARM_SECONDS)
            _say(f"cutting, as {self._name}")
            snapshot_id, reply = self._calls.create(self._options.disk_id, self._name)
            self._copies.snapshot_id = snapshot_id  # from here on there is something to take away
            moments = self._calls.await_listed(snapshot_id, reply)
            _say(f"{self._copies.snapshot_id} is listed; writing on")
            time.sleep(self._options.write_seconds)
        if writer.error:
            raise DeviceError(f"{device.path} can't be written: {writer.error.strerror}")
        return writer, moments

    def _signature(self) -> dict[str, int]:
        if self._options.skip_signature:
            return {}
        _say("measuring the life of a signature")
        past, future = self._calls.signature_life(self._options.disk_id)
        return {"signature_past": past, "signature_future": future}

    def _restored(self, source: Device) -> Path:
        """Wait until the restored disk is a device of this machine, and not the first one."""
        options, disk_id = self._options, self._copies.disk_id
        path: Path = options.restored_device or options.by_id_folder / f"virtio-{disk_id}"
        if options.attach_to:
            self._copies.attach(options.attach_to)
        else:
            _say(f"ATTACH {disk_id} to this machine now, in the console or by AttachDisks")
        _say(f"waiting for {path}")
        end = time.monotonic() + options.timeout
        while not path.exists():
            if time.monotonic() > end:
                raise DeviceError(f"{path} did not appear")
            time.sleep(0.2)
        if path.stat().st_rdev == source.number:
            raise DeviceError(f"{path} is the first disk, not the restored one")
        return path

    def _found(self, path: Path, size_gib: int) -> counter.Found:
        with Device(path) as restored:
            restored.require_disk(self._copies.disk_id, size_gib)
            copy = counter.found(self._run, _blocks(restored))
        if copy is None:
            raise ProbeError(f"{path} holds nothing of this run: the cut was before the writing")
        return copy


def _blocks(device: Device) -> Iterator[bytes]:
    for chunk in device.read(counter.START, counter.SLOTS * BLOCK):
        for offset in range(0, len(chunk), BLOCK):
            yield chunk[offset : offset + BLOCK]


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - a program tells what it does
