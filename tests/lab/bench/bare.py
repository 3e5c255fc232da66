"""A hold without the operator: the same statements, ioctls and requests in one bare function.

What it costs is the floor: the operator may cost a multiple of it, on whatever machine.
"""

import fcntl
import http.client
import json
import os
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lab.demo.timeline import Event

if TYPE_CHECKING:
    import pymysql

_FREEZE: Final = 0xC0045877
_THAW: Final = 0xC0045878
_SECONDS_TO_THAW: Final = 5
_PAUSES: Final = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8)

Moments = dict[str, int]


class Cloud:
    """One warm TLS connection; what is sent on it was signed before."""

    def __init__(self, host: str, port: int, ca_file: str) -> None:
        plain = socket.create_connection((host, port), timeout=10)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        context = ssl.create_default_context(cafile=ca_file)
        self._socket = context.wrap_socket(plain, server_hostname=host)

    def ask(self, request: bytes) -> Mapping[str, Any]:
        self._socket.sendall(request)
        response = http.client.HTTPResponse(self._socket)
        response.begin()
        return dict(json.loads(response.read())["Response"])

    def close(self) -> None:
        self._socket.close()


def hold(
    sessions: tuple["pymysql.Connection[Any]", "pymysql.Connection[Any]"],
    root: Path,
    cloud: Cloud,
    cut: bytes,
    look_up: bytes,
) -> tuple[Moments, int]:
    """Lock, freeze, cut, see it listed, thaw, prove, unlock: the moments, and the ioctls' time."""
    locking, flushing = sessions
    moments: Moments = {}

    def mark(event: Event) -> None:
        moments[event] = time.time_ns()

    with _thawed_in_time(root) as directory:
        # What warms the kernel for the operator, warms it here: right before the freeze counts.
        fcntl.ioctl(directory, _FREEZE, 0)
        fcntl.ioctl(directory, _THAW, 0)
        mark(Event.READY)
        mark(Event.LOCK_SENT)
        _run(locking, "BACKUP STAGE START")
        _run(locking, "BACKUP STAGE BLOCK_COMMIT")
        _run(flushing, "FLUSH LOCAL ENGINE LOGS")
        mark(Event.LOCKED)
        freezing = _timed(directory, _FREEZE)
        mark(Event.FROZEN)
        mark(Event.CUT_SENT)
        made = cloud.ask(cut)["SnapshotId"]
        mark(Event.REPLY)
        _until_listed(cloud, look_up, made)
        mark(Event.VISIBLE)
        thawing = _timed(directory, _THAW)
        mark(Event.THAWED)
        _run(locking, "SHOW MASTER STATUS")
        _run(locking, "SELECT @@gtid_binlog_pos")
        mark(Event.PROVEN)
        _run(locking, "BACKUP STAGE END")
        mark(Event.UNLOCKED)
    return moments, freezing + thawing


def warm_freeze(root: Path) -> int:
    """Freeze and thaw twice on end: the ioctls' time of the second, as quick as this kernel can.

    Within `hold` the lock lies between the two, and on a busy machine the kernel cools down in it.
    """
    with _thawed_in_time(root) as directory:
        fcntl.ioctl(directory, _FREEZE, 0)
        fcntl.ioctl(directory, _THAW, 0)
        return _timed(directory, _FREEZE) + _timed(directory, _THAW)


@contextmanager
def _thawed_in_time(root: Path) -> Iterator[int]:
    """Give the mount's root; another process thaws it at the end of its input, or in time."""
    thaw = f'timeout {_SECONDS_TO_THAW} cat; exec fsfreeze --unfreeze "$0" 2>/dev/null'
    directory = os.open(root, os.O_RDONLY)
    try:
        with subprocess.Popen(["sh", "-c", thaw, str(root)], stdin=subprocess.PIPE):
            yield directory
    finally:
        os.close(directory)


def _timed(directory: int, ioctl: int) -> int:
    begun = time.perf_counter_ns()
    fcntl.ioctl(directory, ioctl, 0)
    return time.perf_counter_ns() - begun


def _until_listed(cloud: Cloud, look_up: bytes, snapshot_id: str) -> None:
    for pause in _PAUSES:
        time.sleep(
            pause
        )  # between two look-ups, as the operator does: there is nothing to wait on
        listed = cloud.ask(look_up)["SnapshotSet"]
        if any(item["SnapshotId"] == snapshot_id for item in listed):
            return
    raise TimeoutError(f"{snapshot_id} was not listed in time")


def _run(session: "pymysql.Connection[Any]", statement: str) -> None:
    with session.cursor() as cursor:
        cursor.execute(statement)
        cursor.fetchall()
