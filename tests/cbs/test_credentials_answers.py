"""What a metadata address or STS may answer that no emulator does: each leaves no keys."""

import json
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from disksnapshot.cbs.clock import CloudClock
from disksnapshot.cbs.cvmrole import MachineRole
from disksnapshot.cbs.podidentity import PodIdentity
from disksnapshot.cbs.temporary import TemporaryKeys
from disksnapshot.errors import CloudUnavailable
from disksnapshot.settings import KeysFromPodIdentity
from lab.cbs.connections import Connection, HttpServer

WEB_TOKEN = "canary-in-the-web-token"  # noqa: S105 - the canary
WORDS = {"TmpSecretId": "AKIDx", "TmpSecretKey": "key", "Token": "token"}
EXPIRES = 2_000_000_000

pytestmark = pytest.mark.filterwarnings("ignore:.* fileds are useless:UserWarning")


@contextmanager
def answering(content: bytes, tls: ssl.SSLContext | None = None, **how: Any) -> Iterator[str]:
    """Answer every request with this; `elsewhere` sends the first to another path."""

    class Answer(Connection):
        def do_GET(self) -> None:  # noqa: N802 - the base class finds methods by this name
            if how.get("elsewhere") and not self.path.endswith("/there"):
                self.wfile.write(b"HTTP/1.1 302 Found\r\nLocation: /there\r\n")
                self.wfile.write(b"Content-Length: 0\r\n\r\n")
            elif how.get("trickles"):
                self.trickle(how["trickles"])
            else:
                self.reply(200, content)

        def do_POST(self) -> None:  # noqa: N802 - the same
            self.body()
            self.reply(200, content)

        def trickle(self, part: str) -> None:
            whole = self.head(200, 1000)
            self.wfile.write(whole if part == "body" else whole[:20])
            for _ in range(60):
                self.wfile.write(b" ")
                self.wfile.flush()
                time.sleep(0.2)

    with HttpServer(("127.0.0.1", 0), Answer, tls) as server:
        yield server.address


def from_machine(address: str) -> TemporaryKeys:
    return MachineRole(f"http://{address}/latest/meta-data/", "role", CloudClock()).fetch()


def machine(**changed: Any) -> bytes:
    return json.dumps({"Code": "Success", "ExpiredTime": EXPIRES, **WORDS, **changed}).encode()


@pytest.fixture
def tls(files: Any) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(files.cert, files.key)
    return made


@pytest.fixture
def from_pod(files: Any, tmp_path: Path) -> Callable[[str], TemporaryKeys]:
    token_file = tmp_path / "token"
    token_file.write_text(WEB_TOKEN)

    def fetch(address: str) -> TemporaryKeys:
        keys = KeysFromPodIdentity(
            endpoint=address,
            region="ap-guangzhou",
            provider_id="provider",
            role_arn="role",
            token_file=token_file,
        )
        return PodIdentity(keys, str(files.ca), CloudClock()).fetch()

    return fetch


def sts(**changed: Any) -> bytes:
    answer = {"Credentials": {**WORDS, **changed}, "ExpiredTime": EXPIRES, "RequestId": "r"}
    return json.dumps({"Response": answer}).encode()


@pytest.mark.parametrize("nothing", [None, "", 7, []], ids=repr)
@pytest.mark.parametrize("word", WORDS)
def test_an_answer_in_which_a_key_is_no_word_leaves_no_keys(
    word: str, nothing: object, tls: ssl.SSLContext, from_pod: Callable[[str], TemporaryKeys]
) -> None:
    with (
        answering(machine(**{word: nothing})) as address,
        pytest.raises(CloudUnavailable, match="holds no keys"),
    ):
        from_machine(address)
    with (
        answering(sts(**{word: nothing}), tls) as address,
        pytest.raises(CloudUnavailable, match="holds no keys"),
    ):
        from_pod(address)


def test_what_both_give_are_the_keys(
    tls: ssl.SSLContext, from_pod: Callable[[str], TemporaryKeys]
) -> None:
    with answering(machine()) as address:
        one = from_machine(address)
    with answering(sts(), tls) as address:
        assert from_pod(address) == one
    assert (one.secret_id, one.secret_key, one.token) == tuple(WORDS.values())


def test_keys_beside_a_code_that_is_no_success_are_not_taken() -> None:
    with (
        answering(machine(Code="Expired")) as address,
        pytest.raises(CloudUnavailable, match="Expired"),
    ):
        from_machine(address)


def test_a_metadata_address_that_sends_elsewhere_is_not_followed() -> None:
    with (
        answering(machine(), elsewhere=True) as address,
        pytest.raises(CloudUnavailable, match="HTTP 302"),
    ):
        from_machine(address)


def test_the_machine_is_never_asked_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with (
        answering(machine(ExpiredTime=EXPIRES + 1)) as proxy,
        answering(machine()) as address,
    ):
        monkeypatch.setenv("http_proxy", f"http://{proxy}")
        assert from_machine(address).expires == EXPIRES


@pytest.mark.parametrize("part", ["head", "body"])
def test_metadata_that_trickle_end_in_time(part: str) -> None:
    began = time.monotonic()
    with (
        answering(b"", trickles=part) as address,
        pytest.raises(CloudUnavailable, match="doesn't answer"),
    ):
        from_machine(address)
    assert time.monotonic() - began < 10


def test_a_token_that_sts_repeats_in_its_refusal_is_not_told(
    tls: ssl.SSLContext, from_pod: Callable[[str], TemporaryKeys]
) -> None:
    error = {"Code": "InvalidParameter.WebIdentityTokenError", "Message": f"bad: {WEB_TOKEN}"}
    content = json.dumps({"Response": {"Error": error, "RequestId": "r"}}).encode()
    with (
        answering(content, tls) as address,
        pytest.raises(CloudUnavailable, match=r"bad: \(the token\)") as refusal,
    ):
        from_pod(address)
    assert WEB_TOKEN not in str(refusal.value)
