"""The operator's view of the cloud: through Tencent's own SDK, over TLS, against the emulator."""

import gzip
import logging
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

from disksnapshot.cbs.calls import CloudProblem
from disksnapshot.cbs.client import Cloud
from disksnapshot.cbs.clock import CloudClock
from disksnapshot.cbs.limits import Limits
from disksnapshot.cbs.sdk import client
from disksnapshot.errors import CloudUnavailable
from lab.cbs.caller import Caller
from lab.cbs.connections import Connection, HttpServer
from lab.cbs.control import Control
from lab.cbs.server import Emulator

# Each test's own filters come after the client's, which says the same.
pytestmark = pytest.mark.filterwarnings("ignore:.* fileds are useless:UserWarning")
CANARY = "canary-in-the-key"


class Free(Limits):
    """Limits that nobody waits for."""

    def wait(self, action: str, count: int = 1) -> None:
        pass


def opened(endpoint: str, files: Any, secret_id: str, key: str) -> Cloud:
    credential = Credential(secret_id, key)
    return Cloud(credential, "ap-guangzhou", endpoint, str(files.ca), Free())


def in_a_second(endpoint: str, files: Any, credential: Credential) -> Any:
    """Return the SDK as we have it, with less patience."""
    return client(credential, "ap-guangzhou", endpoint, str(files.ca), CloudClock(), 1.0)


@pytest.fixture
def ours(emulator: Emulator, files: Any, sdk: Any) -> Cloud:
    known = sdk.credential
    return opened(emulator.endpoint, files, known.secret_id, known.secret_key)


def test_disks_are_known_by_id_and_an_unknown_one_is_left_out(ours: Cloud, disk_id: str) -> None:
    disks = ours.disks([disk_id, "disk-00000000"])
    assert list(disks) == [disk_id]
    assert disks[disk_id].snapshot_ability
    assert disks[disk_id].size_gib == 1


@pytest.mark.parametrize("count", [101, 201])
def test_all_snapshots_of_a_disk_are_found_however_many(
    ours: Cloud, control: Control, cloud: Caller, disk_id: str, count: int
) -> None:
    control.settings(creationMilliseconds=0, visibilityDelayMilliseconds=0)
    made = {cloud.call("CreateSnapshot", DiskId=disk_id)["SnapshotId"] for _ in range(count)}
    assert {snapshot.id for snapshot in ours.snapshots_of(disk_id)} == made


def test_a_look_up_goes_by_disk_so_that_names_matched_loosely_do_no_harm(
    ours: Cloud, control: Control, cloud: Caller, disk_id: str
) -> None:
    control.settings(fuzzyNames=True, visibilityDelayMilliseconds=0)
    other = str(control.create_disk()["DiskId"])
    for disk, name in ((disk_id, "shop-orders-1"), (other, "shop-orders-12")):
        cloud.call("CreateSnapshot", DiskId=disk, SnapshotName=name)
    assert [snapshot.name for snapshot in ours.snapshots_of(disk_id)] == ["shop-orders-1"]


def test_a_snapshot_is_complete_only_when_the_cloud_says_both(
    ours: Cloud, control: Control, cloud: Caller, disk_id: str
) -> None:
    control.settings(creationMilliseconds=60_000, visibilityDelayMilliseconds=0)
    slow = cloud.call("CreateSnapshot", DiskId=disk_id)["SnapshotId"]
    assert not ours.snapshots([slow])[slow].complete


def test_deleting_twice_or_what_never_was_is_no_error(
    ours: Cloud, control: Control, cloud: Caller, disk_id: str
) -> None:
    control.settings(creationMilliseconds=0, visibilityDelayMilliseconds=0, deletionMilliseconds=0)
    made = cloud.call("CreateSnapshot", DiskId=disk_id)["SnapshotId"]
    ours.delete(made)
    ours.delete(made)
    ours.delete("snap-00000000")
    assert control.snapshots() == []


