"""Signing early: the bytes are those that the SDK would have sent itself."""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from typing import Any

import pytest

from disksnapshot.cbs import signing
from lab.cbs.caller import client
from lab.cbs.connections import HttpServer

PARAMS = {"DiskId": "disk-00000000", "SnapshotName": "größe", "Tags": [{"Key": "a", "Value": "b"}]}
TRACE = re.compile(rb"X-TC-TraceId: [0-9a-f-]{36}")


@contextmanager
def listening(files: Any) -> Iterator[tuple[str, list[bytes]]]:
    """Keep the bytes of each request, and answer with nothing of use."""
    heard: list[bytes] = []

    class Listener(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        raw_requestline: bytes

        def parse_request(self) -> bool:
            lines = [self.raw_requestline]
            while lines[-1] not in {b"\r\n", b""}:
                lines.append(self.rfile.readline())
            length = re.search(rb"Content-Length: (\d+)", b"".join(lines))
            assert length
            heard.append(b"".join([*lines, self.rfile.read(int(length[1]))]))
            self.wfile.write(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n")
            self.close_connection = True
            return False

        def log_message(self, *_: Any) -> None:
            pass

    tls = SSLContext(PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(files.cert, files.key)
    with HttpServer(("127.0.0.1", 0), Listener, tls) as server:
        yield server.address, heard


def test_the_bytes_are_the_sdk_s_own_but_for_the_trace_id(files: Any) -> None:
    with listening(files) as (endpoint, heard):
        sdk = client(endpoint, "AKIDtest", "a key", files.ca)
        with pytest.raises(Exception, match="Network"):
            sdk.call_json("CreateSnapshot", PARAMS)
    [sent] = heard
    second = re.search(rb"X-TC-Timestamp: (\d+)", sent)
    assert second
    moment = datetime.fromtimestamp(int(second[1]), UTC)
    ours = signing.sign(sdk, "CreateSnapshot", PARAMS, moment)
    assert TRACE.search(ours)
    assert TRACE.sub(b"", ours) == TRACE.sub(b"", sent)


def test_the_time_is_the_one_that_was_given_and_changes_the_signature(files: Any) -> None:
    sdk = client("cbs.example.test", "AKIDtest", "a key", files.ca)
    past = signing.sign(
        sdk, "CreateSnapshot", PARAMS, datetime(2026, 3, 1, 23, 59, 59, tzinfo=UTC)
    )
    later = signing.sign(sdk, "CreateSnapshot", PARAMS, datetime(2026, 3, 2, tzinfo=UTC))
    assert b"X-TC-Timestamp: 1772409599\r\n" in past
    assert b"AKIDtest/2026-03-01/cbs/tc3_request" in past
    assert b"AKIDtest/2026-03-02/cbs/tc3_request" in later
    signatures = {re.findall(rb"Signature=([0-9a-f]{64})", one)[0] for one in (past, later)}
    assert len(signatures) == 2


def test_the_key_is_not_in_the_bytes(files: Any) -> None:
    sdk = client("cbs.example.test", "AKIDtest", "canary-key", files.ca)
    moment = datetime.fromtimestamp(time.time(), UTC)
    assert b"canary-key" not in signing.sign(sdk, "CreateSnapshot", PARAMS, moment)


def test_key_and_token_are_of_one_moment_though_they_are_renewed_meanwhile(files: Any) -> None:
    sdk = client("cbs.example.test", "AKIDtest", "a key", files.ca)
    sdk.credential = Renewed()
    made = signing.sign(sdk, "CreateSnapshot", PARAMS, datetime(2026, 3, 1, tzinfo=UTC))
    [secret_id] = re.findall(rb"Credential=AKID(\d+)/", made)
    assert b"X-TC-Token: token%b\r\n" % secret_id in made


class Renewed:
    """Keys that are others each time."""

    def __init__(self) -> None:
        self._times = 0

    def get_credential_info(self) -> tuple[str, str, str]:
        self._times += 1
        return f"AKID{self._times}", "a key", f"token{self._times}"


def test_many_threads_sign_at_once(files: Any) -> None:
    sdk = client("cbs.example.test", "AKIDtest", "a key", files.ca)
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    made: set[bytes] = set()

    def sign() -> None:
        made.add(TRACE.sub(b"", signing.sign(sdk, "CreateSnapshot", PARAMS, moment)))

    threads = [threading.Thread(target=sign) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