def test_what_is_in_creation_can_t_be_deleted_and_the_code_is_told(
    ours: Cloud, control: Control, cloud: Caller, disk_id: str
) -> None:
    control.settings(creationMilliseconds=60_000)
    made = cloud.call("CreateSnapshot", DiskId=disk_id)["SnapshotId"]
    with pytest.raises(CloudProblem, match=r"SnapshotCreating.*request \S+\)") as refusal:
        ours.delete(made)
    assert refusal.value.code == "ResourceUnavailable.SnapshotCreating"


def test_wrong_keys_are_a_problem_that_may_pass(emulator: Emulator, files: Any, sdk: Any) -> None:
    cloud = opened(emulator.endpoint, files, sdk.credential.secret_id, CANARY)
    with pytest.raises(CloudProblem) as refusal:
        cloud.disks(["disk-00000000"])
    assert (refusal.value.code, refusal.value.final) == ("AuthFailure.SignatureFailure", False)


def test_no_error_and_no_log_holds_the_key(
    emulator: Emulator, files: Any, sdk: Any, caplog: pytest.LogCaptureFixture
) -> None:
    cloud = opened(emulator.endpoint, files, sdk.credential.secret_id, CANARY)
    with caplog.at_level(logging.DEBUG), pytest.raises(CloudProblem) as refusal:
        cloud.disks(["disk-00000000"])
    told = "".join(traceback.format_exception(refusal.value)) + caplog.text + repr(vars(cloud))
    assert CANARY not in told


def test_no_log_holds_a_signature_even_if_somebody_turns_the_sdk_s_own_log_on(
    ours: Cloud, disk_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("tencentcloud_sdk_common", "urllib3", "requests", None):
        caplog.set_level(logging.DEBUG, logger=name)
    ours.disks([disk_id])
    ours.sign_create(disk_id, "name", {}, datetime.now(UTC))
    assert "POST" in caplog.text, "the log is on"
    for secret in ("Authorization", "Signature=", "TC3-HMAC-SHA256"):
        assert secret not in caplog.text


def test_calls_after_each_other_go_over_one_connection(
    ours: Cloud, disk_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="urllib3"):
        for _ in range(4):
            ours.disks([disk_id])
            ours.snapshots_of(disk_id)
    assert caplog.text.count("Starting new HTTPS connection") == 1


@pytest.mark.parametrize("milliseconds", [100, 3], ids=["in the head", "in the body"])
def test_a_trickle_ends_in_time_and_its_rest_is_not_the_next_reply(
    emulator: Emulator, files: Any, sdk: Any, control: Control, disk_id: str, milliseconds: int
) -> None:
    impatient = in_a_second(emulator.endpoint, files, sdk.credential)
    for _ in range(150):
        control.create_disk()  # a page that takes many bytes
    control.fault("DescribeDisks", "Slow", milliseconds=milliseconds)
    started = time.monotonic()
    with pytest.raises(TencentCloudSDKException, match="timed out"):
        impatient.call_json("DescribeDisks", {"Limit": 100})
    assert time.monotonic() - started < 5
    answer = impatient.call_json("DescribeDisks", {"DiskIds": [disk_id]})
    assert answer["Response"]["TotalCount"] == 1


def test_a_proxy_that_trickles_ends_in_time(files: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Proxy(Connection):
        def do_CONNECT(self) -> None:  # noqa: N802 - the base class finds methods by this name
            for byte in b"HTTP/1.1 200 OK\r\nVia: " + b"x" * 1000:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(0.1)

    with HttpServer(("127.0.0.1", 0), Proxy) as server:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{server.address}")
        impatient = in_a_second("cbs.tencentcloudapi.test", files, Credential("AKIDx", CANARY))
        started = time.monotonic()
        with pytest.raises(TencentCloudSDKException, match="timed out"):
            impatient.call_json("DescribeDisks", {})
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("coding", ["gzip", "chunked", "close"])
def test_an_answer_is_read_in_whatever_form_it_comes(files: Any, coding: str) -> None:
    content = b'{"Response": {"SnapshotSet": [], "TotalCount": 0, "RequestId": "r"}}'
    with answering(files, 200, "application/json", content, coding) as endpoint:
        assert opened(endpoint, files, "AKIDx", CANARY).snapshots_of("disk-00000000") == []


@contextmanager
def answering(
    files: Any, status: int, content_type: str, content: bytes, coding: str = ""
) -> Iterator[str]:
    """Answer every call in one way."""
    import ssl  # noqa: PLC0415 - needed here alone

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            body = gzip.compress(content) if coding == "gzip" else content
            if coding == "chunked":
                body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(content), content)
                self.send_header("Transfer-Encoding", "chunked")
            elif coding == "close":
                self.close_connection = True
            else:
                self.send_header("Content-Length", str(len(body)))
            if coding == "gzip":
                self.send_header("Content-Encoding", "gzip")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(files.cert, files.key)
    with HttpServer(("127.0.0.1", 0), Answer, tls) as server:
        yield server.address


ERROR = b'{"Response": {"Error": {"Code": "InvalidDisk.Busy", "Message": "m"}, "RequestId": "r"}}'


@pytest.mark.parametrize("content_type", ["application/json;charset=UTF-8", "Text/JSON", ""])
def test_an_error_is_read_as_one_whatever_its_content_type(files: Any, content_type: str) -> None:
    with answering(files, 200, content_type, ERROR) as endpoint:
        cloud = opened(endpoint, files, "AKIDx", CANARY)
        with pytest.raises(CloudProblem, match=r"InvalidDisk\.Busy"):
            cloud.delete("snap-00000000")


@pytest.mark.parametrize(
    ("status", "content_type", "content"),
    [
        (502, "text/html", b"<html>bad gateway</html>"),
        (200, "application/json", b"<html>"),
        (200, "application/json", b'{"Response": {"SnapshotSet": [], "TotalCou'),
        (200, "application/json", b'{"Odd": 1}'),
        (200, "application/json", b'{"Response": {"RequestId": "r"}}'),
    ],
    ids=["502", "HTML", "JSON that was cut", "another JSON", "no count"],
)
def test_what_is_no_answer_is_never_read_as_nothing_there(
    files: Any, status: int, content_type: str, content: bytes
) -> None:
    with answering(files, status, content_type, content) as endpoint:
        cloud = opened(endpoint, files, "AKIDx", CANARY)
        with pytest.raises(CloudUnavailable) as silence:
            cloud.snapshots_of("disk-00000000")
    assert CANARY not in str(silence.value)


NONE_OF_THREE = ("", '"SnapshotSet": null, "DiskSet": null,', '"SnapshotSet": [], "DiskSet": [],')
GARBAGE = (
    '"SnapshotSet": [null], "DiskSet": [null],',
    '"SnapshotSet": [{}], "DiskSet": [{}],',
    '"SnapshotSet": "x", "DiskSet": "x",',
    '"SnapshotSet": [{"SnapshotId": "snap-00000000", "Percent": "x"}], "DiskSet": "x",',
    '"DiskSet": [{"DiskId": "disk-00000000", "DiskSize": "x"}], "SnapshotSet": [7],',
    '"SnapshotSet": [{"SnapshotId": "snap-00000000", "Tags": "x"}],"DiskSet": [{"DiskId": 7}],',
)


def answers_to(endpoint: str, files: Any) -> list[Callable[[], object]]:
    cloud = opened(endpoint, files, "AKIDx", CANARY)
    return [
        lambda: cloud.snapshots_of("disk-00000000"),
        lambda: cloud.snapshots(["snap-00000000"]),
        lambda: cloud.disks(["disk-00000000"]),
        lambda: cloud.in_creation(["disk-00000000"]),
        cloud.every_snapshot,
    ]


@pytest.mark.parametrize(
    ("total", "listed"),
    [*((3, listed) for listed in NONE_OF_THREE), *((1, listed) for listed in GARBAGE)],
    ids=[
        "left out",
        "null",
        "empty",
        "no item",
        "no id",
        "no list",
        "no number",
        "no size",
        "words",
    ],
)
def test_an_answer_that_lacks_what_it_counts_or_can_t_be_read_is_never_taken_for_what_is_there(
    files: Any, total: int, listed: str
) -> None:
    content = f'{{"Response": {{{listed} "TotalCount": {total}, "RequestId": "r"}}}}'
    with answering(files, 200, "application/json", content.encode()) as endpoint:
        for ask in answers_to(endpoint, files):
            with pytest.raises(CloudUnavailable):
                ask()


@pytest.mark.parametrize("content", [b'{"Response": null}', b'{"Response": []}', b"[]", b"null"])
def test_what_is_no_answer_is_never_taken_for_something_done(files: Any, content: bytes) -> None:
    with answering(files, 200, "application/json", content) as endpoint:
        cloud = opened(endpoint, files, "AKIDx", CANARY)
        with pytest.raises(CloudUnavailable):
            cloud.delete("snap-00000000")
        with pytest.raises(CloudUnavailable):
            cloud.set_deadline("snap-00000000", None)


def test_a_deadline_of_a_snapshot_that_is_not_there_is_not_taken_for_set(ours: Cloud) -> None:
    """By keys of another account none is there, and the old deadline stays as it was."""
    with pytest.raises(CloudProblem) as problem:
        ours.set_deadline("snap-00000000", None)
    assert problem.value.code == "InvalidSnapshotId.NotFound"


def test_a_list_that_changes_while_it_is_read_is_read_anew(
    ours: Cloud, control: Control, cloud: Caller, disk_id: str
) -> None:
    control.settings(creationMilliseconds=0, visibilityDelayMilliseconds=0)
    made = {cloud.call("CreateSnapshot", DiskId=disk_id)["SnapshotId"] for _ in range(102)}
    [first] = cloud.call("DescribeSnapshots", Limit=1)["SnapshotSet"]
    going = [first["SnapshotId"]]
    # After the first page was read: what is on the second moves up to it.
    ours.called = lambda *_: control.vanish(going.pop()) if going else None
    found = {snapshot.id for snapshot in ours.snapshots_of(disk_id)}
    assert found == made - {first["SnapshotId"]}


def test_a_cloud_that_can_t_be_reached_is_unavailable(files: Any) -> None:
    with answering(files, 200, "text/plain", b"") as endpoint:
        cloud = opened(endpoint, files, "AKIDx", CANARY)
    with pytest.raises(CloudUnavailable, match="DescribeSnapshots"):
        cloud.snapshots(["snap-00000000"])


def test_a_request_signed_in_time_is_refused_when_it_comes_too_late(
    ours: Cloud, control: Control, emulator: Emulator, files: Any, disk_id: str
) -> None:
    import http.client  # noqa: PLC0415 - reads one reply
    import socket  # noqa: PLC0415 - sends bytes as they are
    import ssl  # noqa: PLC0415 - over TLS

    now = datetime.now(UTC)
    payload = ours.sign_create(disk_id, "name", {"team": "x"}, now)
    context = ssl.create_default_context(cafile=str(files.ca))
    host, _, port = emulator.endpoint.partition(":")
    codes = []
    for late in (301, 0):
        control.settings(clockOffsetSeconds=late)
        with (
            socket.create_connection((host, int(port)), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname=host) as connection,
        ):
            connection.sendall(payload)
            response = http.client.HTTPResponse(connection)
            response.begin()
            codes.append(b"SignatureExpire" in response.read())
    assert codes == [True, False]
    [made] = control.snapshots()
    assert (made["name"], made["tags"]) == ("name", {"team": "x"})
